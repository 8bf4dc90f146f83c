/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/instance/instance.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/instance/publishable_key.h"
#include "clerk/url/origin.h"
#include "clerk/url/url.h"
#include "net/http.h"
#include "text/secret_text.h"
#include "text/text.h"

#define DEFAULT_API_URL "https://api.clerk.com"

/* A value without the white space around it; NULL if it is empty. @param plen its length: it does not end with NUL */
static const char *trim(apr_size_t *plen, const char *text)
{
    const char *white = " \t\r\n\f\v";
    apr_size_t len;

    if (!text) {
        return NULL;
    }
    text += strspn(text, white);
    len = strlen(text);
    while (len > 0 && strchr(white, text[len - 1])) {
        len--;
    }
    *plen = len;
    return len > 0 ? text : NULL;
}

static const char *trimmed(const char *text, apr_pool_t *pool)
{
    apr_size_t len;

    text = trim(&len, text);
    return text ? apr_pstrmemdup(pool, text, len) : NULL;
}

static const char *trimmed_secret(const char *text, apr_pool_t *pool)
{
    apr_size_t len;

    text = trim(&len, text);
    return text ? clerk_secret_text_keep(pool, text, len) : NULL;
}

static const char *without_trailing_slashes(const char *text, apr_pool_t *pool)
{
    apr_size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '/') {
        len--;
    }
    return apr_pstrmemdup(pool, text, len);
}

static void warn(clerk_instance *instance, const char *text, apr_pool_t *pool)
{
    instance->warning = !instance->warning ? text : apr_pstrcat(pool, instance->warning, "; ", text, NULL);
}

/* Parse a URL. @param pproblem what is wrong with it; NULL if it is good */
static const clerk_url *read_url(const char **pproblem, const char *text, const char *directive, apr_pool_t *pool)
{
    const char *problem = clerk_http_url_problem(text);
    const clerk_url *url = !problem && clerk_text_is_graphic(text) ? clerk_url_parse(text, pool) : NULL;

    *pproblem = NULL;
    if (!url) {
        *pproblem = apr_psprintf(pool, "%s: %s", directive,
                                 problem ? problem : "not a URL such as https://clerk.example.com");
    }
    return url;
}

static const char *set_keys(clerk_instance *instance, const clerk_instance_options *options, apr_pool_t *pool)
{
    instance->publishable_key = trimmed(options->publishable_key, pool);
    instance->secret_key = trimmed_secret(options->secret_key, pool);
    if (instance->publishable_key) {
        const char *problem
            = clerk_publishable_key_parse(&instance->type, &instance->frontend_host, instance->publishable_key, pool);

        if (problem) {
            return apr_psprintf(pool, "ClerkPublishableKey: %s", problem);
        }
        clerk_publishable_key_suffix(instance->cookie_suffix, instance->publishable_key);
        instance->account_portal = clerk_publishable_key_account_portal(instance->frontend_host, pool);
    }
    if (instance->secret_key) {
        int live = clerk_text_begins_with(instance->secret_key, "sk_live_")
                   || clerk_text_begins_with(instance->secret_key, "live_");
        int test = clerk_text_begins_with(instance->secret_key, "sk_test_")
                   || clerk_text_begins_with(instance->secret_key, "test_");

        if (!clerk_text_is_graphic(instance->secret_key)) {
            return "ClerkSecretKey: it has spaces or control characters in it; the file or variable that it comes "
                   "from must hold the key alone";
        }
        if (instance->publishable_key && (instance->type == CLERK_INSTANCE_PRODUCTION ? test : live)) {
            return "ClerkPublishableKey and ClerkSecretKey are of different instances: one is a live key, the other a "
                   "test key; take both from the same instance in the Clerk dashboard";
        }
        if (clerk_text_begins_with(instance->secret_key, "pk_")) {
            return "ClerkSecretKey: this is a publishable key; the secret key begins with sk_";
        }
        if (!live && !test) {
            return strpbrk(instance->secret_key, "=\"'")
                       ? "ClerkSecretKey: the file or variable that it comes from must hold the key alone, sk_live_... "
                         "or sk_test_..., without a name before it and without quotes"
                       : "ClerkSecretKey: this is no secret key; it begins with sk_live_ or sk_test_";
        }
    }
    return NULL;
}

