/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/check.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>

#include "httpd/config.h"
#include "httpd/log.h"

/** A section of the configuration, or a server's top level, with what stands in it (nested <If>, <Limit>, <RequireAny>... included). */
typedef struct place {
    const ap_directive_t *section;       /**< NULL: the main server's top level */
    server_rec *server;
    char kind;                           /**< 'S' server, 'D' directory, 'L' location, 'F' files */
    const char *path;                    /**< NULL: everywhere, or a pattern */
    const ap_directive_t *auth_type;     /**< AuthType Clerk */
    const ap_directive_t *other_auth_type;
    const ap_directive_t *require;       /**< a Require that restricts anything */
    const ap_directive_t *require_clerk; /**< a Require clerk-* */
    const ap_directive_t *instance;      /**< ClerkInstance */
} place;

typedef struct survey {
    apr_array_header_t *places;          /**< of place * */
    server_rec *main_server;
    int authorized_parties;
    apr_pool_t *pool;
} survey;

static int is_name(const ap_directive_t *directive, const char *name)
{
    return !strcasecmp(directive->directive, name);
}

static const char *section_path(const ap_directive_t *section, apr_pool_t *pool)
{
    const char *args = section->args, *path;
    apr_size_t len;

    path = ap_getword_conf(pool, &args);
    if (!strcmp(path, "~") || strpbrk(path, "*?[")) {
        return NULL;
    }
    len = strlen(path);
    while (len && (path[len - 1] == '>' || path[len - 1] == '/')) {
        len--;
    }
    return apr_pstrmemdup(pool, path, len);
}

/** 'D', 'L', 'F' or 'S' where the container makes a place of its own, 0 where its content belongs to the one around it. */
static char section_kind(const ap_directive_t *directive)
{
    if (!strncasecmp(directive->directive, "<Directory", 10)) {
        return 'D';
    }
    if (!strncasecmp(directive->directive, "<Location", 9) || !strncasecmp(directive->directive, "<Proxy", 6)) {
        return 'L';
    }
    if (!strncasecmp(directive->directive, "<Files", 6)) {
        return 'F';
    }
    return is_name(directive, "<VirtualHost") ? 'S' : 0;
}

static server_rec *server_of(const ap_directive_t *vhost, server_rec *main_server)
{
    for (server_rec *server = main_server->next; server; server = server->next) {
        if (server->defn_line_number == (unsigned)vhost->line_num && server->defn_name
            && !strcmp(server->defn_name, vhost->filename)) {
            return server;
        }
    }
    return main_server;
}

static place *add_place(survey *all, const ap_directive_t *section, char kind, const place *around)
{
    place *here = apr_pcalloc(all->pool, sizeof(*here));
    int pattern = section && (strcasestr(section->directive, "match") != NULL);

    here->section = section;
    here->kind = kind;
    here->server = kind == 'S' && section ? server_of(section, all->main_server)
                                          : around ? around->server : all->main_server;
    if (kind == 'F' && around) {
        here->kind = around->kind;
        here->path = around->path;
    }
    else if (section && kind != 'S' && !pattern) {
        here->path = section_path(section, all->pool);
    }
    APR_ARRAY_PUSH(all->places, place *) = here;
    return here;
}

static void note_directive(survey *all, place *here, const ap_directive_t *directive)
{
    const char *args = directive->args, *word;

    if (is_name(directive, "AuthType")) {
        word = ap_getword_conf(all->pool, &args);
        if (!strcasecmp(word, "Clerk")) {
            here->auth_type = directive;
        }
        else {
            here->other_auth_type = directive;
        }
    }
    else if (is_name(directive, "Require")) {
        word = ap_getword_conf(all->pool, &args);
        if (!strcasecmp(word, "not")) {
            word = ap_getword_conf(all->pool, &args);
        }
        if (strcasecmp(word, "all")) {
            here->require = directive;
        }
        if (!strncasecmp(word, "clerk-", 6) && strcasecmp(word, "clerk-webhook")) {
            here->require_clerk = directive;
        }
    }
    else if (is_name(directive, "ClerkInstance")) {
        here->instance = directive;
    }
    else if (is_name(directive, "ClerkAuthorizedParties")) {
        all->authorized_parties = 1;
    }
}

static void walk(survey *all, place *here, const ap_directive_t *directive)
{
    for (; directive; directive = directive->next) {
        if (*directive->directive != '<') {
            note_directive(all, here, directive);
        }
        else if (!is_name(directive, "<ClerkInstance")) {
            char kind = section_kind(directive);

            walk(all, kind ? add_place(all, directive, kind, here) : here, directive->first_child);
        }
    }
}

