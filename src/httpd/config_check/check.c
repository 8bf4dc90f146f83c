/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/check.h"

#include <http_config.h>

#include "httpd/config/config.h"
#include "httpd/config_check/config_sections.h"
#include "httpd/process/log.h"

static int any_applies(const clerk_config_sections *config, const clerk_config_section *here,
                       int (*has)(const clerk_config_section *), int inner_too)
{
    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *other = APR_ARRAY_IDX(config->sections, i, const clerk_config_section *);

        if (has(other)
            && (clerk_config_sections_apply(config, other, here) != CLERK_APPLIES_NO
                || (inner_too && clerk_config_sections_apply(config, here, other) != CLERK_APPLIES_NO))) {
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
            CLERK_LOGNO(3022) "AuthType Clerk on line %d of %s protects nothing: no Require "
                              "reaches this place, so everybody is let in; write for example Require valid-user",
                        auth_type->line_num, auth_type->filename);
    }
    if (here->require_clerk && !any_applies(config, here, clerk_config_sections_is_clerk, 0)) {
        clerk_httpd_log_warn(here->server,
                             CLERK_LOGNO(3023) "Require %s on line %d of %s: no AuthType Clerk reaches this "
                                               "place, so nobody can meet it; write AuthType Clerk beside it",
                                         here->require_clerk->args, here->require_clerk->line_num,
                                         here->require_clerk->filename);
    }
    if (page
        && (here->open || (!here->require && !any_applies(config, here, clerk_config_sections_has_restriction, 0)))) {
        clerk_httpd_log_warn(
            here->server,
            CLERK_LOGNO(3025) "SetHandler clerk-status on line %d of %s: everybody may look "
                      "at it; write beside it for example Require local, or AuthType Clerk and Require clerk-role "
                      "admin",
                page->line_num, page->filename);
    }
}

int clerk_check_configuration(server_rec *main_server, apr_pool_t *scratch)
{
    const clerk_config_sections *config = clerk_config_sections_read(main_server, scratch);
    int rc;

    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *here = APR_ARRAY_IDX(config->sections, i, const clerk_config_section *);

        if ((rc = check_instance(config, here)) != OK) {
            return rc;
        }
        warn_about(config, here);
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
