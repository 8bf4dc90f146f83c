/* SPDX-License-Identifier: Apache-2.0 */
/* Directives for authentication, allowed everywhere. */
#include "httpd/config/directives.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include "clerk/url/party.h"
#include "httpd/config/directive_values.h"
#include "httpd/config/htaccess.h"
#include "text/cache_control.h"
#include "text/text.h"

const char *clerk_directives_auth_instance(const char **pname, cmd_parms *cmd, const char *name)
{
    const clerk_server_config *server = clerk_config_server(cmd->server);

    /* In .htaccess all instances are known. In the server configuration they may be defined later: see check.c. */
    if (clerk_config_in_htaccess(cmd)
        && (!server->named_runtimes || !apr_hash_get(server->named_runtimes, name, APR_HASH_KEY_STRING))) {
        return apr_psprintf(cmd->pool,
                            "ClerkInstance: this server has no <ClerkInstance %s>; the server's "
                            "administrator defines instances in the server configuration",
                            name);
    }
    *pname = name;
    return NULL;
}

const char *clerk_directives_auth_authorized_party(const char **porigin, cmd_parms *cmd, const char *origin)
{
    const char *problem = NULL, *host = strstr(origin, "://");
    const char *shape = origin;

    *porigin = origin;
    if (!strcmp(origin, CLERK_PARTY_OWN)) {
        return NULL;
    }
    if (clerk_party_is_pattern(origin)) {
        problem = clerk_party_pattern_problem(origin);
        /* With a label in place of the star it must be an origin. */
        shape = host ? apr_pstrcat(cmd->temp_pool, apr_pstrmemdup(cmd->temp_pool, origin, (apr_size_t)(host - origin)),
                                   "://x", strchr(origin, '*') + 1, NULL)
                     : origin;
    }
    if (!problem) {
        problem = clerk_directive_values_origin_problem(shape, cmd->temp_pool);
    }
    return problem ? apr_psprintf(cmd->pool,
                                  "ClerkAuthorizedParties: '%s' %s; write own, or origins as browsers send them, such "
                                  "as https://www.example.com, http://localhost:8080 or https://*.example.com",
                                  origin, problem)
                   : NULL;
}

const char *clerk_directives_auth_audience(const char **paudience, cmd_parms *cmd, const char *audience)
{
    (void)cmd;
    *paudience = audience;
    return *audience ? NULL : "ClerkAudience: an empty audience matches nothing; leave the directive out instead";
}

const char *clerk_directives_auth_keep_forms(cmd_parms *cmd, void *conf, const char *text)
{
    const clerk_settings_row *row = &clerk_settings_table[CLERK_SETTINGS_AT_keep_forms];
    clerk_dir_config *dir = conf;
    apr_int64_t *psize = clerk_config_in_htaccess(cmd) ? clerk_htaccess_member(dir, row, cmd->pool) : &dir->keep_forms;
    const char *problem;

    if (!strcasecmp(text, "Off")) {
        *psize = 0;
        return NULL;
    }
    problem = clerk_directive_values_size(psize, cmd, text, row->least, row->most);
    return problem ? apr_pstrcat(cmd->pool, problem, ", or Off", NULL) : NULL;
}

const char *clerk_directives_auth_organization_sync(cmd_parms *cmd, void *conf, const char *args)
{
    clerk_dir_config *dir = conf;
    const char *word, *problem;
    int personal = 0, patterns = 0;

    while (*args) {
        word = ap_getword_conf(cmd->pool, &args);
        if (!strcasecmp(word, "personal") && !personal) {
            personal = 1;
            continue;
        }
        clerk_directive_values_add(personal ? &dir->personal_patterns : &dir->org_patterns, cmd, word);
        personal = 0;
        patterns++;
    }
    if (!patterns || personal) {
        return "ClerkOrganizationSync: write path patterns such as /orgs/:slug, or personal /me";
    }
    problem = clerk_organization_sync_compile(&dir->organization_sync, dir->org_patterns, dir->personal_patterns,
                                              cmd->pool);
    clerk_settings_set_policy(dir);
    return problem ? apr_pstrcat(cmd->pool, "ClerkOrganizationSync: ", problem, NULL) : NULL;
}

