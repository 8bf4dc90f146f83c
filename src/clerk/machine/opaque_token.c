/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/machine/opaque_token.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "clerk/machine/machine_identity.h"
#include "clerk/session/claims.h"
#include "jose/json.h"
#include "text/text.h"

/* The longest token that Clerk is asked about, in bytes. */
#define LENGTH_MAX 1024
/* How long others may use the reply to a call that is not in the token cache, at most. */
#define SHARED_MAX apr_time_from_sec(10)
/* Expirations are in milliseconds, but the OAuth endpoint's may be in seconds: fewer than the year 5138 has. */
#define SECONDS_END 1e11
#define HTTP_UNAUTHORIZED 401
#define HTTP_NOT_FOUND 404

/* One kind of opaque token at the Backend API. */
typedef struct endpoint {
    const char *path;
    const char *member; /* of the body: the token */
    const char *object; /* of the reply */
} endpoint;

static const endpoint endpoints[] = {
    [CLERK_TOKEN_API_KEY] = {"/api_keys/verify", "secret", "api_key"},
    [CLERK_TOKEN_M2M] = {"/m2m_tokens/verify", "token", "machine_to_machine_token"},
    [CLERK_TOKEN_OAUTH] = {"/oauth_applications/access_tokens/verify", "access_token", "clerk_idp_oauth_access_token"},
};

/* What a credential in a header field may consist of (RFC 9110, 11.2). */
static int is_credential(const char *text)
{
    const char *at = text;

    while (clerk_text_is_alnum(*at) || (*at && strchr("-._~+/=", *at))) {
        at++;
    }
    return !*at && at - text <= LENGTH_MAX;
}

static const char *body_of(const char *member, const char *token, apr_pool_t *pool)
{
    json_t *body = json_pack("{s:s}", member, token);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    const char *copy = text ? apr_pstrdup(pool, text) : NULL;

    free(text);
    json_decref(body);
    return copy;
}

/* Whether a member says no, or is absent. Anything that is neither true nor false says yes. */
static int is_false(const json_t *reply, const char *name)
{
    const json_t *value = json_object_get(reply, name);

    return !value || json_is_null(value) || json_is_false(value);
}

/* Whether a member does not say no. */
static int is_not_false(const json_t *reply, const char *name)
{
    const json_t *value = json_object_get(reply, name);

    return !value || json_is_null(value) || json_is_true(value);
}

/*
 * The time until which a reply may be believed, in seconds since 1970: its expiration, but @a at_most.
 * @return 0 if it has expired, or its expiration cannot be read
 */
static int read_expiration(double *puntil, const json_t *reply, apr_time_t now, double at_most)
{
    const json_t *expiration = json_object_get(reply, "expiration");
    double seconds;

    *puntil = at_most;
    if (!expiration || json_is_null(expiration)) {
        return 1;
    }
    if (!json_is_number(expiration)) {
        return 0;
    }
    seconds = json_number_value(expiration);
    if (seconds >= SECONDS_END) {
        seconds /= 1000;
    }
    if (seconds < *puntil) {
        *puntil = seconds;
    }
    return seconds > (double)now / APR_USEC_PER_SEC;
}

/* How long other requests may use a reply: a part of the time for which it is believed. */
static apr_interval_time_t shared_for(apr_interval_time_t ttl)
{
    return ttl / 2 < SHARED_MAX ? ttl / 2 : SHARED_MAX;
}

/* The JSON object that Clerk answers about a token that it knows; NULL: it is none. */
static json_t *object_of(const clerk_backend_reply *reply, apr_pool_t *pool)
{
    json_t *json;

    return reply->status >= 200 && reply->status <= 299 && reply->is_json
                   && jose_json_parse_object(&json, reply->body, reply->body_len, JOSE_JSON_MAX_DEPTH, pool) == JOSE_OK
               ? json
               : NULL;
}

/* differences.md row 5. @param until when it is asked again at the latest */
static clerk_token_record *read_reply(clerk_token_type type, const json_t *reply, apr_time_t now, apr_time_t until,
                                      apr_pool_t *pool)
{
    const char *object = jose_json_string(reply, "object");
    clerk_token_record *record;
    clerk_identity *identity;
    double expires;

    if (!object || strcmp(object, endpoints[type].object) || !is_false(reply, "revoked") || !is_false(reply, "expired")
        || !is_not_false(reply, "active") || !read_expiration(&expires, reply, now, (double)until / APR_USEC_PER_SEC)) {
        return NULL;
    }
    identity = clerk_machine_identity_of_reply(type, reply, pool);
    if (!identity) {
        return NULL;
    }
    record = apr_palloc(pool, sizeof(*record));
    clerk_claims_read_machine(&record->claims, reply, pool);
    record->claims.expires = (clerk_claim_time){1, 1, expires};
    record->identity = *identity;
    return record;
}