/** Whether a setting at @a outer applies, or may apply, at @a inner. In doubt (patterns, directories against URLs): yes. */
static int reaches(const place *outer, const place *inner, const server_rec *main_server)
{
    apr_size_t len;

    if (outer->server != inner->server && outer->server != main_server && inner->server != main_server) {
        return 0;
    }
    if (outer->kind == 'S' || !outer->path || !inner->path || outer->kind != inner->kind) {
        return outer->kind == 'S' || inner->kind != 'S';
    }
    len = strlen(outer->path);
    return !strncmp(outer->path, inner->path, len) && (!inner->path[len] || inner->path[len] == '/');
}

static int any_reaches(const survey *all, const place *here, int (*has)(const place *), int inner_too)
{
    for (int i = 0; i < all->places->nelts; i++) {
        const place *other = APR_ARRAY_IDX(all->places, i, const place *);

        if (has(other) && (reaches(other, here, all->main_server)
                           || (inner_too && reaches(here, other, all->main_server)))) {
            return 1;
        }
    }
    return 0;
}

static int has_auth_type(const place *here)
{
    return here->auth_type != NULL;
}

static int has_require(const place *here)
{
    return here->require != NULL;
}

static int has_instance(const place *here)
{
    return here->instance != NULL;
}

static int any_runtime(server_rec *server)
{
    for (; server; server = server->next) {
        const clerk_server_config *conf = clerk_config_server(server);

        if (conf->runtime || (conf->named_runtimes && apr_hash_count(conf->named_runtimes))) {
            return 1;
        }
    }
    return 0;
}

static int check_instance(const survey *all, const place *here)
{
    const clerk_server_config *conf = clerk_config_server(here->server);
    const char *args, *name;

    if (here->instance) {
        args = here->instance->args;
        name = ap_getword_conf(all->pool, &args);
        if (!conf->named_runtimes || !apr_hash_get(conf->named_runtimes, name, APR_HASH_KEY_STRING)) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, here->server,
                         CLERK_LOGNO(3020) "ClerkInstance on line %d of %s: there is no <ClerkInstance %s> in this server",
                         here->instance->line_num, here->instance->filename, name);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    if (here->auth_type && !conf->runtime && !any_reaches(all, here, has_instance, 1)
        && (here->server != all->main_server || !any_runtime(all->main_server))) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, here->server,
                     CLERK_LOGNO(3021) "AuthType Clerk on line %d of %s: no Clerk instance is configured for this server; "
                     "write ClerkPublishableKey pk_... in it, or set CLERK_PUBLISHABLE_KEY in httpd's environment",
                     here->auth_type->line_num, here->auth_type->filename);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static void warn_about(const survey *all, const place *here)
{
    if (here->auth_type && !any_reaches(all, here, has_require, 1)) {
        clerk_httpd_warn(here->server, CLERK_LOGNO(3022) "AuthType Clerk on line %d of %s protects nothing: no Require reaches this place, so "
                     "everybody is let in; write for example Require valid-user",
                     here->auth_type->line_num, here->auth_type->filename);
    }
    if (here->require_clerk && !any_reaches(all, here, has_auth_type, 0)) {
        clerk_httpd_warn(here->server, CLERK_LOGNO(3023) "Require %s on line %d of %s: no AuthType Clerk reaches this place, so nobody can "
                     "meet it; write AuthType Clerk beside it", here->require_clerk->args, here->require_clerk->line_num,
                     here->require_clerk->filename);
    }
}

int clerk_check_configuration(server_rec *main_server, apr_pool_t *scratch)
{
    survey all = {apr_array_make(scratch, 16, sizeof(place *)), main_server, 0, scratch};
    int rc;

    walk(&all, add_place(&all, NULL, 'S', NULL), ap_conftree);
    for (int i = 0; i < all.places->nelts; i++) {
        const place *here = APR_ARRAY_IDX(all.places, i, const place *);

        if ((rc = check_instance(&all, here)) != OK) {
            return rc;
        }
        warn_about(&all, here);
    }
    if (!all.authorized_parties && any_runtime(main_server)) {
        clerk_httpd_warn(main_server, CLERK_LOGNO(3024) "no ClerkAuthorizedParties: a token that another site of the same Clerk instance "
                     "obtained is accepted here; list the origins of your own pages, such as https://www.example.com");
    }
    return OK;
}
