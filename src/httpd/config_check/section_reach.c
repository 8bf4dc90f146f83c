/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/section_reach.h"

#include <apr_strings.h>
#include <http_core.h>

/* Whether @a inner is the same path as @a outer, or below it. */
static int is_above(const char *outer, const char *inner)
{
    apr_size_t len = strlen(outer);

    return !strncmp(outer, inner, len) && (!inner[len] || inner[len] == '/');
}

/* Whether all paths of @a inner are @a outer or below it. All that is known of a pattern is how its paths begin. */
static int covers(const char *outer, const clerk_config_section *inner)
{
    return is_above(outer, inner->prefix) && (inner->path || !*outer || strlen(inner->prefix) > strlen(outer));
}

/* Whether a text can begin with both. */
static int compatible(const char *one, const char *other)
{
    apr_size_t len = strlen(one), other_len = strlen(other);

    return !strncmp(one, other, len < other_len ? len : other_len);
}

/* Whether one of the paths of @a one can be a path of @a other. */
static int overlaps(const clerk_config_section *one, const char *path)
{
    return one->path ? is_above(one->path, path) || is_above(path, one->path) : compatible(one->prefix, path);
}

static int is_nested(const clerk_config_section *inner, const clerk_config_section *outer)
{
    for (; inner; inner = inner->around) {
        if (inner == outer) {
            return 1;
        }
    }
    return 0;
}

/* The section that is a place of its own: for <Files> and <If>, the one around them. */
static const clerk_config_section *place_of(const clerk_config_section *section)
{
    while (section->kind == CLERK_SECTION_FILES || section->kind == CLERK_SECTION_IF) {
        section = section->around;
    }
    return section;
}

static const char *document_root(const server_rec *server, apr_pool_t *pool)
{
    const core_server_config *core = ap_get_core_module_config(server->module_config);
    const char *root = core->ap_document_root ? core->ap_document_root : "";
    apr_size_t len = strlen(root);

    while (len && root[len - 1] == '/') {
        len--;
    }
    return apr_pstrmemdup(pool, root, len);
}

/* Whether the mapping is in force where the section is. */
static int is_same_server(const clerk_config_sections *config, const clerk_config_section *mapping,
                          const clerk_config_section *here)
{
    /* Virtual hosts inherit ProxyPass from the main server, but not its rewrite rules. */
    int inherited = mapping->server == config->main_server
                    && !clerk_config_sections_directive_is(mapping->container, "RewriteRule");

    return mapping->server == here->server || here->server == config->main_server || inherited;
}

/* Whether ProxyPass ... ! keeps all URLs below a path here. */
static int is_excluded(const clerk_config_sections *config, const clerk_config_section *mapping, const char *url)
{
    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *other = clerk_config_sections_get(config, i);

        if (other->kind == CLERK_SECTION_MAPPING && other->excludes && other->path && is_above(other->path, url)
            && (i < mapping->number || other->around->kind == CLERK_SECTION_LOCATION)
            && is_same_server(config, other, mapping)
            && !clerk_config_sections_directive_is(mapping->container, "RewriteRule")) {
            return 1;
        }
    }
    return 0;
}

static int takes_url(const clerk_config_sections *config, const clerk_config_section *mapping, const char *url)
{
    return overlaps(mapping, url) && !is_excluded(config, mapping, url);
}

/* Reduce a mapping to its URLs that are @a url or below it. @param is_path of a pattern, no URL needs to be below it
 * @return 0 if there are none */
static int reduce(clerk_config_section *mapping, const clerk_config_sections *config, const char *url, int is_path)
{
    if (!takes_url(config, mapping, url)) {
        return 0;
    }
    if (strlen(url) >= strlen(mapping->prefix)) {
        mapping->prefix = url;
        mapping->path = is_path ? url : NULL;
    }
    return 1;
}

/* Reduce a mapping to the URLs that lead to a directory if files of @a root have the URL @a url. */
static int reduce_to_files(clerk_config_section *mapping, const clerk_config_sections *config, const char *root,
                           const char *url, const clerk_config_section *directory)
{
    const char *path = directory->path ? directory->path : directory->prefix;

    if (is_above(root, path)) {
        return reduce(mapping, config, apr_pstrcat(config->pool, url, path + strlen(root), NULL),
                      directory->path != NULL);
    }
    return (directory->path ? is_above(path, root) : compatible(path, root)) && reduce(mapping, config, url, 1);
}

