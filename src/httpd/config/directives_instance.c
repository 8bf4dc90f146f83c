/* SPDX-License-Identifier: Apache-2.0 */
/* Instances and keys: server configuration, virtual hosts, and inside <ClerkInstance>. */
#include "httpd/config/directives.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/config/config.h"
#include "httpd/config/directive_values.h"
#include "httpd/config/secret_ref.h"
#include "httpd/process/log.h"
#include "net/http.h"

static const char *bad_url(cmd_parms *cmd, const char *text, const char *problem)
{
    return apr_psprintf(cmd->pool, "%s: '%s' %s; write https://host/path, or http:// for a loopback address only",
                        cmd->cmd->name, text, problem);
}

static clerk_instance_config *instance_of(cmd_parms *cmd)
{
    clerk_server_config *server = clerk_config_server(cmd->server);
    clerk_instance_config *instance = server->open ? server->open : &server->own;

    if (!instance->where) {
        instance->where = apr_psprintf(cmd->pool, "line %d of %s", cmd->directive->line_num, cmd->directive->filename);
    }
    return instance;
}

const char *clerk_set_publishable_key(cmd_parms *cmd, void *dummy, const char *ref)
{
    clerk_instance_config *instance = instance_of(cmd);

    (void)dummy;
    if (clerk_secret_ref_is(ref)) {
        return clerk_secret_ref_read(&instance->publishable_key, cmd, ref);
    }
    if (!strncmp(ref, "sk_", 3)) {
        return "ClerkPublishableKey: this is a secret key; the publishable key begins with pk_. A secret key goes to "
               "ClerkSecretKey, as env:NAME, file:/absolute/path or exec:/absolute/path arg ..., and this one should "
               "be replaced in the Clerk dashboard, because it has been in a configuration file";
    }
    instance->publishable_key = ref;
    return NULL;
}

const char *clerk_set_secret_key(cmd_parms *cmd, void *dummy, const char *ref)
{
    (void)dummy;
    return clerk_secret_ref_read(&instance_of(cmd)->secret_key, cmd, ref);
}

const char *clerk_set_jwt_key(cmd_parms *cmd, void *dummy, const char *ref)
{
    const char *error, *why;
    clerk_instance_config *instance = instance_of(cmd);
    jose_keyset *keys;

    (void)dummy;
    if (!clerk_secret_ref_is(ref)) {
        return "ClerkJWTKey: write where the PEM public key is: env:NAME, file:/absolute/path or "
               "exec:/absolute/path arg ...";
    }
    error = clerk_secret_ref_read(&instance->jwt_key, cmd, ref);
    if (!error
        && jose_pem_keyset(&keys, instance->jwt_key, strlen(instance->jwt_key), &why, cmd->temp_pool) != JOSE_OK) {
        return apr_psprintf(cmd->pool,
                            "ClerkJWTKey: %.*s: %s; copy the 'JWKS Public Key' (PEM) from the Clerk "
                            "dashboard, API keys",
                            (int)strcspn(ref, " "), ref, why);
    }
    return error;
}

const char *clerk_set_jwks_url(cmd_parms *cmd, void *dummy, const char *url)
{
    const char *problem = clerk_http_url_problem(url);

    (void)dummy;
    instance_of(cmd)->jwks_url = url;
    return problem ? bad_url(cmd, url, problem) : NULL;
}

const char *clerk_set_api_url(cmd_parms *cmd, void *dummy, const char *url)
{
    const char *problem = clerk_http_url_problem(url);

    (void)dummy;
    instance_of(cmd)->api_url = url;
    return problem ? bad_url(cmd, url, problem) : NULL;
}

const char *clerk_set_frontend_api(cmd_parms *cmd, void *dummy, const char *host)
{
    const char *url = strstr(host, "://") ? host : apr_pstrcat(cmd->temp_pool, "https://", host, NULL);
    const char *problem = clerk_http_url_problem(url);

    (void)dummy;
    instance_of(cmd)->frontend_api = host;
    return problem ? bad_url(cmd, host, problem) : NULL;
}

const char *clerk_set_proxy_url(cmd_parms *cmd, void *dummy, const char *url)
{
    const char *problem;

    (void)dummy;
    instance_of(cmd)->proxy_url = url;
    if (*url == '/' && url[1] != '/') {
        return NULL;
    }
    problem = clerk_http_url_problem(url);
    return problem ? apr_psprintf(cmd->pool, "ClerkProxyURL: '%s' %s; write an https URL, or a path such as /__clerk",
                                  url, problem)
                   : NULL;
}

const char *clerk_set_domain(cmd_parms *cmd, void *dummy, const char *domain)
{
    (void)dummy;
    instance_of(cmd)->domain = domain;
    return NULL;
}

const char *clerk_set_satellite(cmd_parms *cmd, void *dummy, int on)
{
    (void)dummy;
    instance_of(cmd)->satellite = on;
    return NULL;
}

const char *clerk_set_satellite_auto_sync(cmd_parms *cmd, void *dummy, int on)
{
    (void)dummy;
    instance_of(cmd)->satellite_auto_sync = on;
    return NULL;
}

const char *clerk_add_issuer(cmd_parms *cmd, void *dummy, const char *issuer)
{
    clerk_instance_config *instance = instance_of(cmd);

    (void)dummy;
    if (strcmp(issuer, "auto") && strcmp(issuer, "any") && !strstr(issuer, "://")) {
        return apr_psprintf(cmd->pool,
                            "ClerkIssuer: '%s' is none of auto, any, or a URL such as "
                            "https://clerk.example.com",
                            issuer);
    }
    if (instance->issuers
        && (!strcmp(issuer, "auto") || !strcmp(issuer, "any")
            || !strstr(APR_ARRAY_IDX(instance->issuers, 0, const char *), "://"))) {
        return "ClerkIssuer: auto and any stand alone; write one of them, or a list of URLs";
    }
    return clerk_directive_values_add(&instance->issuers, cmd, issuer);
}

