/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/loop_cause.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/cookies/cookie_header.h"
#include "clerk/cookies/cookies.h"
#include "clerk/protocol.h"
#include "clerk/url/origin.h"

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
    case CLERK_LOOP_ANSWER_TOO_LARGE:
        return "the answer of the handshake was dropped by the browser: there is no ClerkSecretKey, so the answer "
               "itself "
               "is a cookie, and browsers drop one above 4096 bytes. Write ClerkSecretKey, or take custom claims out "
               "of "
               "the session token";
    default:
        return "none of the known causes is evident";
    }
}

/* Whether a Host or X-Forwarded-Host field names another host or port than ours. */
static int is_other_host(const char *field, const clerk_url *own, apr_pool_t *pool)
{
    const clerk_url *origin = clerk_origin_of(own->scheme, field, pool);

    return !origin || strcmp(origin->authority, own->authority);
}

static int is_origin_wrong(const clerk_request *request, const clerk_address_hints *hints,
                           const clerk_instance *instance, apr_pool_t *pool)
{
    const char *host = hints->forwarded_host ? hints->forwarded_host : hints->host;
    const clerk_url *own = clerk_url_parse(request->origin_url, pool);
    const clerk_url *referer = request->referer ? clerk_url_parse(request->referer, pool) : NULL;

    if (!own || (hints->forwarded_proto && strcmp(hints->forwarded_proto, own->scheme))) {
        return 1;
    }
    if (host && is_other_host(host, own, pool)) {
        return 1;
    }
    if (referer && !strcmp(referer->authority, own->authority) && strcmp(referer->scheme, own->scheme)) {
        return 1;
    }
    /* Browsers send Sec-Fetch-* to secure origins only, and a production instance has no others. */
    return !strcmp(own->scheme, "http") && !clerk_origin_is_loopback(own)
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

/*
 * Whether Clerk has said who is signed in, but the answer of the handshake is not in the request. On a production
 * instance it is a cookie: the request that returns from a handshake has it, whatever it is worth.
 */
static int is_answer_missing(const clerk_cookies *cookies, const clerk_instance *instance, const clerk_outcome *outcome)
{
    return instance->type == CLERK_INSTANCE_PRODUCTION && cookies->client_uat != 0 && !cookies->handshake
           && !cookies->handshake_nonce
           && (outcome->reason == CLERK_REASON_CLIENT_UAT_BUT_NO_SESSION_TOKEN
               || outcome->reason == CLERK_REASON_SESSION_TOKEN_IAT_BEFORE_CLIENT_UAT
               || outcome->reason == CLERK_REASON_SESSION_TOKEN_EXPIRED);
}

clerk_loop_cause clerk_loop_cause_find(const clerk_request *request, const clerk_address_hints *hints,
                                       const clerk_instance *instance, const clerk_outcome *outcome,
                                       const clerk_services *services, apr_pool_t *pool)
{
    const char *cookie = clerk_cookie_header_join(request->cookie, pool);
    const clerk_cookies *cookies = clerk_cookies_read(cookie, instance, services, pool);

    if (outcome->handshake_untimely || outcome->reason == CLERK_REASON_SESSION_TOKEN_NBF
        || outcome->reason == CLERK_REASON_SESSION_TOKEN_IAT_IN_THE_FUTURE
        || cookies->client_uat > apr_time_sec(services->now + TOLERANCE)) {
        return CLERK_LOOP_CLOCK;
    }
    if (outcome->handshake_failed || is_of_another_instance(cookie, cookies, instance, services, pool)) {
        return CLERK_LOOP_WRONG_KEY;
    }
    if (is_origin_wrong(request, hints, instance, pool)) {
        return CLERK_LOOP_WRONG_ORIGIN;
    }
    if (client_uats_differ(cookie, instance, pool)) {
        return CLERK_LOOP_TWO_CLIENT_UATS;
    }
    if (is_answer_missing(cookies, instance, outcome)) {
        return instance->secret_key ? CLERK_LOOP_COOKIES : CLERK_LOOP_ANSWER_TOO_LARGE;
    }
    if (!cookies->session || cookies->client_uat == 0) {
        return CLERK_LOOP_COOKIES;
    }
    /* Every handshake has returned a token that has already expired by our clock. */
    return outcome->reason == CLERK_REASON_SESSION_TOKEN_EXPIRED ? CLERK_LOOP_CLOCK : CLERK_LOOP_UNKNOWN;
}

const char *clerk_loop_cause_detail(clerk_loop_cause cause, const clerk_request *request,
                                    const clerk_instance *instance, const clerk_services *services, apr_pool_t *pool)
{
    const clerk_cookies *cookies;

    if (cause != CLERK_LOOP_ANSWER_TOO_LARGE) {
        return "";
    }
    cookies = clerk_cookies_read(request->cookie, instance, services, pool);
    return cookies->session ? apr_psprintf(pool, ". The session token in the request has %" APR_SIZE_T_FMT " bytes",
                                           strlen(clerk_session_token_text(cookies->session, pool)))
                            : "";
}
