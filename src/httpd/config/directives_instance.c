/* SPDX-License-Identifier: Apache-2.0 */
/* Directives for instances and keys, allowed in the server configuration, in virtual hosts and in <ClerkInstance>. */
#include "httpd/config/directives.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <openssl/crypto.h>

#include "httpd/config/directive_values.h"
#include "httpd/config/secret_ref.h"
#include "httpd/process/log.h"
#include "net/http.h"
#include "text/secret_text.h"
#include "text/text.h"

/* Shorter keys could be guessed. */
#define SOCACHE_KEY_LEAST 32

clerk_instance_config *clerk_directives_instance_of(cmd_parms *cmd)
{
    clerk_server_config *server = clerk_config_server(cmd->server);
    clerk_instance_config *instance = server->open ? server->open : &server->own;

    if (!instance->where) {
        instance->where = apr_psprintf(cmd->pool, "line %d of %s", cmd->directive->line_num, cmd->directive->filename);
    }
    return instance;
}

const char *clerk_directives_instance_publishable_key(const char **pkey, cmd_parms *cmd, const char *ref)
{
    if (clerk_secret_ref_is(ref)) {
        return clerk_secret_ref_read_public(pkey, cmd, ref);
    }
    if (!strncmp(ref, "sk_", 3)) {
        return "ClerkPublishableKey: this is a secret key; the publishable key begins with pk_. A secret key goes to "
               "ClerkSecretKey, as env:NAME, file:/absolute/path or exec:/absolute/path arg ..., and this one should "
               "be replaced in the Clerk dashboard, because it has been in a configuration file";
    }
    *pkey = ref;
    return NULL;
}

const char *clerk_directives_instance_jwt_key(const char **ppem, cmd_parms *cmd, const char *ref)
{
    const char *error, *why;
    jose_keyset *keys;

    if (!clerk_secret_ref_is(ref)) {
        return "ClerkJWTKey: write where the PEM public key is: env:NAME, file:/absolute/path or "
               "exec:/absolute/path arg ...";
    }
    error = clerk_secret_ref_read_pem(ppem, cmd, ref);
    if (!error && jose_pem_keyset(&keys, *ppem, strlen(*ppem), &why, cmd->temp_pool) != JOSE_OK) {
        return apr_psprintf(cmd->pool,
                            "ClerkJWTKey: %.*s: %s; copy the 'JWKS Public Key' (PEM) from the Clerk "
                            "dashboard, API keys",
                            (int)strcspn(ref, " "), ref, why);
    }
    return error;
}

/* Longer than two signing secrets; what is longer is none. */
#define SECRETS_MAX 4096

/* Where the second of two references begins: after the first, at a word that looks like one. Then the arguments of a
 * program end there. */
static const char *second_reference(const char *refs)
{
    static const char *const forms[] = {"env:", "file:", "exec:"};

    for (const char *space = strpbrk(refs, " \t"); space; space = strpbrk(space + 1, " \t")) {
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
            if (clerk_text_begins_with(space + 1, forms[i])) {
                return space + 1;
            }
        }
    }
    return NULL;
}

const char *clerk_directives_instance_webhook_secret(const char **psecrets, cmd_parms *cmd, const char *refs)
{
    const char *second = second_reference(refs), *first = refs, *newer, *error;

    if (second && second_reference(second)) {
        return "ClerkWebhookSecret: two secrets at most, of which one is being replaced";
    }
    if (second) {
        apr_size_t len = (apr_size_t)(second - refs);

        while (len > 0 && apr_isspace(refs[len - 1])) {
            len--;
        }
        first = apr_pstrmemdup(cmd->temp_pool, refs, len);
    }
    error = clerk_secret_ref_read(psecrets, cmd, first);
    if (!error && second) {
        error = clerk_secret_ref_read(&newer, cmd, second);
        if (!error) {
            char both[SECRETS_MAX];
            int len = apr_snprintf(both, sizeof(both), "%s %s", *psecrets, newer);

            *psecrets = clerk_secret_text_keep(cmd->pool, both, (apr_size_t)len);
            OPENSSL_cleanse(both, sizeof(both));
        }
    }
    return error;
}

const char *clerk_directives_instance_frontend_api(const char **phost, cmd_parms *cmd, const char *host)
{
    const char *url = strstr(host, "://") ? host : apr_pstrcat(cmd->temp_pool, "https://", host, NULL);
    const char *problem = clerk_http_url_problem(url);

    *phost = host;
    return problem ? clerk_directive_values_bad_url(cmd, host, problem) : NULL;
}

const char *clerk_directives_instance_proxy_url(const char **purl, cmd_parms *cmd, const char *url)
{
    int path = *url == '/' && url[1] != '/';
    const char *problem = path ? NULL : clerk_http_url_problem(url);

    *purl = url;
    return problem ? apr_psprintf(cmd->pool, "ClerkProxyURL: '%s': %s; write an https URL, or a path such as /__clerk",
                                  url, problem)
                   : NULL;
}

const char *clerk_directives_instance_issuer(cmd_parms *cmd, void *dummy, const char *issuer)
{
    apr_array_header_t **pissuers = &clerk_directives_instance_of(cmd)->issuers;

    (void)dummy;
    if (strcmp(issuer, "auto") && strcmp(issuer, "any") && !strstr(issuer, "://")) {
        return apr_psprintf(cmd->pool,
                            "ClerkIssuer: '%s' is none of auto, any, or a URL such as "
                            "https://clerk.example.com",
                            issuer);
    }
    if (*pissuers
        && (!strcmp(issuer, "auto") || !strcmp(issuer, "any")
            || !strstr(APR_ARRAY_IDX(*pissuers, 0, const char *), "://"))) {
        return "ClerkIssuer: auto and any stand alone; write one of them, or a list of URLs";
    }
    clerk_directive_values_add(pissuers, cmd, issuer);
    return NULL;
}

