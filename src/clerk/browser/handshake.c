/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/handshake.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/browser/rounds.h"
#include "clerk/cookies/set_cookies.h"
#include "clerk/protocol.h"
#include "clerk/session/session_token.h"
#include "clerk/url/encoding.h"
#include "jose/json.h"

#define PROBE_VALUE "cookies"
#define NONCE_MAX 256
/* The clock skew allowed on a development instance while a handshake is resolved (protocol.md 7.7). */
#define DEVELOPMENT_SKEW apr_time_from_sec(86400)

/* The URL of the frontend API for this request, without trailing '/'. */
static const char *frontend_url(clerk_context *context)
{
    const char *proxy_url = context->instance->proxy_url;

    if (!proxy_url) {
        return context->instance->frontend_url;
    }
    return proxy_url[0] == '/' ? apr_pstrcat(context->pool, clerk_context_page(context)->origin_url, proxy_url, NULL)
                               : proxy_url;
}

/*
 * The URL of a handshake (protocol.md 7.2). It contains the session cookie, which the frontend API reads, but never a
 * token from the Authorization header.
 */
static const char *handshake_url(clerk_context *context, const char *text)
{
    static const char *const dev_browser[] = {CLERK_COOKIE_DEV_BROWSER, "__dev_session", NULL};
    apr_array_header_t *query = apr_array_make(context->pool, 8, sizeof(clerk_parameter));
    clerk_organization_target target = clerk_context_organization(context);

    clerk_query_append(query, "redirect_url",
                       clerk_rounds_edited_url(context, dev_browser, clerk_rounds_made(context) + 1));
    clerk_query_append(query, CLERK_PARAMETER_API_VERSION, CLERK_API_VERSION);
    clerk_query_append(query, "suffixed_cookies", context->cookies->suffixed ? "true" : "false");
    clerk_query_append(query, CLERK_PARAMETER_HANDSHAKE_REASON, text);
    if (context->instance->secret_key && context->services->backend) {
        clerk_query_append(query, "format", "nonce");
    }
    if (context->cookies->session) {
        clerk_query_append(query, CLERK_COOKIE_SESSION,
                           clerk_session_token_text(context->cookies->session, context->pool));
    }
    if (context->dev_browser) {
        clerk_query_append(query, CLERK_COOKIE_DEV_BROWSER, context->dev_browser);
    }
    if (target.wanted) {
        clerk_query_append(query, "organization_id", target.id ? target.id : target.slug ? target.slug : "");
    }
    return apr_pstrcat(context->pool, frontend_url(context), "/v1/client/handshake?",
                       clerk_query_text(query, context->pool), NULL);
}

static int is_probed(const clerk_context *context)
{
    const char *help = context->development ? clerk_query_get(context->query, CLERK_PARAMETER_HELP) : NULL;

    return help && !strcmp(help, PROBE_VALUE);
}

void clerk_handshake_end_probe(clerk_context *context)
{
    static const char *const none[] = {NULL};

    if (!context->outcome->location && !context->outcome->loop && is_probed(context)
        && clerk_context_may_handshake(context)) {
        context->outcome->location = clerk_rounds_edited_url(context, none, 0);
    }
}

clerk_outcome *clerk_handshake_propose_text(clerk_context *context, clerk_reason reason, const char *text,
                                            const char *location)
{
    clerk_outcome *outcome = context->outcome;

    const clerk_step_listener *steps = context->services->steps;

    if (!clerk_step_tell(steps, CLERK_STEP_GATE, clerk_context_may_handshake(context))) {
        return clerk_context_signed_out_text(context, reason, text);
    }
    if (clerk_step_tell(steps, CLERK_STEP_LOOP,
                        clerk_rounds_made(context) >= CLERK_LOOP_LIMIT
                            || (is_probed(context) && !context->cookies->has_any))) {
        outcome->loop = 1;
        return clerk_context_signed_out_text(context, reason, text);
    }
    outcome->status = CLERK_HANDSHAKE;
    outcome->reason = reason;
    outcome->reason_text = text;
    outcome->location = location ? location : handshake_url(context, text);
    clerk_rounds_begin(context);
    return outcome;
}