static apr_time_t verdict(int *pgood, const clerk_backend_call *call, const clerk_backend_reply *reply,
                          apr_pool_t *pool)
{
    const json_t *json = object_of(reply, pool);
    const clerk_token_record *record
        = json ? read_reply(call->machine_type, json, reply->asked_at, reply->asked_at + call->trusted_for, pool)
               : NULL;

    *pgood = record != NULL;
    if (record) {
        return (apr_time_t)(record->claims.expires.seconds * APR_USEC_PER_SEC);
    }
    return json || reply->status == HTTP_NOT_FOUND ? reply->asked_at + call->shared_for : 0;
}

/* Leave only what is read here: nothing else is kept, the token least of all. */
static void condense(clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool)
{
    static const char *const members[] = {"object",  "id",      "subject",    "scopes", "claims",    "name",
                                          "revoked", "expired", "expiration", "active", "client_id", "aud"};
    const json_t *json = object_of(reply, pool);
    json_t *kept = json ? json_object() : NULL;
    char *text;

    (void)call;
    for (size_t i = 0; kept && i < sizeof(members) / sizeof(*members); i++) {
        if (json_object_get(json, members[i])) {
            json_object_set(kept, members[i], json_object_get(json, members[i]));
        }
    }
    text = kept ? json_dumps(kept, JSON_COMPACT) : NULL;
    reply->body = text ? apr_pstrdup(pool, text) : "";
    reply->body_len = strlen(reply->body);
    free(text);
    json_decref(kept);
}

static clerk_opaque_result refused(clerk_reason reason, int retry_after, const char *key)
{
    clerk_opaque_result result = {reason, NULL, retry_after, key};

    return result;
}

static clerk_opaque_result judge(const clerk_backend_call *call, const clerk_backend_reply *reply, apr_time_t now,
                                 const char *key, apr_pool_t *pool)
{
    clerk_opaque_result result = {CLERK_REASON_TOKEN_INVALID, NULL, 0, NULL};
    const json_t *json = object_of(reply, pool);

    if (reply->status == HTTP_UNAUTHORIZED) {
        return refused(CLERK_REASON_SECRET_KEY_INVALID, reply->retry_after, key);
    }
    if (reply->status == HTTP_NOT_FOUND) {
        return result;
    }
    if (!json) {
        return refused(CLERK_REASON_UNEXPECTED_ERROR, reply->retry_after, NULL);
    }
    /* The time counts from when Clerk was asked, by whichever request or server. */
    result.record = read_reply(call->machine_type, json, now, reply->asked_at + call->trusted_for, pool);
    result.reason = result.record ? CLERK_REASON_NONE : CLERK_REASON_TOKEN_INVALID;
    return result;
}

clerk_opaque_result clerk_opaque_token_verify(clerk_token_type type, jose_slice token, const clerk_request *request,
                                              const clerk_instance *instance, const clerk_services *services,
                                              apr_pool_t *pool)
{
    int by_machine = type == CLERK_TOKEN_M2M && instance->machine_secret_key;
    const char *key = by_machine ? "ClerkMachineSecretKey" : "ClerkSecretKey";
    const char *text = apr_pstrmemdup(pool, token.data, token.len);
    clerk_backend_call call = {.cause = CLERK_BACKEND_FOR_MACHINE,
                               .method = "POST",
                               .path = endpoints[type].path,
                               .client_ip = request->client_ip,
                               .condense = condense,
                               .machine_token = text,
                               .machine_type = type,
                               .by_machine_key = by_machine,
                               .shared_for = shared_for(services->opaque_ttl),
                               .trusted_for = services->opaque_ttl,
                               .verdict = verdict};
    clerk_backend_reply reply;

    if (!is_credential(text)) {
        return refused(CLERK_REASON_TOKEN_INVALID, 0, NULL);
    }
    if (!services->verify || !(by_machine || instance->secret_key)) {
        return refused(CLERK_REASON_SECRET_KEY_INVALID, 0, key);
    }
    call.json = body_of(endpoints[type].member, text, pool);
    services->verify(services->baton, &reply, &call, pool);
    return judge(&call, &reply, services->now, key, pool);
}