const char *clerk_set_http_proxy(cmd_parms *cmd, void *dummy, const char *url)
{
    const char *problem = clerk_http_url_proxy_problem(url);

    (void)dummy;
    instance_of(cmd)->http_proxy = url;
    if (!problem) {
        return NULL;
    }
    /* Without the URL, which may hold a password. */
    return apr_psprintf(cmd->pool, "ClerkHTTPProxy: this is no URL of a proxy, because %s; write http://host:port",
                        problem);
}

const char *clerk_set_ca_file(cmd_parms *cmd, void *dummy, const char *path)
{
    apr_finfo_t info;
    const char *full = ap_server_root_relative(cmd->pool, path);

    (void)dummy;
    if (!full || apr_stat(&info, full, APR_FINFO_TYPE, cmd->temp_pool) != APR_SUCCESS || info.filetype != APR_REG) {
        return apr_psprintf(cmd->pool, "ClerkCAFile: '%s' is not a readable file of PEM certificates", path);
    }
    instance_of(cmd)->ca_file = full;
    return NULL;
}

const char *clerk_set_jwks_cache_ttl(cmd_parms *cmd, void *dummy, const char *text)
{
    (void)dummy;
    return clerk_directive_values_duration(&instance_of(cmd)->jwks_cache_ttl, cmd, text, apr_time_from_sec(1),
                                           apr_time_from_sec(86400));
}

const char *clerk_set_jwks_max_stale(cmd_parms *cmd, void *dummy, const char *text)
{
    (void)dummy;
    return clerk_directive_values_duration(&instance_of(cmd)->jwks_max_stale, cmd, text, 0,
                                           apr_time_from_sec(30 * 86400));
}

const char *clerk_set_http_timeout(cmd_parms *cmd, void *dummy, const char *text)
{
    (void)dummy;
    return clerk_directive_values_duration(&instance_of(cmd)->http_timeout, cmd, text, apr_time_from_msec(100),
                                           apr_time_from_sec(60));
}

const char *clerk_open_instance(cmd_parms *cmd, void *dummy, const char *args)
{
    clerk_server_config *server = clerk_config_server(cmd->server);
    const char *end = ap_strrchr_c(args, '>'), *error, *name;
    clerk_instance_config *instance;

    (void)dummy;
    if ((error = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT))) {
        return error;
    }
    if (!end) {
        return "<ClerkInstance: the closing '>' is missing";
    }
    args = apr_pstrmemdup(cmd->pool, args, (apr_size_t)(end - args));
    name = ap_getword_conf(cmd->pool, &args);
    if (!*name || *args) {
        return "<ClerkInstance NAME>: exactly one name is needed";
    }
    if (server->open) {
        return "<ClerkInstance> inside <ClerkInstance>";
    }
    if (!server->named) {
        server->named = apr_hash_make(cmd->pool);
    }
    if (apr_hash_get(server->named, name, APR_HASH_KEY_STRING)) {
        return apr_psprintf(cmd->pool, "<ClerkInstance %s> stands here a second time", name);
    }
    for (const ap_directive_t *child = cmd->directive->first_child; child; child = child->next) {
        if (!clerk_directives_is_instance(child->directive)) {
            return apr_psprintf(cmd->pool, "%s (line %d of %s) does not belong inside <ClerkInstance>",
                                child->directive, child->line_num, child->filename);
        }
    }
    instance = apr_palloc(cmd->pool, sizeof(*instance));
    clerk_config_clear_instance(instance, name);
    instance->where = apr_psprintf(cmd->pool, "line %d of %s", cmd->directive->line_num, cmd->directive->filename);
    apr_hash_set(server->named, name, APR_HASH_KEY_STRING, instance);
    server->open = instance;
    error = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    server->open = NULL;
    return error;
}

const char *clerk_set_shared_memory(cmd_parms *cmd, void *dummy, const char *text)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    char *unit;
    apr_int64_t size = apr_strtoi64(text, &unit, 10);

    (void)dummy;
    if (error) {
        return error;
    }
    if (!strcasecmp(unit, "k") || !strcasecmp(unit, "m") || !strcasecmp(unit, "g")) {
        size <<= apr_tolower(*unit) == 'k' ? 10 : apr_tolower(*unit) == 'm' ? 20 : 30;
    } else if (*unit) {
        size = 0;
    }
    if (size < 65536 || size > APR_INT64_C(64) << 30 || size != (apr_int64_t)(apr_size_t)size) {
        return apr_psprintf(cmd->pool, "ClerkSharedMemory: '%s' is not a size from 64K to 64G; write it like 4M", text);
    }
    clerk_config_server(cmd->server)->shared_memory = (apr_size_t)size;
    return NULL;
}

const char *clerk_set_state_dir(cmd_parms *cmd, void *dummy, const char *path)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    const char *dir = strcasecmp(path, "none") ? ap_server_root_relative(cmd->pool, path) : "";

    (void)dummy;
    if (error) {
        return error;
    }
    clerk_config_server(cmd->server)->state_dir = dir;
    return dir ? NULL : apr_psprintf(cmd->pool, "ClerkStateDir: '%s' is not a path; write a directory or none", path);
}
