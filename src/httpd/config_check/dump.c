/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/dump.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/config/config.h"
#include "httpd/config_check/config_sections.h"
#include "net/http.h"

/* The output, and the number of sections of each kind. */
typedef struct dump {
    const clerk_config_sections *config;
    apr_file_t *out;
    apr_pool_t *pool;
    int protected_sections;
    int optional_sections;
    int open_sections;
    int doubtful_sections;
    int closed_sections;
} dump;

/* The section whose directive applies in another: one that certainly applies, else one that may apply. */
typedef struct source {
    const clerk_config_section *section; /**< NULL: nothing */
    clerk_section_applies applies;
} source;

/* The order in which httpd merges sections: the server, directories from the root down, locations. */
static int rank(const clerk_config_section *section)
{
    return section->kind == 'S' ? 0 : section->kind == 'D' ? 1 : 2;
}

static int comes_later(const clerk_config_section *one, const clerk_config_section *other)
{
    apr_size_t len = one->path ? strlen(one->path) : 0, other_len = other->path ? strlen(other->path) : 0;

    if (rank(one) != rank(other)) {
        return rank(one) > rank(other);
    }
    /* Of two equal ones, the later in the file counts: callers pass them in that order. */
    return one->kind != 'D' || len >= other_len;
}

static int is_elsewhere(const dump *to, const clerk_config_section *other, const clerk_config_section *here)
{
    return other->server != here->server && other->server != to->config->main_server;
}

static source find_source(const dump *to, const clerk_config_section *here, int (*has)(const clerk_config_section *))
{
    const apr_array_header_t *sections = to->config->sections;
    source best = {NULL, CLERK_APPLIES_NO};

    for (int i = 0; i < sections->nelts; i++) {
        const clerk_config_section *other = APR_ARRAY_IDX(sections, i, const clerk_config_section *);
        clerk_section_applies applies
            = has(other) ? clerk_config_sections_apply(to->config, other, here) : CLERK_APPLIES_NO;

        /* A <Location> that may cover a directory is shown as a section of its own, and so are sections of other
         * servers. */
        if (applies == CLERK_APPLIES_MAYBE && (rank(other) > rank(here) || is_elsewhere(to, other, here))) {
            continue;
        }
        if (applies > best.applies
            || (applies != CLERK_APPLIES_NO && applies == best.applies && comes_later(other, best.section))) {
            best.section = other;
            best.applies = applies;
        }
    }
    return best;
}

static int has_require(const clerk_config_section *section)
{
    return section->require != NULL;
}

static int has_auth_type(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_AUTH_TYPE] != NULL;
}

static int has_token_sources(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_TOKEN_SOURCES] != NULL;
}

static int has_satisfy(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_SATISFY] != NULL;
}

static const char *title(const clerk_config_section *section, apr_pool_t *pool)
{
    const char *args;
    apr_size_t len;

    if (!section->container) {
        return "the main server";
    }
    args = section->container->args;
    len = strlen(args);
    while (len && (args[len - 1] == '>' || args[len - 1] == ' ')) {
        len--;
    }
    return apr_psprintf(pool, "%s %.*s> (%s:%d)", section->container->directive, (int)len, args,
                        section->container->filename, section->container->line_num);
}

static const char *args_of(const source *from, clerk_section_directive directive)
{
    return from->section->set[directive]->args;
}

/* "[from ...]" if the directive is from another section, else "". */
static const char *where_from(const source *from, const clerk_config_section *here, apr_pool_t *pool)
{
    if (from->section == here) {
        return "";
    }
    return apr_pstrcat(pool, from->applies == CLERK_APPLIES_YES ? "  [from " : "  [perhaps from ",
                       title(from->section, pool), "]", NULL);
}

static void line(const dump *to, const char *name, const char *text, const char *note)
{
    apr_file_printf(to->out, "      %-12s%s%s\n", name, text, note);
}

static int is_about_requiring(const ap_directive_t *directive)
{
    static const char *const containers[] = {"<Require", "<Limit", "<If", "<Else", NULL};

    for (int i = 0; containers[i]; i++) {
        if (!strncasecmp(directive->directive, containers[i], strlen(containers[i]))) {
            return 1;
        }
    }
    return clerk_config_sections_directive_is(directive, "Require");
}

static int holds_require(const ap_directive_t *directive)
{
    for (; directive; directive = directive->next) {
        if (clerk_config_sections_directive_is(directive, "Require")
            || (is_about_requiring(directive) && holds_require(directive->first_child))) {
            return 1;
        }
    }
    return 0;
}

