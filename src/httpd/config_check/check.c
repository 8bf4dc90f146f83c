/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/check.h"

#include <http_config.h>

#include "clerk/url/origin.h"
#include "httpd/config/config.h"
#include "httpd/config_check/section_access.h"
#include "httpd/process/log.h"

/* Whether a directive that @a has finds can be in force in @a here. @param inner_too or in a section of a part of it */
static int any_applies(const clerk_config_sections *config, const clerk_config_section *here,
                       int (*has)(const clerk_config_section *), int inner_too)
{
    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *other = APR_ARRAY_IDX(config->sections, i, const clerk_config_section *);

        if (has(other)
            && (clerk_section_reach_applies(config, other, here) != CLERK_APPLIES_NO
                || (inner_too && clerk_section_reach_applies(config, here, other) != CLERK_APPLIES_NO))) {
            return 1;
        }
    }
    return 0;
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

/* The instance of a section; NULL: none, or that of a virtual host. */
static const clerk_runtime *runtime_of(const clerk_config_sections *config, const clerk_config_section *here)
{
    const clerk_server_config *conf = clerk_config_server(here->server);
    clerk_section_sources from = clerk_section_access_sources(config, here, clerk_config_sections_has_instance);
    const clerk_runtime *runtime = conf->runtime;

    if (from.sections->nelts && conf->named_runtimes) {
        const clerk_config_section *section = APR_ARRAY_IDX(from.sections, 0, const clerk_config_section *);
        const char *args = section->set[CLERK_SECTION_INSTANCE]->args;

        runtime = apr_hash_get(conf->named_runtimes, ap_getword_conf(config->pool, &args), APR_HASH_KEY_STRING);
    }
    return runtime;
}

/* Whether the instance of a section is that of a satellite. */
static int is_satellite(const clerk_config_sections *config, const clerk_config_section *here)
{
    const clerk_runtime *runtime = runtime_of(config, here);

    return runtime && runtime->instance->satellite;
}

/* Whether a directive needs users' profiles: ClerkUserProfile On, or user:FIELD in one that takes claims. */
static int needs_profile(const ap_directive_t *directive, apr_pool_t *pool)
{
    const char *args = directive->args;

    if (clerk_config_sections_directive_is(directive, "ClerkUserProfile")) {
        return !strcasecmp(ap_getword_conf(pool, &args), "on");
    }
    /* An expression and its replacement follow. */
    if (clerk_config_sections_directive_is(directive, "ClerkRemoteUser")) {
        return clerk_config_profile_field(ap_getword_conf(pool, &args)) != NULL;
    }
    if (!clerk_config_sections_directive_is(directive, "ClerkExportClaim")) {
        return 0;
    }
    while (*args) {
        if (clerk_config_profile_field(ap_getword_conf(pool, &args))) {
            return 1;
        }
    }
    return 0;
}

/* The first directive of a section that needs users' profiles; NULL: none. @param inside the directives to look at */
static const ap_directive_t *find_profile_directive(const ap_directive_t *inside, apr_pool_t *pool)
{
    for (const ap_directive_t *at = inside; at; at = at->next) {
        const ap_directive_t *found = needs_profile(at, pool) ? at
                                      : at->first_child && !clerk_config_sections_opens(at)
                                          ? find_profile_directive(at->first_child, pool)
                                          : NULL;

        if (found) {
            return found;
        }
    }
    return NULL;
}

/* Whether some section needs users' profiles: for clerk_check_needs_profiles(). */
static int any_needs_profiles;

static int check_profiles(const clerk_config_sections *config, const clerk_config_section *here)
{
    const ap_directive_t *directive = find_profile_directive(clerk_config_sections_content(here), config->pool);
    const clerk_runtime *runtime = directive ? runtime_of(config, here) : NULL;

    any_needs_profiles |= directive != NULL;
    if (runtime && !runtime->instance->secret_key) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, 0, here->server,
            CLERK_LOGNO(3200) "%s %s on line %d of %s: users' profiles come from Clerk's Backend API, which needs "
                              "ClerkSecretKey; or take claims of the session token (ClerkRemoteUser email), which "
                              "need no call",
                        directive->directive, directive->args, directive->line_num, directive->filename);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

int clerk_check_needs_profiles(void)
{
    return any_needs_profiles;
}

static int is_defined_anywhere(server_rec *server, const char *name)
{
    for (; server; server = server->next) {
        const clerk_server_config *conf = clerk_config_server(server);

        if (conf->named_runtimes && apr_hash_get(conf->named_runtimes, name, APR_HASH_KEY_STRING)) {
            return 1;
        }
    }
    return 0;
}

