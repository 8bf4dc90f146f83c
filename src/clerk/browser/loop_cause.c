/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/loop_cause.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/cookies/cookie_header.h"
#include "clerk/cookies/cookies.h"
#include "clerk/protocol.h"
#include "clerk/url/url.h"

/* A larger difference to Clerk's clock is not caused by the network. */
#define TOLERANCE apr_time_from_sec(60)

const char *clerk_loop_cause_text(clerk_loop_cause cause)
{
    switch (cause) {
    case CLERK_LOOP_WRONG_ORIGIN:
        return "browsers know this site by another scheme or host than the server does";
    case CLERK_LOOP_CLOCK:
        return "the clocks of this server and of Clerk differ";
    case CLERK_LOOP_TWO_CLIENT_UATS:
        return "several __client_uat cookies contradict each other";
    case CLERK_LOOP_WRONG_KEY:
        return "the keys here do not belong to the Clerk instance that answered";
    case CLERK_LOOP_COOKIES:
        return "the browser does not keep Clerk's cookies";
    default:
        return "none of the known causes is evident";
    }
}

/* Whether browsers treat a host as this machine, and so as secure with any scheme. */
static int is_local(const char *host)
{
    apr_size_t len = strcspn(host, ":");

    return *host == '[' || !strncmp(host, "127.", 4) || (len == 9 && !strncmp(host, "localhost", 9))
           || (len > 10 && !strncmp(host + len - 10, ".localhost", 10));
}

static int has_scheme(const char *origin, const char *scheme)
{
    apr_size_t len = strlen(scheme);

    return !strncmp(origin, scheme, len) && !strncmp(origin + len, "://", 3);
}

/* Whether host and port are the same; a default port may be written or not. */
static int is_same_host(const char *a, const char *b)
{
    apr_size_t a_len = strlen(a), b_len = strlen(b);
    const char *rest = a_len > b_len ? a + b_len : b + a_len;

    return !strncmp(a, b, a_len < b_len ? a_len : b_len)
           && (*rest == '\0' || !strcmp(rest, ":443") || !strcmp(rest, ":80"));
}

static int is_origin_wrong(const clerk_request *request, const clerk_address_hints *hints,
                           const clerk_instance *instance, apr_pool_t *pool)
{
    const char *origin = request->origin_url;
    const char *slashes = strstr(origin, "://");
    const char *host = slashes ? slashes + 3 : origin;
    const clerk_url *referer = request->referer ? clerk_url_parse(request->referer, pool) : NULL;
    const char *referer_host = referer ? strstr(referer->origin, "://") : NULL;

    if (hints->forwarded_proto && !has_scheme(origin, hints->forwarded_proto)) {
        return 1;
    }
    if (hints->forwarded_host && !is_same_host(hints->forwarded_host, host)) {
        return 1;
    }
    if (!hints->forwarded_host && hints->host && !is_same_host(hints->host, host)) {
        return 1;
    }
    if (referer_host && !strcmp(referer_host + 3, host) && strcmp(referer->origin, origin)) {
        return 1;
    }
    /* Browsers send Sec-Fetch-* to secure origins only, and a production instance has no others. */
    return has_scheme(origin, "http") && !is_local(host)
           && (request->sec_fetch_dest || instance->type == CLERK_INSTANCE_PRODUCTION);
}

static int is_named(const clerk_raw_cookie *cookie, const char *name)
{
    return strlen(name) == cookie->name.len && !memcmp(cookie->name.data, name, cookie->name.len);
}

/* Whether there are two `__client_uat` cookies, plain or with our suffix, with different values. */
static int client_uats_differ(const char *header, const clerk_instance *instance, apr_pool_t *pool)
{
    const char *suffixed = apr_pstrcat(pool, CLERK_COOKIE_CLIENT_UAT "_", instance->cookie_suffix, NULL);
    jose_slice seen = {NULL, 0};
    clerk_raw_cookie cookie;

    while (header && clerk_cookie_header_next(&cookie, &header)) {
        if (!is_named(&cookie, CLERK_COOKIE_CLIENT_UAT) && !is_named(&cookie, suffixed)) {
            continue;
        }
        if (seen.data && (cookie.value.len != seen.len || memcmp(cookie.value.data, seen.data, seen.len))) {
            return 1;
        }
        seen = cookie.value;
    }
    return 0;
}

/* Whether the session cookie (not verified) names the issuer of another instance. Without a session cookie of ours, the
 * one without suffix is used: the pages may use another publishable key than this server. */
static int is_of_another_instance(const char *cookie, const clerk_cookies *cookies, const clerk_instance *instance,
                                  const clerk_services *services, apr_pool_t *pool)
{
    const clerk_session_token *token = cookies->session;
    const char *plain = !token ? clerk_cookie_header_find(cookie, CLERK_COOKIE_SESSION, pool) : NULL;
    const char *issuer;

    if (plain) {
        token = clerk_session_token_read((jose_slice){plain, strlen(plain)}, services, pool);
    }
    if (!instance->issuers || !token || !token->claims) {
        return 0;
    }
    issuer = token->claims->issuer;
    for (int i = 0; issuer && i < instance->issuers->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(instance->issuers, i, const char *), issuer)) {
            return 0;
        }
    }
    return issuer != NULL;
}

clerk_loop_cause clerk_loop_cause_find(const clerk_request *request, const clerk_address_hints *hints,
                                       const clerk_instance *instance, const clerk_outcome *outcome,
                                       const clerk_services *services, apr_pool_t *pool)
{
    const clerk_cookies *cookies = clerk_cookies_read(request->cookie, instance, services, pool);

    if (outcome->reason == CLERK_REASON_SESSION_TOKEN_NBF
        || outcome->reason == CLERK_REASON_SESSION_TOKEN_IAT_IN_THE_FUTURE
        || cookies->client_uat > apr_time_sec(services->now + TOLERANCE)) {
        return CLERK_LOOP_CLOCK;
    }
    if (outcome->handshake_failed || is_of_another_instance(request->cookie, cookies, instance, services, pool)) {
        return CLERK_LOOP_WRONG_KEY;
    }
    if (is_origin_wrong(request, hints, instance, pool)) {
        return CLERK_LOOP_WRONG_ORIGIN;
    }
    if (client_uats_differ(request->cookie, instance, pool)) {
        return CLERK_LOOP_TWO_CLIENT_UATS;
    }
    if (!cookies->session || cookies->client_uat == 0) {
        return CLERK_LOOP_COOKIES;
    }
    /* Every handshake has returned a token that has already expired by our clock. */
    return outcome->reason == CLERK_REASON_SESSION_TOKEN_EXPIRED ? CLERK_LOOP_CLOCK : CLERK_LOOP_UNKNOWN;
}
