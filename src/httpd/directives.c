/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/config.h"
#include "httpd/log.h"
#include "httpd/secret_ref.h"
#include "shared/http.h"

/* ------------------------------------------------------------------------------------------------------------------
 * Checking values
 */

static const char *duration(apr_interval_time_t *pvalue, cmd_parms *cmd, const char *text, apr_interval_time_t least,
                            apr_interval_time_t most)
{
    apr_interval_time_t value;
    apr_size_t digits = strspn(text, "0123456789");
    /* httpd knows minutes as "mi" and "min" only. */
    const char *spelled = !strcasecmp(text + digits, "m") ? apr_pstrcat(cmd->temp_pool, text, "in", NULL) : text;

    if (!digits || ap_timeout_parameter_parse(spelled, &value, "s") != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not a duration; write a number with ms, s, m or h, such as 30s",
                            cmd->cmd->name, text);
    }
    if (value < least || value > most) {
        return apr_psprintf(cmd->pool, "%s: '%s' is out of range; allowed are %" APR_TIME_T_FMT " to %" APR_TIME_T_FMT
                            " seconds", cmd->cmd->name, text, apr_time_sec(least), apr_time_sec(most));
    }
    *pvalue = value;
    return NULL;
}

static const char *bad_url(cmd_parms *cmd, const char *text, const char *problem)
{
    return apr_psprintf(cmd->pool, "%s: '%s' %s; write https://host/path, or http:// for a loopback address only",
                        cmd->cmd->name, text, problem);
}

/** An origin as `azp` has it: scheme://host, byte for byte, so what could never match is refused here. */
static const char *origin_problem(const char *text)
{
    const char *host = strstr(text, "://");

    if (!host || host == text || !host[3]) {
        return "is not an origin";
    }
    for (const char *at = text; *at; at++) {
        if (apr_iscntrl(*at) || apr_isspace(*at)) {
            return "has white space or control characters in it";
        }
    }
    if (strpbrk(host + 3, "/?#@")) {
        return "has more than scheme, host and port (a trailing '/' never matches)";
    }
    return NULL;
}

/** An http or https origin, lower case, without the default port: as it stands in front of every URL we build. */
static const char *http_origin(const char **porigin, cmd_parms *cmd, const char *text)
{
    char *origin = apr_pstrdup(cmd->pool, text);
    const char *problem;
    apr_size_t len;

    ap_str_tolower(origin);
    problem = origin_problem(origin);
    if (!problem && strncmp(origin, "https://", 8) && strncmp(origin, "http://", 7)) {
        problem = "is neither http nor https";
    }
    if (problem) {
        return apr_psprintf(cmd->pool, "%s: '%s' %s; write scheme://host or scheme://host:port, such as "
                            "https://www.example.com", cmd->cmd->name, text, problem);
    }
    len = strlen(origin);
    if (!strncmp(origin, "https://", 8) && len > 4 && !strcmp(origin + len - 4, ":443")) {
        origin[len - 4] = '\0';
    }
    else if (!strncmp(origin, "http://", 7) && len > 3 && !strcmp(origin + len - 3, ":80")) {
        origin[len - 3] = '\0';
    }
    *porigin = origin;
    return NULL;
}