/* A misspelt name would be granted to .htaccess files, and the one that is meant would not. */
static int check_granted_instances(const ap_directive_t *directive, server_rec *main_server, apr_pool_t *scratch)
{
    for (; directive; directive = directive->next) {
        const char *args = directive->args;
        int rc = check_granted_instances(directive->first_child, main_server, scratch);

        if (rc != OK) {
            return rc;
        }
        while (clerk_config_sections_directive_is(directive, "ClerkHtaccessInstances") && *args) {
            const char *name = ap_getword_conf(scratch, &args);

            if (strcmp(name, "any") && !is_defined_anywhere(main_server, name)) {
                ap_log_error(
                    APLOG_MARK, APLOG_ERR, 0, main_server,
                    CLERK_LOGNO(3124) "ClerkHtaccessInstances on line %d of %s: there is no <ClerkInstance %s>",
                                directive->line_num, directive->filename, name);
                return HTTP_INTERNAL_SERVER_ERROR;
            }
        }
    }
    return OK;
}

static int check_instance(const clerk_config_sections *config, const clerk_config_section *here)
{
    const clerk_server_config *conf = clerk_config_server(here->server);
    const ap_directive_t *instance = here->set[CLERK_SECTION_INSTANCE], *auth_type = here->set[CLERK_SECTION_AUTH_TYPE];
    const char *args, *name;

    if (instance) {
        args = instance->args;
        name = ap_getword_conf(config->pool, &args);
        if (!conf->named_runtimes || !apr_hash_get(conf->named_runtimes, name, APR_HASH_KEY_STRING)) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, here->server,
                         CLERK_LOGNO(3020) "ClerkInstance on line %d of %s: there is no <ClerkInstance %s> in this "
                                           "server",
                                     instance->line_num, instance->filename, name);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    if (here->set[CLERK_SECTION_SIGN_IN_URL] && *here->set[CLERK_SECTION_SIGN_IN_URL]->args == '/'
        && is_satellite(config, here)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, here->server,
                     CLERK_LOGNO(3152) "ClerkSignInURL %s on line %d of %s: visitors of a satellite sign in on the "
                                       "primary domain; write the whole URL, such as "
                                       "https://www.example.com/sign-in",
                                 here->set[CLERK_SECTION_SIGN_IN_URL]->args,
                                 here->set[CLERK_SECTION_SIGN_IN_URL]->line_num,
                                 here->set[CLERK_SECTION_SIGN_IN_URL]->filename);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (clerk_config_sections_is_clerk(here) && !conf->runtime
        && !any_applies(config, here, clerk_config_sections_has_instance, 1)
        && (here->server != config->main_server || !any_runtime(config->main_server))) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, 0, here->server,
            CLERK_LOGNO(3021) "AuthType Clerk on line %d of %s: no Clerk instance is configured for this "
                              "server; write ClerkPublishableKey pk_... in it, or set CLERK_PUBLISHABLE_KEY in httpd's "
                              "environment",
                        auth_type->line_num, auth_type->filename);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static void warn_about(const clerk_config_sections *config, const clerk_config_section *here)
{
    const ap_directive_t *auth_type = here->set[CLERK_SECTION_AUTH_TYPE], *page = here->set[CLERK_SECTION_STATUS_PAGE];

    /* A Require in the same section, even `all granted`, is intended; one of an outer section may be the
     * distribution's. */
    if (clerk_config_sections_is_clerk(here) && !here->require
        && !any_applies(config, here, clerk_config_sections_has_restriction, 1)) {
        clerk_httpd_log_warn(
            here->server,
            CLERK_LOGNO(3022) "AuthType Clerk on line %d of %s protects nothing: it has no Require. Everybody has "
                              "access, or, where no outer Require applies either (proxied URLs), httpd answers 500; "
                              "write for example Require valid-user",
                        auth_type->line_num, auth_type->filename);
    }
    if (here->require_clerk && !any_applies(config, here, clerk_config_sections_is_clerk, 0)) {
        clerk_httpd_log_warn(here->server,
                             CLERK_LOGNO(3023) "Require %s on line %d of %s: no AuthType Clerk applies here, "
                                               "so it is never met; add AuthType Clerk",
                                         here->require_clerk->args, here->require_clerk->line_num,
                                         here->require_clerk->filename);
    }
    if (page && clerk_section_access_of(config, here).stranger == CLERK_STRANGER_LET_IN) {
        clerk_httpd_log_warn(
            here->server,
            CLERK_LOGNO(3025) "SetHandler clerk-status on line %d of %s: everybody has access "
                              "to it; add for example Require local, or AuthType Clerk and Require clerk-role admin",
                        page->line_num, page->filename);
    }
}

/* Whether a server has ClerkPages; of the main server, whose sections hold in virtual hosts too, whether any has. */
static int has_pages(const clerk_config_sections *config, const server_rec *server)
{
    const server_rec *end = server == config->main_server ? NULL : server->next;

    for (; server != end; server = server->next) {
        const char *pages = clerk_config_server(server)->pages;

        if (pages && *pages) {
            return 1;
        }
    }
    return 0;
}