/* Print the Require lines with the containers around them. @param name printed before the first line */
static const char *requirements(const dump *to, const ap_directive_t *directive, int depth, const char *name,
                                const char *note)
{
    for (; directive; directive = directive->next) {
        int container = *directive->directive == '<';

        if (!is_about_requiring(directive) || (container && !holds_require(directive->first_child))) {
            continue;
        }
        apr_file_printf(to->out, "      %-12s%*s%s%s%s%s\n", name, depth * 2, "", container ? directive->directive : "",
                        container && *directive->args && *directive->args != '>' ? " " : "", directive->args,
                        *name ? note : "");
        name = "";
        if (container) {
            name = requirements(to, directive->first_child, depth + 1, name, note);
        }
    }
    return name;
}

static void print_requirements(const dump *to, const source *from, const clerk_config_section *here)
{
    const ap_directive_t *first = from->section->container ? from->section->container->first_child : ap_conftree;

    requirements(to, first, 0, "requires", where_from(from, here, to->pool));
}

static const char *instance_text(const char *name, const clerk_runtime *runtime, apr_pool_t *pool)
{
    const clerk_instance *instance = runtime->instance;
    const char *type = instance->type == CLERK_INSTANCE_DEVELOPMENT ? "development" : "production";
    const char *host = instance->frontend_host, *keys = "a fixed PEM key";

    if (!runtime->static_keys) {
        keys = apr_pstrcat(pool, "keys from ", clerk_http_url_printable(instance->jwks_url, pool), NULL);
    }
    return apr_psprintf(pool, "%s (%s%s%s), %s, %s a secret key", name, type, host ? ", " : "", host ? host : "", keys,
                        instance->secret_key ? "with" : "without");
}

static void print_instance(const dump *to, const clerk_config_section *here)
{
    source from = find_source(to, here, clerk_config_sections_has_instance);
    const clerk_server_config *conf = clerk_config_server(here->server);

    if (from.section) {
        line(to, "instance", args_of(&from, CLERK_SECTION_INSTANCE), where_from(&from, here, to->pool));
    }
    if (from.applies == CLERK_APPLIES_YES) {
        return;
    }
    if (conf->runtime) {
        line(to, "instance", "default", "");
    } else {
        line(to, "instance", "that of the virtual host that is asked", "");
    }
}

static void print_sources(const dump *to, const clerk_config_section *here)
{
    source from = find_source(to, here, has_token_sources);

    line(to, "accepts",
         apr_pstrcat(to->pool, "session tokens from ",
                     from.section ? args_of(&from, CLERK_SECTION_TOKEN_SOURCES) : "header and cookie", NULL),
         from.section ? where_from(&from, here, to->pool) : "");
}

/* The verdict if AuthType Clerk applies or may apply. */
static const char *verdict_for_clerk(dump *to, const clerk_config_section *here, const source *type,
                                     const source *require)
{
    if (!require->section
        || (require->applies == CLERK_APPLIES_MAYBE
            && !find_source(to, here, clerk_config_sections_has_restriction).section)) {
        to->open_sections++;
        return "OPEN: AuthType Clerk, but no Require restricts anything, so everybody is let in";
    }
    if (require->applies == CLERK_APPLIES_MAYBE || type->applies == CLERK_APPLIES_MAYBE) {
        to->doubtful_sections++;
        return "DEPENDS on what else applies to the file or URL";
    }
    if (require->section->open && require->section->require_clerk) {
        to->optional_sections++;
        return "optional: everybody is let in, and who is signed in is known";
    }
    if (require->section->open) {
        to->open_sections++;
        return "OPEN: Require all granted lets everybody in";
    }
    if (!require->section->restriction) {
        to->closed_sections++;
        return "closed: nobody is let in";
    }
    if (!require->section->always) {
        to->doubtful_sections++;
        return "DEPENDS: every Require stands under a condition, and what does not meet it is open";
    }
    to->protected_sections++;
    return "protected by Clerk";
}

/* The verdict if another AuthType applies, or none. */
static const char *verdict_for_other(dump *to, const source *type, const source *require)
{
    int sure = require->applies == CLERK_APPLIES_YES;

    if (sure && require->section->require_clerk) {
        to->closed_sections++;
        return type->section
                   ? "NOT PROTECTED BY CLERK: Require clerk-... under another AuthType, which nobody can meet"
                   : "NOT PROTECTED BY CLERK: Require clerk-... without AuthType Clerk, which nobody can meet";
    }
    if (sure && require->section->open) {
        return "not by Clerk: open to everybody";
    }
    if (sure && !type->section && require->section->require_user) {
        to->closed_sections++;
        return "NOT PROTECTED: a user is required, but no AuthType says how to sign in; requests fail";
    }
    return sure && !require->section->restriction ? "not by Clerk: closed" : "not by Clerk";
}

