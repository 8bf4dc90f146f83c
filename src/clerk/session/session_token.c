/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/session_token.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/session/revoked.h"
#include "jose/json.h"
#include "jose/keyset.h"

#define MACHINE_SUBJECT_PREFIX "mch_"

static int json_is_text(const json_t *value, const char *text)
{
    const char *string = json_string_value(value);

    return string && !strcmp(string, text);
}

static int is_access_token(const json_t *typ)
{
    return json_is_text(typ, "at+jwt") || json_is_text(typ, "application/at+jwt");
}

int clerk_session_token_is_other_type(const jose_jws *jws)
{
    const json_t *cat = json_object_get(jws->header, "cat");
    const json_t *typ = json_object_get(jws->header, "typ");
    const char *sub = jose_json_string(jws->payload, "sub");

    if (cat && !json_is_text(cat, CLERK_CAT_SESSION) && !json_is_text(cat, CLERK_CAT_IGNORE)) {
        return 1;
    }
    /* Without a signature it has not the form of a machine's JWT (protocol.md 12.1). */
    if (!jws->signature_len) {
        return 0;
    }
    if (is_access_token(typ)) {
        return 1;
    }
    return sub && !strncmp(sub, MACHINE_SUBJECT_PREFIX, sizeof(MACHINE_SUBJECT_PREFIX) - 1);
}

/* Header members that make a token invalid whatever the keys are (differences.md row 15). */
static int has_refused_member(const json_t *header)
{
    const json_t *kid = json_object_get(header, "kid");

    return json_object_get(header, "crit") || (kid && !json_is_string(kid));
}

/* protocol.md 4.3, rows 4 and 5. */
static clerk_reason check_header(const jose_jws *jws, clerk_token_type type)
{
    const json_t *typ = json_object_get(jws->header, "typ");

    if (type == CLERK_TOKEN_OAUTH ? !is_access_token(typ) : typ && !json_is_text(typ, "JWT")) {
        return CLERK_REASON_TOKEN_INVALID;
    }
    return jose_verify_check_algorithm(jws) == JOSE_OK ? CLERK_REASON_NONE : CLERK_REASON_TOKEN_INVALID_ALGORITHM;
}

/*
 * Check a token with one key set. *pwant is the reason why a newer set could change the verdict, or CLERK_KEYS_CURRENT
 * if it could not. A token that no key can make valid must not cause a fetch.
 */
static clerk_reason check_with_keys(const jose_jws *jws, clerk_token_type type, const jose_keyset *set,
                                    clerk_keys_want *pwant)
{
    const char *kid = jose_json_string(jws->header, "kid");
    const jose_key *key = jose_keyset_find(set, kid);
    clerk_reason header = check_header(jws, type);

    *pwant = CLERK_KEYS_CURRENT;
    if (!key) {
        if (kid && header == CLERK_REASON_NONE) {
            *pwant = CLERK_KEYS_UNKNOWN_KID;
        }
        return CLERK_REASON_JWK_KID_MISMATCH;
    }
    if (header != CLERK_REASON_NONE) {
        return header;
    }

    switch (jose_verify(jws, key)) {
    case JOSE_OK:
        return CLERK_REASON_NONE;
    case JOSE_BAD_ALGORITHM:
        return CLERK_REASON_TOKEN_INVALID_ALGORITHM;
    case JOSE_KEY_UNUSABLE:
        return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    case JOSE_BAD_SIGNATURE:
        *pwant = CLERK_KEYS_BAD_SIGNATURE;
        return CLERK_REASON_TOKEN_INVALID_SIGNATURE;
    default:
        return CLERK_REASON_UNEXPECTED_ERROR;
    }
}

static clerk_reason no_keys_reason(clerk_keys_status status)
{
    return status == CLERK_KEYS_REFUSED ? CLERK_REASON_SECRET_KEY_INVALID : CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD;
}