const char *clerk_directives_instance_revocation_check(cmd_parms *cmd, void *dummy, const char *text)
{
    const clerk_settings_row *row = &clerk_settings_table[CLERK_SETTINGS_AT_revocation_check];
    apr_interval_time_t *pinterval = &clerk_directives_instance_of(cmd)->revocation_check;
    const char *problem;

    (void)dummy;
    if (!strcasecmp(text, "Off")) {
        *pinterval = 0;
        return NULL;
    }
    problem = clerk_directive_values_duration(pinterval, cmd, text, row->least, row->most);
    return problem ? apr_pstrcat(cmd->pool, problem, ", or Off", NULL) : NULL;
}

const char *clerk_directives_instance_http_proxy(const char **purl, cmd_parms *cmd, const char *url)
{
    const char *problem = clerk_http_url_proxy_problem(url);

    *purl = url;
    if (!problem) {
        return NULL;
    }
    /* Without the URL, which may contain a password. */
    return apr_psprintf(cmd->pool, "ClerkHTTPProxy: this is no URL of a proxy, because %s; write http://host:port",
                        problem);
}

const char *clerk_directives_instance_ca_file(const char **pfile, cmd_parms *cmd, const char *path)
{
    apr_finfo_t info;
    const char *full = ap_server_root_relative(cmd->pool, path);

    if (!full || apr_stat(&info, full, APR_FINFO_TYPE, cmd->temp_pool) != APR_SUCCESS || info.filetype != APR_REG) {
        return apr_psprintf(cmd->pool, "ClerkCAFile: '%s' is not a readable file of PEM certificates", path);
    }
    *pfile = full;
    return NULL;
}

const char *clerk_directives_instance_socache(const char **pspec, cmd_parms *cmd, const char *spec)
{
    *pspec = spec;
    /* Whether there is such a provider is known when all modules are loaded. */
    return *spec && *spec != ':' ? NULL
                                 : apr_psprintf(cmd->pool,
                                                "ClerkSOCache: '%s' names no cache; write for example shmcb, "
                                                "or redis:127.0.0.1:6379",
                                                spec);
}

const char *clerk_directives_instance_socache_key(const char **pkey, cmd_parms *cmd, const char *ref)
{
    const char *error = clerk_secret_ref_read(pkey, cmd, ref);

    if (!error && strlen(*pkey) < SOCACHE_KEY_LEAST) {
        error = apr_psprintf(
            cmd->pool, "ClerkSOCacheKey: this key has less than %d characters; make one with: openssl rand -hex 32",
            SOCACHE_KEY_LEAST);
    }
    return error;
}

const char *clerk_directives_instance_audit_log(const char **ptarget, cmd_parms *cmd, const char *target)
{
    *ptarget = *target == '|' ? target : ap_server_root_relative(cmd->pool, target);
    return *target && *ptarget && strcmp(target, "|")
               ? NULL
               : apr_psprintf(cmd->pool, "ClerkAuditLog: '%s' is neither a file nor | and a program", target);
}

const char *clerk_directives_instance_state_dir(const char **pdir, cmd_parms *cmd, const char *path)
{
    *pdir = strcasecmp(path, "none") ? ap_server_root_relative(cmd->pool, path) : "";
    return *pdir ? NULL : apr_psprintf(cmd->pool, "ClerkStateDir: '%s' is not a path; write a directory or none", path);
}

const char *clerk_directives_instance_pages(const char **pprefix, cmd_parms *cmd, const char *path)
{
    apr_size_t len = strlen(path);

    if (!strcasecmp(path, "none")) {
        *pprefix = "";
        return NULL;
    }
    while (len > 0 && path[len - 1] == '/') {
        len--;
    }
    /* As httpd compares it with the decoded path of a request, and as it stands in links. */
    if (*path != '/' || len < 2
        || strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") != strlen(path)
        || strstr(path, "//") || strstr(path, "/.")) {
        return apr_psprintf(cmd->pool,
                            "ClerkPages: '%s' is not a path of this site; write one that nothing else uses, such as "
                            "/clerk, or none",
                            path);
    }
    *pprefix = apr_pstrmemdup(cmd->pool, path, len);
    return NULL;
}

const char *clerk_directives_instance_section(cmd_parms *cmd, void *dummy, const char *args)
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
        const clerk_settings_row *row = clerk_settings_find(child->directive);

        if (!row || !clerk_settings_is_of_instance(row)) {
            return apr_psprintf(cmd->pool, "%s (line %d of %s) does not belong inside <ClerkInstance>",
                                child->directive, child->line_num, child->filename);
        }
    }
    instance = apr_palloc(cmd->pool, sizeof(*instance));
    clerk_settings_clear_instance(instance, name);
    instance->where = apr_psprintf(cmd->pool, "line %d of %s", cmd->directive->line_num, cmd->directive->filename);
    apr_hash_set(server->named, name, APR_HASH_KEY_STRING, instance);
    server->open = instance;
    error = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    server->open = NULL;
    return error;
}