static const char *push(apr_array_header_t **plist, cmd_parms *cmd, const char *text)
{
    if (!*plist) {
        *plist = apr_array_make(cmd->pool, 2, sizeof(const char *));
    }
    APR_ARRAY_PUSH(*plist, const char *) = text;
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Instances and keys: server configuration, virtual hosts, and inside <ClerkInstance>
 */

static clerk_instance_config *instance_of(cmd_parms *cmd)
{
    clerk_server_config *server = clerk_config_server(cmd->server);
    clerk_instance_config *instance = server->open ? server->open : &server->own;

    if (!instance->where) {
        instance->where = apr_psprintf(cmd->pool, "line %d of %s", cmd->directive->line_num, cmd->directive->filename);
    }
    return instance;
}

static const char *set_publishable_key(cmd_parms *cmd, void *dummy, const char *ref)
{
    clerk_instance_config *instance = instance_of(cmd);

    (void)dummy;
    if (clerk_is_secret_ref(ref)) {
        return clerk_secret_ref_read(&instance->publishable_key, cmd, ref);
    }
    if (!strncmp(ref, "sk_", 3)) {
        return "ClerkPublishableKey: this is a secret key; the publishable key begins with pk_. A secret key goes to "
               "ClerkSecretKey, as env:NAME, file:/absolute/path or exec:/absolute/path arg ..., and this one should be "
               "replaced in the Clerk dashboard, because it has been in a configuration file";
    }
    instance->publishable_key = ref;
    return NULL;
}

static const char *set_secret_key(cmd_parms *cmd, void *dummy, const char *ref)
{
    (void)dummy;
    return clerk_secret_ref_read(&instance_of(cmd)->secret_key, cmd, ref);
}

static const char *set_jwt_key(cmd_parms *cmd, void *dummy, const char *ref)
{
    const char *error, *why;
    clerk_instance_config *instance = instance_of(cmd);
    jose_keyset *keys;

    (void)dummy;
    if (!clerk_is_secret_ref(ref)) {
        return "ClerkJWTKey: write where the PEM public key is: env:NAME, file:/absolute/path or "
               "exec:/absolute/path arg ...";
    }
    error = clerk_secret_ref_read(&instance->jwt_key, cmd, ref);
    if (!error && jose_keyset_from_pem(&keys, instance->jwt_key, strlen(instance->jwt_key), &why,
                                       cmd->temp_pool) != JOSE_OK) {
        return apr_psprintf(cmd->pool, "ClerkJWTKey: %.*s: %s; copy the 'JWKS Public Key' (PEM) from the Clerk "
                            "dashboard, API keys", (int)strcspn(ref, " "), ref, why);
    }
    return error;
}

static const char *set_jwks_url(cmd_parms *cmd, void *dummy, const char *url)
{
    const char *problem = clerk_http_url_problem(url);

    (void)dummy;
    instance_of(cmd)->jwks_url = url;
    return problem ? bad_url(cmd, url, problem) : NULL;
}

static const char *set_api_url(cmd_parms *cmd, void *dummy, const char *url)
{
    const char *problem = clerk_http_url_problem(url);

    (void)dummy;
    instance_of(cmd)->api_url = url;
    return problem ? bad_url(cmd, url, problem) : NULL;
}

static const char *set_frontend_api(cmd_parms *cmd, void *dummy, const char *host)
{
    const char *url = strstr(host, "://") ? host : apr_pstrcat(cmd->temp_pool, "https://", host, NULL);
    const char *problem = clerk_http_url_problem(url);

    (void)dummy;
    instance_of(cmd)->frontend_api = host;
    return problem ? bad_url(cmd, host, problem) : NULL;
}

static const char *set_proxy_url(cmd_parms *cmd, void *dummy, const char *url)
{
    const char *problem;

    (void)dummy;
    instance_of(cmd)->proxy_url = url;
    if (*url == '/' && url[1] != '/') {
        return NULL;
    }
    problem = clerk_http_url_problem(url);
    return problem ? apr_psprintf(cmd->pool, "ClerkProxyURL: '%s' %s; write an https URL, or a path such as /__clerk",
                                  url, problem) : NULL;
}

static const char *set_domain(cmd_parms *cmd, void *dummy, const char *domain)
{
    (void)dummy;
    instance_of(cmd)->domain = domain;
    return NULL;
}

static const char *set_satellite(cmd_parms *cmd, void *dummy, int on)
{
    (void)dummy;
    instance_of(cmd)->satellite = on;
    return NULL;
}

static const char *set_satellite_auto_sync(cmd_parms *cmd, void *dummy, int on)
{
    (void)dummy;
    instance_of(cmd)->satellite_auto_sync = on;
    return NULL;
}

static const char *add_issuer(cmd_parms *cmd, void *dummy, const char *issuer)
{
    clerk_instance_config *instance = instance_of(cmd);

    (void)dummy;
    if (strcmp(issuer, "auto") && strcmp(issuer, "any") && !strstr(issuer, "://")) {
        return apr_psprintf(cmd->pool, "ClerkIssuer: '%s' is none of auto, any, or a URL such as "
                            "https://clerk.example.com", issuer);
    }
    if (instance->issuers && (!strcmp(issuer, "auto") || !strcmp(issuer, "any")
                              || !strstr(APR_ARRAY_IDX(instance->issuers, 0, const char *), "://"))) {
        return "ClerkIssuer: auto and any stand alone; write one of them, or a list of URLs";
    }
    return push(&instance->issuers, cmd, issuer);
}

static const char *set_http_proxy(cmd_parms *cmd, void *dummy, const char *url)
{
    (void)dummy;
    if (strncmp(url, "http://", 7) && strncmp(url, "https://", 8)) {
        return apr_psprintf(cmd->pool, "ClerkHTTPProxy: '%s' is not a proxy URL; write http://host:port", url);
    }
    instance_of(cmd)->http_proxy = url;
    return NULL;
}

static const char *set_ca_file(cmd_parms *cmd, void *dummy, const char *path)
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

static const char *set_jwks_cache_ttl(cmd_parms *cmd, void *dummy, const char *text)
{
    (void)dummy;
    return duration(&instance_of(cmd)->jwks_cache_ttl, cmd, text, apr_time_from_sec(1), apr_time_from_sec(86400));
}

static const char *set_jwks_max_stale(cmd_parms *cmd, void *dummy, const char *text)
{
    (void)dummy;
    return duration(&instance_of(cmd)->jwks_max_stale, cmd, text, 0, apr_time_from_sec(30 * 86400));
}

static const char *set_http_timeout(cmd_parms *cmd, void *dummy, const char *text)
{
    (void)dummy;
    return duration(&instance_of(cmd)->http_timeout, cmd, text, apr_time_from_msec(100), apr_time_from_sec(60));
}

static const char *open_instance(cmd_parms *cmd, void *dummy, const char *args)
{
    clerk_server_config *server = clerk_config_server(cmd->server);
    const char *end = ap_strrchr_c(args, '>'), *error, *name;
    clerk_instance_config *instance;

    (void)dummy;
    if ((error = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT)) != NULL) {
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
        if (!clerk_is_instance_directive(child->directive)) {
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

static const char *set_shared_memory(cmd_parms *cmd, void *dummy, const char *text)
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
    }
    else if (*unit) {
        size = 0;
    }
    if (size < 65536 || size > APR_INT64_C(64) << 30) {
        return apr_psprintf(cmd->pool, "ClerkSharedMemory: '%s' is not a size from 64K to 64G; write it like 4M", text);
    }
    clerk_config_server(cmd->server)->shared_memory = (apr_size_t)size;
    return NULL;
}

static const char *set_state_dir(cmd_parms *cmd, void *dummy, const char *path)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)dummy;
    if (error) {
        return error;
    }
    clerk_config_server(cmd->server)->state_dir = strcasecmp(path, "none") ? ap_server_root_relative(cmd->pool, path) : "";
    return clerk_config_server(cmd->server)->state_dir
               ? NULL : apr_psprintf(cmd->pool, "ClerkStateDir: '%s' is not a path; write a directory or none", path);
}