/* Verify with the keys there are, and once more if newer ones could change the verdict. */
static clerk_reason verify_with_keys(apr_uint32_t *pgeneration, const jose_jws *jws, clerk_token_type type,
                                     const clerk_services *services, apr_pool_t *pool)
{
    clerk_keys_pin first = {0}, second = {0};
    clerk_keys_want want, ignored;
    clerk_keys_status status;
    clerk_reason reason;
    apr_uint32_t seen;

    status = services->acquire_keys(services->baton, &first, CLERK_KEYS_CURRENT, 0, pool);
    if (!clerk_step_tell(services->steps, CLERK_STEP_KEYS, status == CLERK_KEYS_OK)) {
        return no_keys_reason(status);
    }
    reason = check_with_keys(jws, type, first.set, &want);
    seen = first.generation;
    services->release_keys(services->baton, &first);
    if (pgeneration) {
        *pgeneration = seen;
    }
    if (want == CLERK_KEYS_CURRENT) {
        return reason;
    }

    status = services->acquire_keys(services->baton, &second, want, seen, pool);
    if (status == CLERK_KEYS_OK) {
        reason = check_with_keys(jws, type, second.set, &ignored);
        if (pgeneration) {
            *pgeneration = second.generation;
        }
        services->release_keys(services->baton, &second);
    } else if (want == CLERK_KEYS_UNKNOWN_KID && status != CLERK_KEYS_UNCHANGED) {
        /* With a bad signature the verdict by the old keys stands. An unknown key may exist at the source, which cannot
         * be asked now: that is an outage, not a bad token. */
        reason = no_keys_reason(status);
    }
    return reason;
}

/* Tell how far the checks of check_with_keys() went: all before the one that has this reason were passed. */
static void tell(const clerk_step_listener *steps, clerk_reason reason)
{
    static const struct {
        clerk_step step;
        clerk_reason reason;
    } checks[] = {
        {CLERK_STEP_KEY, CLERK_REASON_JWK_KID_MISMATCH},
        {CLERK_STEP_TYPE, CLERK_REASON_TOKEN_INVALID},
        {CLERK_STEP_ALGORITHM, CLERK_REASON_TOKEN_INVALID_ALGORITHM},
        {CLERK_STEP_KEY_USABLE, CLERK_REASON_TOKEN_VERIFICATION_FAILED},
        {CLERK_STEP_SIGNATURE, CLERK_REASON_TOKEN_INVALID_SIGNATURE},
    };

    for (apr_size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        if (!clerk_step_tell(steps, checks[i].step, checks[i].reason != reason)) {
            return;
        }
    }
}

clerk_reason clerk_session_token_verify_signature(apr_uint32_t *pgeneration, const jose_jws *jws, clerk_token_type type,
                                                  const clerk_services *services, apr_pool_t *pool)
{
    clerk_reason reason;

    if (!clerk_step_tell(services->steps, CLERK_STEP_CRITICAL, !has_refused_member(jws->header))) {
        return CLERK_REASON_TOKEN_INVALID;
    }
    reason = verify_with_keys(pgeneration, jws, type, services, pool);
    if (services->steps && !clerk_reason_is_unavailable(reason)) {
        tell(services->steps, reason);
    }
    return reason;
}

clerk_session_token *clerk_session_token_read(jose_slice text, const clerk_services *services, apr_pool_t *pool)
{
    clerk_session_token *token = apr_pcalloc(pool, sizeof(*token));
    clerk_token_record *cached = services->cache_get ? services->cache_get(services->baton, text, pool) : NULL;
    clerk_claims *claims;
    jose_jws *jws;

    token->text = text;
    if (cached) {
        token->claims = &cached->claims;
        token->cached = &cached->identity;
    } else if (jose_jws_decode(&jws, text, pool) == JOSE_OK) {
        token->jws = jws;
        token->claims = claims = apr_palloc(pool, sizeof(*claims));
        clerk_claims_read(claims, jws->payload, pool);
    }
    return token;
}