int clerk_section_reach_bypasses(clerk_config_section *part, const clerk_config_sections *config,
                                 const clerk_config_section *mapping, const clerk_config_section *here)
{
    const clerk_config_section *place = place_of(here);

    *part = *mapping;
    if (mapping->excludes || !is_same_server(config, mapping, here)) {
        return 0;
    }
    if (place->kind == CLERK_SECTION_SERVER) {
        /* <Files> of the server: any file. Conditions of the server hold for proxied requests too. */
        return here->kind == CLERK_SECTION_FILES;
    }
    if (place->kind != CLERK_SECTION_DIRECTORY) {
        return 0;
    }
    for (int i = 0; i < config->aliases->nelts; i++) {
        const clerk_config_alias *alias = &APR_ARRAY_IDX(config->aliases, i, clerk_config_alias);

        if (alias->url && alias->path && reduce_to_files(part, config, alias->path, alias->url, place)) {
            return 1;
        }
    }
    return reduce_to_files(part, config, document_root(mapping->server, config->pool), "", place);
}

/* Whether something else than the document root may decide which file a URL of the location leads to. */
static int has_other_files(const clerk_config_sections *config, const clerk_config_section *location)
{
    for (int i = 0; i < config->aliases->nelts; i++) {
        const clerk_config_alias *alias = &APR_ARRAY_IDX(config->aliases, i, clerk_config_alias);

        if (alias->url ? overlaps(location, alias->url) : compatible(alias->prefix, location->prefix)) {
            return 1;
        }
    }
    return 0;
}

/* Whether a rule may rewrite a URL into one of the location, which ProxyPass, asked before, has not seen. */
static int has_rewrites(const clerk_config_sections *config)
{
    for (int i = 0; i < config->aliases->nelts; i++) {
        if (!APR_ARRAY_IDX(config->aliases, i, clerk_config_alias).url) {
            return 1;
        }
    }
    return 0;
}

/* Whether URLs of a location are sent to another server, so that they have no file. */
static clerk_section_applies is_mapped(const clerk_config_sections *config, const clerk_config_section *location)
{
    clerk_section_applies most = CLERK_APPLIES_NO;

    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *mapping = clerk_config_sections_get(config, i);

        if (mapping->kind != CLERK_SECTION_MAPPING || mapping->excludes || !is_same_server(config, mapping, location)
            || (mapping->around != location && !takes_url(config, mapping, location->prefix))) {
            continue;
        }
        if (((mapping->around == location && location->path) || (mapping->path && covers(mapping->path, location)))
            && (mapping->server == location->server || mapping->server == config->main_server)
            && !has_rewrites(config)) {
            return CLERK_APPLIES_YES;
        }
        most = CLERK_APPLIES_MAYBE;
    }
    return most;
}

/* Whether a directory applies to the URLs of a location. */
static clerk_section_applies directory_applies(const clerk_config_sections *config,
                                               const clerk_config_section *directory,
                                               const clerk_config_section *location)
{
    clerk_section_applies mapped = is_mapped(config, location);
    const char *root = document_root(location->server, config->pool);
    const char *file = apr_pstrcat(config->pool, root, location->prefix, NULL);
    int certain = directory->path && !has_other_files(config, location);

    if (mapped == CLERK_APPLIES_YES) {
        return CLERK_APPLIES_NO;
    }
    /* A virtual host may have another document root. */
    if (location->server == config->main_server && config->main_server->next) {
        certain = 0;
    }
    if (certain && mapped == CLERK_APPLIES_NO && is_above(directory->path, file)
        && (location->path || strlen(file) > strlen(directory->path))) {
        return CLERK_APPLIES_YES;
    }
    if (certain && is_above(root, directory->path) && location->path && !is_above(file, directory->path)
        && !is_above(directory->path, file)) {
        return CLERK_APPLIES_NO;
    }
    return CLERK_APPLIES_MAYBE;
}

/* Whether the directives of a place apply in another, both of the same server or one of the main server. @param earlier
 * they are merged before those of the other */