/* ------------------------------------------------------------------------------------------------------------------
 * Authentication: everywhere
 */

static const char *set_instance_name(cmd_parms *cmd, void *conf, const char *name)
{
    clerk_dir_config *dir = conf;
    const clerk_server_config *server = clerk_config_server(cmd->server);

    /* In .htaccess the instances are known; in the server configuration they may still come: see check.c. */
    if (cmd->pool == cmd->temp_pool && (!server->named_runtimes
                                        || !apr_hash_get(server->named_runtimes, name, APR_HASH_KEY_STRING))) {
        return apr_psprintf(cmd->pool, "ClerkInstance: this server has no <ClerkInstance %s>; the server's administrator "
                            "defines instances in the server configuration", name);
    }
    dir->instance_name = name;
    return NULL;
}

static const char *add_token_source(cmd_parms *cmd, void *conf, const char *source)
{
    clerk_dir_config *dir = conf;

    if (!strcasecmp(source, "header")) {
        dir->token_sources |= CLERK_SOURCE_HEADER;
    }
    else if (!strcasecmp(source, "cookie")) {
        dir->token_sources |= CLERK_SOURCE_COOKIE;
    }
    else {
        return apr_psprintf(cmd->pool, "ClerkTokenSources: '%s' is none of header, cookie", source);
    }
    clerk_config_set_policy(dir);
    return NULL;
}