const char *clerk_session_token_text(const clerk_session_token *token, apr_pool_t *pool)
{
    return apr_pstrmemdup(pool, token->text.data, token->text.len);
}

const char *clerk_session_token_session_id(const clerk_session_token *token)
{
    if (token->cached) {
        return token->cached->session_id;
    }
    return token->jws ? jose_json_string(token->jws->payload, "sid") : NULL;
}

const char *clerk_session_token_user_id(const clerk_session_token *token)
{
    if (token->cached) {
        return token->cached->user_id;
    }
    return token->jws ? jose_json_string(token->jws->payload, "sub") : NULL;
}

/* Check kind and signature of a token that is not cached: protocol.md 4.2, 6.5 and 4.3, rows 2 to 7. */
static clerk_reason verify_uncached(apr_uint32_t *pgeneration, const clerk_session_token *token,
                                    const clerk_services *services, apr_pool_t *pool)
{
    if (!clerk_step_tell(services->steps, CLERK_STEP_DECODED, !!token->jws)) {
        return CLERK_REASON_TOKEN_INVALID;
    }
    if (!clerk_step_tell(services->steps, CLERK_STEP_CATEGORY, !clerk_session_token_is_other_type(token->jws))) {
        return CLERK_REASON_TOKEN_TYPE_MISMATCH;
    }
    return clerk_session_token_verify_signature(pgeneration, token->jws, CLERK_TOKEN_SESSION, services, pool);
}

/*
 * Whether a good token was revoked. Nearly always one comparison says that it was not: it is younger than all
 * revocations. A token without `iat` is as old as can be.
 */
static clerk_reason check_revocation(const clerk_identity *identity, const clerk_claims *claims,
                                     const clerk_policy *policy, const clerk_services *services)
{
    /* Its checks have said that it is in range. */
    apr_int64_t issued = (apr_int64_t)claims->issued_at.seconds;
    const clerk_revocations *revocations = services->revocations;

    if (!revocations || !policy->revocation) {
        return CLERK_REASON_NONE;
    }
    if (services->knows_revocations && !services->knows_revocations(services->baton)) {
        return CLERK_REASON_REVOCATIONS_UNKNOWN;
    }
    if (clerk_revocations_is_good(revocations, CLERK_REVOCATIONS_OF_USERS, issued)
        && clerk_revocations_is_good(revocations, CLERK_REVOCATIONS_OF_ORGANIZATIONS, issued)) {
        return CLERK_REASON_NONE;
    }
    return clerk_revoked_is(revocations, services->revocation_key, identity, issued) ? CLERK_REASON_SESSION_REVOKED
                                                                                     : CLERK_REASON_NONE;
}

clerk_reason clerk_session_token_verify(clerk_identity **pidentity, const clerk_session_token *token,
                                        const clerk_instance *instance, const clerk_policy *policy,
                                        apr_interval_time_t skew, const clerk_services *services, apr_pool_t *pool)
{
    clerk_reason reason = CLERK_REASON_NONE;
    apr_uint32_t generation = 0;
    clerk_identity *identity;

    *pidentity = NULL;
    if (!token->cached) {
        reason = verify_uncached(&generation, token, services, pool);
    }
    if (reason == CLERK_REASON_NONE) {
        const clerk_party_site site = {services->own_origin, services->baton};

        reason = clerk_claims_check(token->claims, instance, policy, skew, services->now, &site, services->steps);
    }
    if (reason != CLERK_REASON_NONE) {
        return reason;
    }
    identity = token->cached;
    if (!identity) {
        identity = clerk_identity_create(token->jws->payload, pool);
        if (services->cache_put) {
            clerk_token_record record = {*token->claims, *identity};
            apr_int64_t expires = (apr_int64_t)token->claims->expires.seconds + apr_time_sec(skew);

            services->cache_put(services->baton, token->text, generation, expires, &record, pool);
        }
    }
    reason = check_revocation(identity, token->claims, policy, services);
    *pidentity = reason == CLERK_REASON_NONE ? identity : NULL;
    return reason;
}