const char *clerk_directives_auth_cache_control(const char **pvalue, cmd_parms *cmd, const char *text)
{
    if (!strcasecmp(text, "Off")) {
        *pvalue = "";
        return NULL;
    }
    if (!clerk_cache_control_is_valid(text)) {
        return apr_psprintf(cmd->pool,
                            "ClerkCacheControl: '%s' is no list of cache directives; write Off, or a value such as "
                            "\"private, no-cache\", in quotation marks",
                            text);
    }
    *pvalue = text;
    return NULL;
}

const char *clerk_directives_auth_user_button(const char **pplace, cmd_parms *cmd, const char *text)
{
    *pplace = strcasecmp(text, "Off") ? text : "";
    return *text && clerk_text_is_clean(text)
               ? NULL
               : apr_psprintf(cmd->pool,
                              "ClerkUserButton: '%s' is no place in a page; write Off, top-left, top-right, "
                              "bottom-left, bottom-right, or a CSS selector such as \"#header .user\"",
                              text);
}

static const char *both_origins = "ClerkPublicOrigin and ClerkTrustForwarded On exclude each other: one says what the "
                                  "site's origin is, the other lets the proxy in front say it";

static const char *proxy_path_of(const clerk_runtime *runtime)
{
    const char *url = runtime ? runtime->instance->proxy_url : NULL;

    return url && *url == '/' ? url : NULL;
}

/*
 * With a ClerkProxyURL that is a path, handshakes with session tokens go to that path of the public origin, so
 * .htaccess must not change the origin. The instance of a directory is not known here: refuse if any instance of the
 * server has such a ClerkProxyURL.
 */
static const char *not_in_htaccess(cmd_parms *cmd)
{
    const clerk_server_config *server = clerk_config_server(cmd->server);
    const char *path = proxy_path_of(server->runtime);

    if (!clerk_config_in_htaccess(cmd)) {
        return NULL;
    }
    for (apr_hash_index_t *at = server->named_runtimes ? apr_hash_first(cmd->pool, server->named_runtimes) : NULL;
         at && !path; at = apr_hash_next(at)) {
        path = proxy_path_of(apr_hash_this_val(at));
    }
    return path ? apr_psprintf(cmd->pool,
                               "%s: not in .htaccess where ClerkProxyURL is a path (%s); the server's "
                               "administrator writes it into the server configuration",
                               cmd->cmd->name, path)
                : NULL;
}

/* Where a setting of the origin goes. */
static void locate_origin(const char ***porigin, int **ptrust, cmd_parms *cmd, clerk_dir_config *dir)
{
    const clerk_settings_row *rows = clerk_settings_table;

    if (clerk_config_in_htaccess(cmd)) {
        *porigin = clerk_htaccess_member(dir, &rows[CLERK_SETTINGS_AT_public_origin], cmd->pool);
        *ptrust = clerk_htaccess_member(dir, &rows[CLERK_SETTINGS_AT_trust_forwarded], cmd->pool);
    } else {
        *porigin = &dir->public_origin;
        *ptrust = &dir->trust_forwarded;
    }
}

const char *clerk_directives_auth_public_origin(cmd_parms *cmd, void *conf, const char *origin)
{
    const char **porigin, *problem = not_in_htaccess(cmd);
    int *ptrust;

    if (problem) {
        return problem;
    }
    locate_origin(&porigin, &ptrust, cmd, conf);
    return *ptrust == 1 ? both_origins : clerk_directive_values_origin(porigin, cmd, origin);
}

const char *clerk_directives_auth_trust_forwarded(cmd_parms *cmd, void *conf, int on)
{
    const char **porigin;
    int *ptrust;

    locate_origin(&porigin, &ptrust, cmd, conf);
    *ptrust = on;
    return on && *porigin ? both_origins : on ? not_in_htaccess(cmd) : NULL;
}