static const char *add_authorized_party(cmd_parms *cmd, void *conf, const char *origin)
{
    clerk_dir_config *dir = conf;
    const char *problem = origin_problem(origin);

    if (problem) {
        return apr_psprintf(cmd->pool, "ClerkAuthorizedParties: '%s' %s; write origins as browsers send them, such as "
                            "https://www.example.com or http://localhost:8080", origin, problem);
    }
    push(&dir->authorized_parties, cmd, origin);
    clerk_config_set_policy(dir);
    return NULL;
}

static const char *add_audience(cmd_parms *cmd, void *conf, const char *audience)
{
    clerk_dir_config *dir = conf;

    if (!*audience) {
        return "ClerkAudience: an empty audience matches nothing; leave the directive out instead";
    }
    push(&dir->audience, cmd, audience);
    clerk_config_set_policy(dir);
    return NULL;
}

static const char *set_clock_skew(cmd_parms *cmd, void *conf, const char *text)
{
    clerk_dir_config *dir = conf;
    const char *error = duration(&dir->clock_skew, cmd, text, 0, apr_time_from_sec(300));

    clerk_config_set_policy(dir);
    return error;
}

static const char *set_unauthenticated(cmd_parms *cmd, void *conf, const char *value)
{
    clerk_dir_config *dir = conf;

    if (!strcasecmp(value, "auto")) {
        dir->unauthenticated = CLERK_UNAUTHENTICATED_AUTO;
    }
    else if (!strcasecmp(value, "challenge")) {
        dir->unauthenticated = CLERK_UNAUTHENTICATED_CHALLENGE;
    }
    else if (!strcasecmp(value, "sign-in")) {
        dir->unauthenticated = CLERK_UNAUTHENTICATED_SIGN_IN;
    }
    else {
        return apr_psprintf(cmd->pool, "ClerkUnauthenticated: '%s' is none of auto, challenge, sign-in", value);
    }
    return NULL;
}

/** A page that browsers are sent to: a path here, or an absolute http(s) URL. Never fetched by us. */
static const char *page_url(const char **purl, cmd_parms *cmd, const char *url)
{
    int path = *url == '/' && url[1] != '/' && url[1] != '\\';

    if (!path && strncmp(url, "https://", 8) && strncmp(url, "http://", 7)) {
        return apr_psprintf(cmd->pool, "%s: '%s' is neither a path that begins with one '/' nor an http(s) URL",
                            cmd->cmd->name, url);
    }
    for (const char *at = url; *at; at++) {
        if (apr_iscntrl(*at) || apr_isspace(*at) || *at == '\\') {
            return apr_psprintf(cmd->pool, "%s: '%s' has white space, a backslash or control characters in it",
                                cmd->cmd->name, url);
        }
    }
    *purl = url;
    return NULL;
}

static const char *set_sign_in_url(cmd_parms *cmd, void *conf, const char *url)
{
    clerk_dir_config *dir = conf;
    const char *error = page_url(&dir->sign_in_url, cmd, url);

    clerk_config_set_policy(dir);
    return error;
}

static const char *set_sign_up_url(cmd_parms *cmd, void *conf, const char *url)
{
    clerk_dir_config *dir = conf;
    const char *error = page_url(&dir->sign_up_url, cmd, url);

    clerk_config_set_policy(dir);
    return error;
}

static const char *set_pending_sessions(cmd_parms *cmd, void *conf, const char *value)
{
    clerk_dir_config *dir = conf;

    if (!strcasecmp(value, "signed-out")) {
        dir->pending_sessions = CLERK_PENDING_SIGNED_OUT;
    }
    else if (!strcasecmp(value, "allow")) {
        dir->pending_sessions = CLERK_PENDING_ALLOW;
    }
    else {
        return apr_psprintf(cmd->pool, "ClerkPendingSessions: '%s' is none of signed-out, allow", value);
    }
    clerk_config_set_policy(dir);
    return NULL;
}