clerk_outcome *clerk_handshake_propose(clerk_context *context, clerk_reason reason, const char *location)
{
    return clerk_handshake_propose_text(context, reason, clerk_reason_text(reason), location);
}

/* Whether a text could be a nonce. Nothing is known of Clerk's but that they are one word; this is what a credential
 * may consist of in a header field (RFC 9110, 11.2). */
static int is_nonce(const char *text)
{
    apr_size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    return len > 0 && len <= NONCE_MAX && text[len] == '\0';
}

/*
 * Fetch the payload of a nonce (protocol.md 7.4).
 * @param pheld_back the nonce was not looked up
 * @return its list of Set-Cookie values, or NULL
 */
static const json_t *payload_of_nonce(const clerk_context *context, int *pheld_back, const char *nonce)
{
    clerk_backend_call call = {.cause = CLERK_BACKEND_FOR_ANY_CLIENT, .method = "GET"};
    clerk_backend_reply reply = {0};
    json_t *body = NULL;
    const json_t *list;

    if (!context->instance->secret_key || !context->services->backend) {
        return NULL;
    }
    call.client_ip = context->request->client_ip;
    call.path = apr_pstrcat(context->pool,
                            "/v1/clients/handshake_payload?nonce=", clerk_encoding_form(nonce, context->pool), NULL);
    context->services->backend(context->services->baton, &reply, &call, context->pool);
    *pheld_back = reply.held_back;
    if (reply.status < 200 || reply.status > 299 || !reply.body
        || jose_json_parse_object(&body, reply.body, reply.body_len, JOSE_JSON_MAX_DEPTH, context->pool) != JOSE_OK) {
        return NULL;
    }
    list = json_object_get(body, "directives");
    return json_is_array(list) ? list : NULL;
}

/* Check `exp` if it is present (differences.md row 12), in development with the larger clock skew. */
static clerk_reason check_expiry(const clerk_context *context, const json_t *payload)
{
    apr_interval_time_t skew = context->development ? DEVELOPMENT_SKEW : context->policy->clock_skew;
    const json_t *exp = json_object_get(payload, "exp");
    double seconds;

    if (!exp) {
        return CLERK_REASON_NONE;
    }
    seconds = json_number_value(exp);
    if (!json_is_number(exp) || !(seconds >= 0 && seconds <= 253402300799.0)) {
        return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    }
    return apr_time_from_sec((apr_int64_t)seconds) <= context->services->now - skew ? CLERK_REASON_TOKEN_EXPIRED
                                                                                    : CLERK_REASON_NONE;
}

/* Verify a handshake token (protocol.md 7.5). @param plist its Set-Cookie values; NULL if it has none */
static clerk_reason payload_of_token(const clerk_context *context, const json_t **plist, const char *token)
{
    jose_jws *jws = NULL;
    jose_slice slice = {token, strlen(token)};
    clerk_reason reason;

    if (jose_jws_decode(&jws, slice, context->pool) != JOSE_OK || clerk_session_token_is_other_type(jws)) {
        return CLERK_REASON_TOKEN_INVALID;
    }
    reason = clerk_session_token_verify_signature(NULL, jws, CLERK_TOKEN_SESSION, context->services, context->pool);
    if (reason == CLERK_REASON_NONE) {
        reason = check_expiry(context, jws->payload);
    }
    /* differences.md row 30: a session token with a claim of that name is none. The category is the same for both. */
    if (reason == CLERK_REASON_NONE && json_object_get(jws->payload, "sub")) {
        reason = CLERK_REASON_TOKEN_INVALID;
    }
    *plist = json_object_get(jws->payload, "handshake");
    return reason;
}

static int is_about_time(clerk_reason reason)
{
    return reason == CLERK_REASON_TOKEN_EXPIRED || reason == CLERK_REASON_TOKEN_NOT_ACTIVE_YET
           || reason == CLERK_REASON_TOKEN_IAT_IN_THE_FUTURE;
}

/* Discard the handshake: the cookies decide. */
static clerk_outcome *discard(clerk_context *context)
{
    apr_array_clear(context->outcome->set_cookies);
    context->outcome->location = NULL;
    context->outcome->handshake_failed = 1;
    return NULL;
}