/* The secret key of a machine, in Clerk's dashboard below "Machines". */
static const char *set_machine_key(clerk_instance *instance, const clerk_instance_options *options, apr_pool_t *pool)
{
    const char *key = instance->machine_secret_key = trimmed_secret(options->machine_secret_key, pool);

    if (key && (!clerk_text_is_graphic(key) || !clerk_text_begins_with(key, "ak_"))) {
        return "ClerkMachineSecretKey: this is no machine's secret key; it begins with ak_, and the file or variable "
               "that it comes from must hold it alone";
    }
    return NULL;
}

/* Apply ClerkFrontendAPI: host[:port], or a URL, whose path is ignored. */
static const char *override_frontend(clerk_instance *instance, const char *frontend_api, apr_pool_t *pool)
{
    const char *host;

    if (strstr(frontend_api, "://")) {
        const char *problem;
        const clerk_url *url = read_url(&problem, frontend_api, "ClerkFrontendAPI", pool);

        if (!url) {
            return problem;
        }
        instance->frontend_url = url->origin;
        host = url->authority;
    } else if (clerk_origin_authority_is_plain(frontend_api, pool)) {
        instance->frontend_url = apr_pstrcat(pool, "https://", frontend_api, NULL);
        host = frontend_api;
    } else {
        return "ClerkFrontendAPI: write a host name such as clerk.example.com, or a URL";
    }
    if (instance->frontend_host) {
        instance->overridden_host = instance->frontend_host;
    }
    instance->frontend_host = host;
    return NULL;
}

static const char *set_proxy(clerk_instance *instance, const char *proxy_url, apr_pool_t *pool)
{
    const char *problem;
    const clerk_url *url;

    if (proxy_url[0] == '/') {
        instance->proxy_url = without_trailing_slashes(proxy_url, pool);
        if (proxy_url[1] == '/' || instance->proxy_url[0] == '\0' || !clerk_text_is_graphic(proxy_url)
            || strpbrk(proxy_url, "?#\\")) {
            return "ClerkProxyURL: write a URL or a path such as /__clerk";
        }
        return NULL;
    }
    url = read_url(&problem, proxy_url, "ClerkProxyURL", pool);
    if (!url) {
        return problem;
    }
    if (url->query) {
        return "ClerkProxyURL: it must not have a query";
    }
    instance->proxy_url = without_trailing_slashes(apr_pstrcat(pool, url->origin, url->path, NULL), pool);
    return NULL;
}

/* Derive the frontend API (protocol.md 1.2) and the URL to reach it. */
static const char *set_frontend(clerk_instance *instance, const clerk_instance_options *options, apr_pool_t *pool)
{
    const char *frontend_api = trimmed(options->frontend_api, pool);
    const char *proxy_url = trimmed(options->proxy_url, pool);
    const char *problem = NULL;

    instance->domain = trimmed(options->domain, pool);
    instance->satellite = options->satellite;
    instance->satellite_auto_sync = options->satellite_auto_sync;
    if (instance->domain && !clerk_origin_authority_is_plain(instance->domain, pool)) {
        return "ClerkDomain: write a plain host name such as example.com, with a port if it has one";
    }
    if (proxy_url) {
        problem = set_proxy(instance, proxy_url, pool);
    }
    if (!problem && frontend_api) {
        problem = override_frontend(instance, frontend_api, pool);
    } else if (instance->frontend_host) {
        if (instance->type == CLERK_INSTANCE_PRODUCTION && instance->satellite && instance->domain) {
            instance->frontend_host = apr_pstrcat(pool, "clerk.", instance->domain, NULL);
        }
        instance->frontend_url = apr_pstrcat(pool, "https://", instance->frontend_host, NULL);
    }
    if (problem) {
        return problem;
    }
    if (instance->satellite && !instance->domain && !instance->proxy_url) {
        return "ClerkSatellite On: a satellite needs ClerkDomain (its own domain) or ClerkProxyURL";
    }
    if (!instance->satellite && instance->domain) {
        warn(instance, "ClerkDomain has no effect without ClerkSatellite On", pool);
    }
    return NULL;
}