static const char *set_organization_sync(cmd_parms *cmd, void *conf, const char *args)
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
        push(personal ? &dir->personal_patterns : &dir->org_patterns, cmd, word);
        personal = 0;
        patterns++;
    }
    if (!patterns || personal) {
        return "ClerkOrganizationSync: write path patterns such as /orgs/:slug, or personal /me";
    }
    problem = clerk_organization_sync_compile(&dir->organization_sync, dir->org_patterns, dir->personal_patterns,
                                              cmd->pool);
    clerk_config_set_policy(dir);
    return problem ? apr_pstrcat(cmd->pool, "ClerkOrganizationSync: ", problem, NULL) : NULL;
}

static const char *both_origins = "ClerkPublicOrigin and ClerkTrustForwarded On exclude each other: one says what the "
                                  "site's origin is, the other lets the proxy in front say it";

static const char *set_public_origin(cmd_parms *cmd, void *conf, const char *origin)
{
    clerk_dir_config *dir = conf;

    return dir->trust_forwarded == 1 ? both_origins : http_origin(&dir->public_origin, cmd, origin);
}

static const char *set_trust_forwarded(cmd_parms *cmd, void *conf, int on)
{
    clerk_dir_config *dir = conf;

    (void)cmd;
    dir->trust_forwarded = on;
    return on && dir->public_origin ? both_origins : NULL;
}

