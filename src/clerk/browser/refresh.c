/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/refresh.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/cookies/set_cookies.h"
#include "jose/json.h"
#include "text/text.h"

/* Longer than any session id and error code that Clerk is known to use. */
#define SESSION_ID_MAX 128
#define ERROR_CODE_MAX 64
#define NO_CONTENT 204

#define INVALID_SESSION "invalid-session-token"
#define FETCH_ERROR "fetch-error"

static int is_session_id(const char *text)
{
    const char *p;

    for (p = text; *p != '\0'; p++) {
        if ((!clerk_text_is_alnum(*p) && *p != '_') || p - text >= SESSION_ID_MAX) {
            return 0;
        }
    }
    return p != text;
}

/* Whether an error code of the Backend API is safe in a URL and in a header field. */
static int is_error_code(const char *text)
{
    apr_size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return len > 0 && len <= ERROR_CODE_MAX && text[len] == '\0';
}

static void add_header(json_t *headers, const char *name, const char *value)
{
    if (value) {
        json_t *text = json_string(value);

        /* A value that is not UTF-8 cannot be written as JSON: leave it out. */
        if (text) {
            json_object_set_new(headers, name, json_pack("[o]", text));
        }
    }
}

/* The request body. It has only those of the browser's headers that help Clerk to detect a stolen session
 * (differences.md row 4). */
static const char *request_body(clerk_context *context)
{
    const clerk_request *request = clerk_context_page(context);
    json_t *headers = json_object();
    json_t *body;
    char *text;
    const char *copy = NULL;

    add_header(headers, "user-agent", request->user_agent);
    add_header(headers, "accept-language", request->accept_language);
    add_header(headers, "origin", request->origin);
    add_header(headers, "referer", request->referer);
    add_header(headers, "x-forwarded-for", request->client_ip);
    body = json_pack("{s:s, s:s, s:s, s:s, s:o}", "format", "cookie", "expired_token",
                     clerk_session_token_text(context->cookies->session, context->pool), "refresh_token",
                     context->cookies->refresh, "request_origin", request->origin_url, "request_headers", headers);
    text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (text) {
        copy = apr_pstrdup(context->pool, text);
        free(text);
    }
    json_decref(body);
    return copy;
}

/* The error code of a refusal (protocol.md 8). */
static const char *refusal(const json_t *body)
{
    const char *code = jose_json_string(json_array_get(json_object_get(body, "errors"), 0), "code");

    if (!code || !is_error_code(code)) {
        return "unexpected-bapi-error";
    }
    return !strcmp(code, "unexpected_error") ? FETCH_ERROR : code;
}

/* Add the cookies of a good response to the outcome, if they contain a good session token. */
static const char *accept_cookies(clerk_context *context, clerk_identity **pidentity, const json_t *list)
{
    apr_array_header_t *set_cookies = apr_array_make(context->pool, 8, sizeof(const char *));
    jose_slice token;

    if (json_array_size(list) == 0) {
        return "unexpected-sdk-error";
    }
    token.data = clerk_set_cookies_take(set_cookies, list, context->instance, context->pool);
    token.len = strlen(token.data);
    if (clerk_context_verify(context, pidentity, token, context->policy->clock_skew) != CLERK_REASON_NONE) {
        return INVALID_SESSION;
    }
    apr_array_cat(context->outcome->set_cookies, set_cookies);
    return NULL;
}

int clerk_refresh_is_eligible(clerk_context *context)
{
    const char *method = context->request->method;

    if (!strcmp(method, "GET") || !strcmp(method, "HEAD")) {
        return 1;
    }
    return context->policy->renewal != CLERK_RENEWAL_GET && clerk_request_is_same_origin(clerk_context_page(context));
}

static const char *ineligible(clerk_context *context)
{
    const char *session_id;

    if (!clerk_refresh_is_eligible(context)) {
        return "non-eligible-non-get";
    }
    if (!context->cookies->refresh) {
        return "non-eligible-no-refresh-cookie";
    }
    if (!context->instance->secret_key || !context->services->backend) {
        return "missing-api-client";
    }
    session_id = clerk_session_token_session_id(context->cookies->session);
    if (!session_id || !is_session_id(session_id)) {
        return "expired-session-token-missing-sid-claim";
    }
    return NULL;
}

/* Whether Clerk said something about the session: by a 4xx, unless that is about our key or our rate, or by a session
 * that is not good. */
static int is_decided(const clerk_backend_reply *reply, const char *cause)
{
    int is_refusal = reply->status >= 400 && reply->status < 500 && reply->status != 429;

    return (is_refusal && strcmp(cause, "clerk_key_invalid") && strcmp(cause, FETCH_ERROR))
           || !strcmp(cause, INVALID_SESSION);
}

static const char *use_reply(clerk_context *context, clerk_identity **pidentity, const clerk_backend_reply *reply)
{
    json_t *body = NULL;

    if (reply->status == 0) {
        return FETCH_ERROR;
    }
    if (reply->status == NO_CONTENT) {
        return "unexpected-bapi-error";
    }
    if (reply->is_json
        && jose_json_parse_object(&body, reply->body, reply->body_len, JOSE_JSON_MAX_DEPTH, context->pool) != JOSE_OK) {
        return FETCH_ERROR;
    }
    if (reply->status < 200 || reply->status > 299) {
        return refusal(body);
    }
    return accept_cookies(context, pidentity, json_object_get(body, "cookies"));
}

clerk_refresh_result clerk_refresh(clerk_context *context)
{
    const clerk_session_token *session = context->cookies->session;
    clerk_refresh_result result = {.cause = ineligible(context)};
    clerk_backend_call call = {.cause = CLERK_BACKEND_FOR_SESSION, .method = "POST"};
    clerk_backend_reply reply = {0};

    if (!clerk_step_tell(context->services->steps, CLERK_STEP_RENEWABLE, !result.cause)) {
        return result;
    }
    call.path = apr_pstrcat(context->pool, "/v1/sessions/", clerk_session_token_session_id(session), "/refresh",
                            context->cookies->suffixed ? "?suffixed_cookies=true" : "", NULL);
    call.json = request_body(context);
    if (!call.json) {
        result.cause = "unexpected-sdk-error";
        return result;
    }
    call.client_ip = context->request->client_ip;
    call.user_id = clerk_session_token_user_id(session);
    call.expired_token = clerk_session_token_text(session, context->pool);
    call.refresh_token = context->cookies->refresh;
    context->services->backend(context->services->baton, &reply, &call, context->pool);
    result.cause = use_reply(context, &result.identity, &reply);
    if (result.cause) {
        result.identity = NULL;
        result.undecided = !is_decided(&reply, result.cause);
        result.retry_after = reply.retry_after;
    } else {
        context->outcome->renewed = 1;
    }
    return result;
}