/* Print a section, if it has a directive about access. */
static void print_section(dump *to, const clerk_config_section *here)
{
    source type = find_source(to, here, has_auth_type), require = find_source(to, here, has_require);
    source satisfy = find_source(to, here, has_satisfy);
    int clerk = type.section && clerk_config_sections_is_clerk(type.section);

    if (!here->require && !here->set[CLERK_SECTION_AUTH_TYPE] && !here->set[CLERK_SECTION_INSTANCE]
        && !here->set[CLERK_SECTION_TOKEN_SOURCES] && !here->set[CLERK_SECTION_STATUS_PAGE]) {
        return;
    }
    if (!clerk && !require.section) {
        return;
    }
    apr_file_printf(to->out, "\n  %s\n    %s\n", here->kind == 'S' ? "(everywhere)" : title(here, to->pool),
                    clerk ? verdict_for_clerk(to, here, &type, &require) : verdict_for_other(to, &type, &require));
    if (type.section) {
        line(to, "AuthType", args_of(&type, CLERK_SECTION_AUTH_TYPE), where_from(&type, here, to->pool));
    }
    if (clerk) {
        print_instance(to, here);
        print_sources(to, here);
    }
    if (require.section) {
        print_requirements(to, &require, here);
    }
    if (satisfy.applies == CLERK_APPLIES_YES && !strcasecmp(args_of(&satisfy, CLERK_SECTION_SATISFY), "any")) {
        line(to, "but", "Satisfy Any: an allowed address is let in without signing in",
             where_from(&satisfy, here, to->pool));
    }
    if (here->set[CLERK_SECTION_STATUS_PAGE]) {
        line(to, "shows", "the status page", "");
    }
}

static void print_server(dump *to, server_rec *server)
{
    const clerk_server_config *conf = clerk_config_server(server);
    const apr_array_header_t *sections = to->config->sections;

    apr_file_printf(to->out, "\n%s %s", server->is_virtual ? "Virtual host" : "Main server",
                    server->server_hostname ? server->server_hostname : "");
    if (server->port) {
        apr_file_printf(to->out, ":%u", server->port);
    }
    if (server->defn_name && server->is_virtual) {
        apr_file_printf(to->out, " (%s:%u)", server->defn_name, server->defn_line_number);
    }
    if (!server->is_virtual && server->next) {
        apr_file_puts("; its sections hold in every virtual host too, where that says nothing else", to->out);
    }
    apr_file_printf(to->out, "\n  instance: %s\n",
                    conf->runtime ? instance_text("default", conf->runtime, to->pool) : "none");
    for (apr_hash_index_t *at = conf->named_runtimes ? apr_hash_first(to->pool, conf->named_runtimes) : NULL; at;
         at = apr_hash_next(at)) {
        apr_file_printf(to->out, "  instance: %s\n",
                        instance_text(apr_hash_this_key(at), apr_hash_this_val(at), to->pool));
    }
    for (int i = 0; i < sections->nelts; i++) {
        const clerk_config_section *here = APR_ARRAY_IDX(sections, i, const clerk_config_section *);

        if (here->server == server) {
            print_section(to, here);
        }
    }
}

void clerk_dump_configuration(apr_pool_t *pconf, server_rec *main_server)
{
    dump to = {NULL, NULL, NULL, 0, 0, 0, 0, 0};

    if (!ap_exists_config_define("DUMP_CLERK") || apr_pool_create(&to.pool, pconf) != APR_SUCCESS) {
        return;
    }
    if (apr_file_open_stdout(&to.out, to.pool) == APR_SUCCESS) {
        to.config = clerk_config_sections_read(main_server, to.pool);
        apr_file_puts("What the configuration files protect. A .htaccess file may add to it or change it.\n", to.out);
        print_server(&to, main_server);
        /* In the order of the files, which is not the order of httpd's own list at this time. */
        for (int i = 0; i < to.config->sections->nelts; i++) {
            const clerk_config_section *section = APR_ARRAY_IDX(to.config->sections, i, const clerk_config_section *);

            if (section->kind == 'S' && section->server != main_server) {
                print_server(&to, section->server);
            }
        }
        apr_file_printf(to.out,
                        "\nSections: %d protected by Clerk, %d optional, %d OPEN, %d that depend, %d that let "
                        "nobody in\n",
                        to.protected_sections, to.optional_sections, to.open_sections, to.doubtful_sections,
                        to.closed_sections);
    }
    apr_pool_destroy(to.pool);
}