static clerk_section_applies place_applies(const clerk_config_sections *config, const clerk_config_section *outer,
                                           const clerk_config_section *inner, int earlier)
{
    if (outer == inner || outer->kind == CLERK_SECTION_SERVER) {
        return CLERK_APPLIES_YES;
    }
    if (inner->kind == CLERK_SECTION_MAPPING) {
        if (outer == inner->around) {
            return CLERK_APPLIES_YES;
        }
        if (outer->kind == CLERK_SECTION_PROXY) {
            return !*outer->prefix && !outer->pattern ? CLERK_APPLIES_YES : CLERK_APPLIES_MAYBE;
        }
        /* A <Location> for a part of the URLs is listed by itself. */
        if (outer->kind == CLERK_SECTION_DIRECTORY
            || (outer->kind == CLERK_SECTION_LOCATION && outer->path && !is_above(outer->path, inner->prefix))) {
            return CLERK_APPLIES_NO;
        }
    }
    if (outer->kind == CLERK_SECTION_LOCATION && outer->path && !*outer->path) {
        return CLERK_APPLIES_YES;
    }
    if (inner->kind == CLERK_SECTION_SERVER) {
        return CLERK_APPLIES_MAYBE;
    }
    if (outer->kind == CLERK_SECTION_DIRECTORY && inner->kind == CLERK_SECTION_LOCATION) {
        return directory_applies(config, outer, inner);
    }
    if (outer->kind != inner->kind && inner->kind != CLERK_SECTION_MAPPING) {
        return CLERK_APPLIES_MAYBE;
    }
    if (outer->path && covers(outer->path, inner)) {
        return CLERK_APPLIES_YES;
    }
    if (outer->path && inner->path) {
        /* A part of the place, merged before it. */
        return earlier && is_above(inner->path, outer->path) ? CLERK_APPLIES_MAYBE : CLERK_APPLIES_NO;
    }
    return compatible(outer->prefix, inner->prefix) ? CLERK_APPLIES_MAYBE : CLERK_APPLIES_NO;
}

clerk_section_applies clerk_section_reach_applies(const clerk_config_sections *config,
                                                  const clerk_config_section *outer, const clerk_config_section *inner)
{
    const clerk_config_section *place = place_of(outer);
    clerk_section_applies applies;

    if (is_nested(inner, outer) && (outer->kind != CLERK_SECTION_SERVER || outer->container)) {
        return CLERK_APPLIES_YES;
    }
    if (outer->kind == CLERK_SECTION_MAPPING
        || (inner->kind == CLERK_SECTION_MAPPING && outer->kind == CLERK_SECTION_FILES)) {
        return CLERK_APPLIES_NO;
    }
    if (outer->server != inner->server && outer->server != config->main_server
        && inner->server != config->main_server) {
        return CLERK_APPLIES_NO;
    }
    if (inner->kind == CLERK_SECTION_SERVER && outer->kind != CLERK_SECTION_SERVER) {
        return CLERK_APPLIES_NO;
    }
    if (place->kind == CLERK_SECTION_SERVER && place_of(inner)->kind == CLERK_SECTION_SERVER && place != outer) {
        applies = CLERK_APPLIES_MAYBE;
    } else {
        applies = place_applies(config, place, place_of(inner), clerk_section_reach_is_later(inner, outer));
    }
    if (applies == CLERK_APPLIES_YES
        && (place != outer || (outer->server != inner->server && outer->server != config->main_server))) {
        return CLERK_APPLIES_MAYBE;
    }
    return applies;
}

static int depth(const clerk_config_section *directory)
{
    int slashes = 0;

    for (const char *at = directory->path ? directory->path : directory->prefix; *at; at++) {
        slashes += *at == '/';
    }
    return slashes;
}

int clerk_section_reach_is_later(const clerk_config_section *one, const clerk_config_section *other)
{
    if (one->kind != other->kind) {
        return one->kind > other->kind;
    }
    if ((one->kind == CLERK_SECTION_FILES || one->kind == CLERK_SECTION_IF) && one->around != other->around) {
        return clerk_section_reach_is_later(one->around, other->around);
    }
    if (one->kind == CLERK_SECTION_DIRECTORY && one->pattern != other->pattern) {
        return one->pattern;
    }
    if (one->kind == CLERK_SECTION_DIRECTORY && !one->pattern && depth(one) != depth(other)) {
        return depth(one) > depth(other);
    }
    if (one->server->is_virtual != other->server->is_virtual) {
        return one->server->is_virtual;
    }
    return one->number > other->number;
}

const clerk_config_section *clerk_section_reach_redirector(const clerk_config_sections *config,
                                                           const clerk_config_section *location)
{
    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *section = clerk_config_sections_get(config, i);

        if (section->set[CLERK_SECTION_REDIRECTOR]
            && clerk_section_reach_applies(config, section, location) != CLERK_APPLIES_NO) {
            return section;
        }
    }
    return NULL;
}