static const char *set_backend(clerk_instance *instance, const clerk_instance_options *options, apr_pool_t *pool)
{
    const char *api_url = trimmed(options->api_url, pool);
    const char *jwks_url = trimmed(options->jwks_url, pool);
    const char *problem;
    const clerk_url *url;

    url = read_url(&problem, api_url ? api_url : DEFAULT_API_URL, "ClerkAPIURL", pool);
    if (!url) {
        return problem;
    }
    if (url->query) {
        return "ClerkAPIURL: it must not have a query";
    }
    instance->api_url = without_trailing_slashes(apr_pstrcat(pool, url->origin, url->path, NULL), pool);
    if (jwks_url) {
        (void)read_url(&problem, jwks_url, "ClerkJWKSURL", pool);
        instance->jwks_url = jwks_url;
    } else if (instance->secret_key) {
        instance->jwks_url = apr_pstrcat(pool, instance->api_url, "/v1/jwks", NULL);
        instance->jwks_needs_secret = 1;
    } else if (instance->frontend_url) {
        instance->jwks_url = apr_pstrcat(pool, instance->frontend_url, "/.well-known/jwks.json", NULL);
    }
    return problem;
}

static void add_issuer(apr_array_header_t *issuers, const char *issuer)
{
    for (int i = 0; i < issuers->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(issuers, i, const char *), issuer)) {
            return;
        }
    }
    APR_ARRAY_PUSH(issuers, const char *) = issuer;
}

static apr_array_header_t *derived_issuers(const clerk_instance *instance, const char *key_host, apr_pool_t *pool)
{
    apr_array_header_t *issuers = apr_array_make(pool, 5, sizeof(const char *));

    add_issuer(issuers, apr_pstrcat(pool, "https://", instance->frontend_host, NULL));
    add_issuer(issuers, instance->frontend_url);
    if (key_host) {
        add_issuer(issuers, apr_pstrcat(pool, "https://", key_host, NULL));
    }
    if (instance->proxy_url && instance->proxy_url[0] != '/') {
        add_issuer(issuers, instance->proxy_url);
        add_issuer(issuers, apr_pstrcat(pool, instance->proxy_url, "/", NULL));
    }
    if (instance->satellite && instance->domain) {
        add_issuer(issuers, apr_pstrcat(pool, "https://clerk.", instance->domain, NULL));
    }
    return issuers;
}

static const char *set_issuers(clerk_instance *instance, const clerk_instance_options *options, const char *key_host,
                               apr_pool_t *pool)
{
    const apr_array_header_t *given = options->issuers;
    apr_array_header_t *issuers;

    if (!given || given->nelts == 0 || (given->nelts == 1 && !strcmp(APR_ARRAY_IDX(given, 0, const char *), "auto"))) {
        if (instance->frontend_host) {
            instance->issuers = derived_issuers(instance, key_host, pool);
        } else {
            warn(instance, "the issuer of tokens is not checked: set ClerkPublishableKey or ClerkIssuer", pool);
        }
        return NULL;
    }
    if (given->nelts == 1 && !strcmp(APR_ARRAY_IDX(given, 0, const char *), "any")) {
        warn(instance, "ClerkIssuer any: the issuer of tokens is not checked", pool);
        return NULL;
    }
    issuers = apr_array_make(pool, given->nelts, sizeof(const char *));
    for (int i = 0; i < given->nelts; i++) {
        const char *issuer = APR_ARRAY_IDX(given, i, const char *);

        if (*issuer == '\0' || !clerk_text_is_graphic(issuer) || !strcmp(issuer, "any") || !strcmp(issuer, "auto")) {
            return "ClerkIssuer: write URLs, or auto or any alone";
        }
        APR_ARRAY_PUSH(issuers, const char *) = apr_pstrdup(pool, issuer);
    }
    instance->issuers = issuers;
    return NULL;
}

const char *clerk_instance_create(clerk_instance **pinstance, const clerk_instance_options *options, apr_pool_t *pool)
{
    clerk_instance *instance = apr_pcalloc(pool, sizeof(*instance));
    const char *key_host;
    const char *problem;

    instance->name = "";
    instance->type = CLERK_INSTANCE_PRODUCTION;
    problem = set_keys(instance, options, pool);
    key_host = instance->frontend_host;
    if (!problem) {
        problem = set_machine_key(instance, options, pool);
    }
    if (!problem) {
        problem = set_frontend(instance, options, pool);
    }
    if (!problem) {
        problem = set_backend(instance, options, pool);
    }
    if (!problem) {
        problem = set_issuers(instance, options, key_host, pool);
    }
    *pinstance = !problem ? instance : NULL;
    return problem;
}