static const char *set_cross_origin_sync(cmd_parms *cmd, void *conf, int on)
{
    clerk_dir_config *dir = conf;

    (void)cmd;
    dir->cross_origin_sync = on;
    clerk_config_set_policy(dir);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------------------
 * The table, in the order of the reference documentation
 */

#define SERVER RSRC_CONF
#define ANYWHERE (RSRC_CONF | OR_AUTHCFG)

const command_rec clerk_commands[] = {
    AP_INIT_RAW_ARGS("<ClerkInstance", open_instance, NULL, SERVER,
                     "a named Clerk instance; ClerkInstance NAME uses it"),
    AP_INIT_TAKE1("ClerkPublishableKey", set_publishable_key, NULL, SERVER,
                  "the publishable key, pk_..., or env:NAME, file:/path, exec:/path"),
    AP_INIT_RAW_ARGS("ClerkSecretKey", set_secret_key, NULL, SERVER,
                     "the secret key, as env:NAME, file:/path or exec:/path arg ..."),
    AP_INIT_RAW_ARGS("ClerkJWTKey", set_jwt_key, NULL, SERVER,
                     "the PEM public key, as env:NAME, file:/path or exec:/path arg ...; no key is ever fetched then"),
    AP_INIT_TAKE1("ClerkJWKSURL", set_jwks_url, NULL, SERVER, "where keys come from, instead of Clerk"),
    AP_INIT_TAKE1("ClerkAPIURL", set_api_url, NULL, SERVER, "the Backend API, default https://api.clerk.com"),
    AP_INIT_TAKE1("ClerkFrontendAPI", set_frontend_api, NULL, SERVER,
                  "the frontend API's host, instead of the one in the publishable key"),
    AP_INIT_TAKE1("ClerkProxyURL", set_proxy_url, NULL, SERVER, "URL or path under which browsers reach the frontend API"),
    AP_INIT_TAKE1("ClerkDomain", set_domain, NULL, SERVER, "the domain of a satellite"),
    AP_INIT_FLAG("ClerkSatellite", set_satellite, NULL, SERVER, "On: this site is a satellite of another domain"),
    AP_INIT_FLAG("ClerkSatelliteAutoSync", set_satellite_auto_sync, NULL, SERVER,
                 "On: a first visit to the satellite asks the primary domain whether the visitor is signed in"),
    AP_INIT_ITERATE("ClerkIssuer", add_issuer, NULL, SERVER, "accepted issuers: auto (default), any, or URLs"),
    AP_INIT_TAKE1("ClerkJWKSCacheTTL", set_jwks_cache_ttl, NULL, SERVER, "how often keys are refreshed, default 5m"),
    AP_INIT_TAKE1("ClerkJWKSMaxStale", set_jwks_max_stale, NULL, SERVER,
                  "how long the last good keys serve while their source is down, default 24h"),
    AP_INIT_TAKE1("ClerkHTTPTimeout", set_http_timeout, NULL, SERVER, "the bound of one outbound call, default 5s"),
    AP_INIT_TAKE1("ClerkHTTPProxy", set_http_proxy, NULL, SERVER, "proxy for outbound calls, http://host:port"),
    AP_INIT_TAKE1("ClerkCAFile", set_ca_file, NULL, SERVER, "trusted certificates (PEM) for outbound calls"),
    AP_INIT_TAKE1("ClerkSharedMemory", set_shared_memory, NULL, SERVER, "size of the shared segment, default as needed"),
    AP_INIT_TAKE1("ClerkStateDir", set_state_dir, NULL, SERVER,
                  "directory where the last good keys survive a restart, or none"),

    AP_INIT_TAKE1("ClerkInstance", set_instance_name, NULL, ANYWHERE, "the <ClerkInstance> that protects this place"),
    AP_INIT_ITERATE("ClerkTokenSources", add_token_source, NULL, ANYWHERE,
                    "where session tokens may come from: header, cookie; default both"),
    AP_INIT_ITERATE("ClerkAuthorizedParties", add_authorized_party, NULL, ANYWHERE,
                    "origins whose tokens are accepted (azp)"),
    AP_INIT_ITERATE("ClerkAudience", add_audience, NULL, ANYWHERE, "accepted audiences (aud)"),
    AP_INIT_TAKE1("ClerkClockSkew", set_clock_skew, NULL, ANYWHERE, "tolerated difference of clocks, default 5s"),
    AP_INIT_TAKE1("ClerkUnauthenticated", set_unauthenticated, NULL, ANYWHERE,
                  "what visitors who are not signed in get: auto (default), challenge, sign-in"),
    AP_INIT_TAKE1("ClerkSignInURL", set_sign_in_url, NULL, ANYWHERE, "the sign-in page, default the Account Portal's"),
    AP_INIT_TAKE1("ClerkSignUpURL", set_sign_up_url, NULL, ANYWHERE, "the sign-up page, default the Account Portal's"),
    AP_INIT_TAKE1("ClerkPendingSessions", set_pending_sessions, NULL, ANYWHERE,
                  "sessions with unfinished tasks: signed-out (default) or allow"),
    AP_INIT_RAW_ARGS("ClerkOrganizationSync", set_organization_sync, NULL, ANYWHERE,
                     "path patterns with :id or :slug that activate the organization in the URL; personal PATTERN"),
    AP_INIT_TAKE1("ClerkPublicOrigin", set_public_origin, NULL, ANYWHERE, "the site's origin as browsers see it"),
    AP_INIT_FLAG("ClerkTrustForwarded", set_trust_forwarded, NULL, ANYWHERE,
                 "On: take the public origin from X-Forwarded-Proto and X-Forwarded-Host"),
    AP_INIT_FLAG("ClerkCrossOriginSync", set_cross_origin_sync, NULL, ANYWHERE,
                 "Off: no extra handshake for signed-in visitors who come from another site"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}
};

/* The directives of the table that say something about an instance, and may stand inside <ClerkInstance>. */
static const char *const instance_directives[] = {
    "ClerkPublishableKey", "ClerkSecretKey", "ClerkJWTKey", "ClerkJWKSURL", "ClerkAPIURL", "ClerkFrontendAPI",
    "ClerkProxyURL", "ClerkDomain", "ClerkSatellite", "ClerkSatelliteAutoSync", "ClerkIssuer", "ClerkJWKSCacheTTL",
    "ClerkJWKSMaxStale", "ClerkHTTPTimeout", "ClerkHTTPProxy", "ClerkCAFile", NULL
};

int clerk_is_instance_directive(const char *name)
{
    for (int i = 0; instance_directives[i]; i++) {
        if (!strcasecmp(instance_directives[i], name)) {
            return 1;
        }
    }
    return 0;
}