/* What works by the module's own pages, where there are none: nothing else says that it does not work. */
static void warn_about_pages(const clerk_config_sections *config, const clerk_config_section *here)
{
    static const clerk_section_directive by_pages[] = {CLERK_SECTION_KEEP_FORMS, CLERK_SECTION_INJECT_SCRIPT};

    for (apr_size_t i = 0; i < sizeof(by_pages) / sizeof(by_pages[0]); i++) {
        const ap_directive_t *directive = here->set[by_pages[i]];
        const char *args = directive ? directive->args : "Off";

        if (directive && strcasecmp(ap_getword_conf(config->pool, &args), "Off") && !has_pages(config, here->server)) {
            clerk_httpd_log_warn(here->server,
                                 CLERK_LOGNO(3301) "%s %s on line %d of %s has no effect without ClerkPages, below "
                                                   "which are the pages and the script that it needs; write for "
                                                   "example ClerkPages /clerk in the server configuration",
                                             directive->directive, directive->args, directive->line_num,
                                             directive->filename);
        }
    }
}

static void warn_about_mapping(const clerk_config_sections *config, const clerk_config_section *mapping)
{
    int decided = 0;
    const clerk_config_section *bypassed = clerk_section_access_bypassed(&decided, config, mapping);

    if (bypassed && !decided) {
        clerk_httpd_log_warn(
            mapping->server,
            CLERK_LOGNO(3150) "%s on line %d of %s sends URLs to another server past %s> on line %d of %s: httpd looks "
                              "at no <Directory>, <Files> or .htaccess for them, so everybody is let in; put AuthType "
                              "Clerk and Require into a <Location> for these URLs, or Require all granted if they are "
                              "meant to be open",
                        mapping->container->directive, mapping->container->line_num, mapping->container->filename,
                        bypassed->container->directive, bypassed->container->line_num, bypassed->container->filename);
    }
}

/* Whether a section of the server, or of the main server for @a inherited, has a directive. */
static int server_has(const clerk_config_sections *config, const server_rec *server, clerk_section_directive directive,
                      int inherited)
{
    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *section = clerk_config_sections_get(config, i);

        if (section->set[directive]
            && (section->server == server || (inherited && section->server == config->main_server))) {
            return 1;
        }
    }
    return 0;
}

/* Whether browsers reach a server by plain http, as far as its configuration shows. */
static int is_plain_http(const clerk_config_sections *config, const server_rec *server)
{
    const char *host = server->server_hostname;
    const clerk_url *origin = host ? clerk_origin_of("http", host, config->pool) : NULL;

    return origin && !clerk_origin_is_loopback(origin) && !(server->server_scheme && *server->server_scheme)
           && !server_has(config, server, CLERK_SECTION_TLS, 1)
           && !server_has(config, server, CLERK_SECTION_PUBLIC_ORIGIN, 1)
           && !server_has(config, server, CLERK_SECTION_TO_HTTPS, 0);
}

static void warn_about_plain_http(const clerk_config_sections *config, const clerk_config_section *here)
{
    const clerk_runtime *runtime = clerk_config_server(here->server)->runtime;

    /* Sections of the main server may be meant for some of the virtual hosts only. */
    if (!runtime || runtime->instance->type != CLERK_INSTANCE_PRODUCTION
        || (here->server == config->main_server && here->server->next) || !is_plain_http(config, here->server)) {
        return;
    }
    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *section = clerk_config_sections_get(config, i);

        if (section->server == here->server && section->clerk) {
            clerk_httpd_log_warn(
                here->server,
                CLERK_LOGNO(3151) "AuthType Clerk on line %d of %s protects %s on plain http, where browsers do not "
                                  "send the cookies of a production instance, so sign-in goes round in circles; if a "
                                  "proxy in front ends TLS, write ClerkPublicOrigin https://%s, otherwise send "
                                  "visitors to https before access control",
                            section->set[CLERK_SECTION_AUTH_TYPE]->line_num,
                            section->set[CLERK_SECTION_AUTH_TYPE]->filename, here->server->server_hostname,
                            here->server->server_hostname);
            return;
        }
    }
}

int clerk_check_configuration(server_rec *main_server, apr_pool_t *scratch)
{
    const clerk_config_sections *config = clerk_config_sections_read(main_server, scratch);
    int rc = check_granted_instances(ap_conftree, main_server, scratch);

    any_needs_profiles = 0;
    if (rc != OK) {
        return rc;
    }
    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *here = APR_ARRAY_IDX(config->sections, i, const clerk_config_section *);

        if (here->kind == CLERK_SECTION_MAPPING) {
            warn_about_mapping(config, here);
            continue;
        }
        if (here->kind == CLERK_SECTION_SERVER) {
            warn_about_plain_http(config, here);
        }
        if ((rc = check_instance(config, here)) != OK || (rc = check_profiles(config, here)) != OK) {
            return rc;
        }
        warn_about(config, here);
        warn_about_pages(config, here);
    }
    if (!config->authorized_parties && any_runtime(main_server)) {
        clerk_httpd_log_warn(
            main_server,
            CLERK_LOGNO(3024) "no ClerkAuthorizedParties: a token that another site of the "
                      "same Clerk instance obtained is accepted here; list the origins of your own pages, such as "
                      "https://www.example.com");
    }
    return OK;
}