/* Set the cookies and verify the session token among them (protocol.md 7.6). */
static clerk_outcome *apply_payload(clerk_context *context, const json_t *list)
{
    static const char *const handshake[]
        = {CLERK_COOKIE_HANDSHAKE, CLERK_PARAMETER_HELP, CLERK_COOKIE_DEV_BROWSER, CLERK_COOKIE_HANDSHAKE_NONCE, NULL};
    clerk_outcome *outcome = context->outcome;
    clerk_identity *identity = NULL;
    clerk_reason reason;
    jose_slice token;

    token.data = clerk_set_cookies_take(outcome->set_cookies, list, context->instance, context->pool);
    token.len = strlen(token.data);
    if (context->development) {
        outcome->location = clerk_rounds_edited_url(context, handshake, clerk_rounds_marked(context));
        if (!context->cookies->has_any) {
            outcome->location = apr_pstrcat(context->pool, outcome->location,
                                            strchr(outcome->location, '?') ? "&" : "?", CLERK_COOKIE_PROBE, NULL);
        }
    }
    if (!clerk_step_tell(context->services->steps, CLERK_STEP_HANDSHAKE_SESSION, token.len > 0)) {
        return clerk_context_signed_out(context, CLERK_REASON_SESSION_TOKEN_MISSING);
    }
    reason = clerk_context_verify(context, &identity, token, context->policy->clock_skew);
    if (context->development && is_about_time(reason)) {
        reason = clerk_context_verify(context, &identity, token, DEVELOPMENT_SKEW);
    }
    if (clerk_step_tell(context->services->steps, CLERK_STEP_HANDSHAKE_GOOD, reason == CLERK_REASON_NONE)) {
        outcome->carrier = CLERK_CARRIER_COOKIE;
        return clerk_context_accept(context, identity);
    }
    (void)discard(context);
    outcome->handshake_untimely = is_about_time(reason);
    return clerk_reason_is_unavailable(reason) ? clerk_context_unavailable(context, reason) : NULL;
}

/* A handshake value: in development from the query or the cookie, in production only from the cookie (differences.md
 * row 1). */
static const char *handshake_value(const clerk_context *context, const char *name, const char *cookie)
{
    const char *value = context->development ? clerk_query_get(context->query, name) : NULL;

    return value && *value != '\0' ? value : cookie;
}

clerk_outcome *clerk_handshake_resolve(clerk_context *context)
{
    const char *nonce = handshake_value(context, CLERK_COOKIE_HANDSHAKE_NONCE, context->cookies->handshake_nonce);
    const char *token = handshake_value(context, CLERK_COOKIE_HANDSHAKE, context->cookies->handshake);
    const clerk_step_listener *steps = context->services->steps;
    const json_t *list = NULL;
    clerk_reason reason;
    int held_back = 0;

    if (!clerk_step_tell(steps, CLERK_STEP_HANDSHAKE, context->browser_flow && (nonce || token))) {
        return NULL;
    }
    /* Each lookup costs a call, which anybody can cause: only where a handshake can have led (differences.md row 31).
     */
    if (nonce && is_nonce(nonce) && clerk_request_is_navigation(clerk_context_page(context))) {
        list = payload_of_nonce(context, &held_back, nonce);
        if (clerk_step_tell(steps, CLERK_STEP_NONCE, json_is_array(list))) {
            return apply_payload(context, list);
        }
        if (!held_back) {
            return discard(context);
        }
    }
    if (!token) {
        return NULL;
    }
    reason = payload_of_token(context, &list, token);
    if (clerk_step_tell(steps, CLERK_STEP_HANDSHAKE_TOKEN, reason == CLERK_REASON_NONE)) {
        return apply_payload(context, list);
    }
    (void)discard(context);
    context->outcome->handshake_untimely = is_about_time(reason);
    if (clerk_reason_is_unavailable(reason)) {
        return clerk_context_unavailable(context, reason);
    }
    if (context->development) {
        /* The instance has most likely got other keys: a new handshake would fail the same way. */
        context->outcome->status = CLERK_BAD_REQUEST;
        context->outcome->reason = reason;
        context->outcome->reason_text = clerk_reason_text(reason);
        return context->outcome;
    }
    return NULL;
}
