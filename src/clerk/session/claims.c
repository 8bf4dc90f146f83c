/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/claims.h"

#include <string.h>

#include "clerk/session/claim.h"
#include "text/text.h"

/*
 * The largest time in a token, in seconds before or after 1970: the range of an ECMAScript date. In microseconds it
 * still fits 64 bits.
 */
#define SECONDS_MAX 8640000000000.0

static int list_has(const apr_array_header_t *list, const char *text)
{
    for (int i = 0; i < list->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(list, i, const char *), text)) {
            return 1;
        }
    }
    return 0;
}

/* Whether an audience is configured. The SDK ignores empty entries, so a list of only those counts as none. */
static int audience_configured(const apr_array_header_t *audience)
{
    for (int i = 0; audience && i < audience->nelts; i++) {
        if (*APR_ARRAY_IDX(audience, i, const char *)) {
            return 1;
        }
    }
    return 0;
}

/*
 * protocol.md 4.5 with differences.md row 16: if an audience is configured, a token without a well-formed audience is
 * refused.
 */
static clerk_reason check_audience(const clerk_texts *aud, const apr_array_header_t *audience)
{
    const char *text;

    if (!audience_configured(audience)) {
        return CLERK_REASON_NONE;
    }
    for (text = clerk_texts_next(aud, NULL); text; text = clerk_texts_next(aud, text)) {
        if (*text && list_has(audience, text)) {
            return CLERK_REASON_NONE;
        }
    }
    return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
}

static clerk_reason check_subject(const json_t *sub)
{
    const char *text = json_string_value(sub);

    if (!text) {
        return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    }
    return *text && clerk_text_is_clean(text) ? CLERK_REASON_NONE : CLERK_REASON_TOKEN_INVALID;
}

/* differences.md row 30: a session token names its session. Without this an OIDC id_token would be one. */
static clerk_reason check_session(const json_t *sid)
{
    return json_string_length(sid) > 0 ? CLERK_REASON_NONE : CLERK_REASON_TOKEN_INVALID;
}

static clerk_reason check_authorized_party(const char *azp, const apr_array_header_t *parties,
                                           const clerk_party_site *site)
{
    if (!parties || parties->nelts == 0) {
        return CLERK_REASON_NONE;
    }
    return azp && *azp && clerk_party_is_listed(parties, azp, site) ? CLERK_REASON_NONE
                                                                    : CLERK_REASON_TOKEN_INVALID_AUTHORIZED_PARTIES;
}

static clerk_reason check_issuer(const char *iss, const apr_array_header_t *issuers)
{
    if (!issuers) {
        return CLERK_REASON_NONE;
    }
    return iss && list_has(issuers, iss) ? CLERK_REASON_NONE : CLERK_REASON_TOKEN_INVALID_ISSUER;
}

/*
 * Convert to microseconds since 1970; fractions of a second are truncated. @return 0 if it is no number, or beyond the
 * range of dates
 */
static int time_value(apr_time_t *ptime, const clerk_claim_time *claim)
{
    const double beyond = SECONDS_MAX + 1;

    /* Check before the conversion, which is undefined for values that the integer cannot hold. */
    if (!claim->is_number || !(claim->seconds > -beyond && claim->seconds < beyond)) {
        return 0;
    }
    *ptime = (apr_int64_t)claim->seconds * APR_USEC_PER_SEC;
    return 1;
}

/* Check a time that may be absent and must not be after @a latest. */
static clerk_reason check_not_after(const clerk_claim_time *claim, apr_time_t latest, clerk_reason too_early)
{
    apr_time_t time;

    if (!claim->is_there) {
        return CLERK_REASON_NONE;
    }
    if (!time_value(&time, claim)) {
        return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    }
    return time > latest ? too_early : CLERK_REASON_NONE;
}

/* Tell whether a check was passed. @return the same reason */
static clerk_reason tell(const clerk_step_listener *steps, clerk_step step, clerk_reason reason)
{
    (void)clerk_step_tell(steps, step, reason == CLERK_REASON_NONE);
    return reason;
}

static clerk_reason check_times(const clerk_claims *claims, apr_interval_time_t skew, apr_time_t now,
                                const clerk_step_listener *steps)
{
    apr_time_t expires;
    clerk_reason reason;

    if (!clerk_step_tell(steps, CLERK_STEP_EXPIRES, time_value(&expires, &claims->expires))) {
        return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    }
    if (!clerk_step_tell(steps, CLERK_STEP_NOT_EXPIRED, expires > now - skew)) {
        return CLERK_REASON_TOKEN_EXPIRED;
    }
    reason = tell(steps, CLERK_STEP_NOT_BEFORE,
                  check_not_after(&claims->not_before, now + skew, CLERK_REASON_TOKEN_NOT_ACTIVE_YET));
    if (reason != CLERK_REASON_NONE) {
        return reason;
    }
    return tell(steps, CLERK_STEP_ISSUED_AT,
                check_not_after(&claims->issued_at, now + skew, CLERK_REASON_TOKEN_IAT_IN_THE_FUTURE));
}

/* protocol.md 4.3, row 9. */
static clerk_reason check_audiences(const clerk_claims *claims, const clerk_policy *policy)
{
    clerk_reason reason = check_audience(&claims->audience, policy->audience);

    return reason == CLERK_REASON_NONE && policy->narrower_audience
               ? check_audience(&claims->audience, policy->narrower_audience)
               : reason;
}

static clerk_reason check_parties(const clerk_claims *claims, const clerk_policy *policy, const clerk_party_site *site)
{
    clerk_reason reason = check_authorized_party(claims->authorized_party, policy->authorized_parties, site);

    return reason == CLERK_REASON_NONE && policy->narrower_parties
               ? check_authorized_party(claims->authorized_party, policy->narrower_parties, site)
               : reason;
}

clerk_reason clerk_claims_check(const clerk_claims *claims, const clerk_instance *instance, const clerk_policy *policy,
                                apr_interval_time_t skew, apr_time_t now, const clerk_party_site *site,
                                const clerk_step_listener *steps)
{
    clerk_reason reason = tell(steps, CLERK_STEP_SUBJECT, claims->subject_problem);

    if (reason == CLERK_REASON_NONE) {
        reason = tell(steps, CLERK_STEP_AUDIENCE, check_audiences(claims, policy));
    }
    if (reason == CLERK_REASON_NONE) {
        reason = tell(steps, CLERK_STEP_PARTY, check_parties(claims, policy, site));
    }
    if (reason == CLERK_REASON_NONE) {
        reason = tell(steps, CLERK_STEP_ISSUER, check_issuer(claims->issuer, instance->issuers));
    }
    return reason == CLERK_REASON_NONE ? check_times(claims, skew, now, steps) : reason;
}

clerk_reason clerk_claims_check_machine(const clerk_claims *claims, clerk_token_type type, int is_jwt,
                                        const clerk_policy *policy, apr_time_t now)
{
    clerk_reason reason = CLERK_REASON_NONE;

    if (is_jwt || type == CLERK_TOKEN_OAUTH) {
        reason = check_audiences(claims, policy);
    }
    if (reason == CLERK_REASON_NONE && is_jwt) {
        reason = check_times(claims, policy->clock_skew, now, NULL);
    }
    return reason == CLERK_REASON_NONE ? reason : CLERK_REASON_TOKEN_VERIFICATION_FAILED;
}

/* Whether a value counts as false in JavaScript. */
static int is_falsy(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value)
           || (json_is_number(value) && json_number_value(value) == 0)
           || (json_is_string(value) && json_string_length(value) == 0);
}

static clerk_claim_time read_time(const json_t *value)
{
    clerk_claim_time claim = {value != NULL, json_is_number(value), json_number_value(value)};

    return claim;
}

/* Read `aud`. An array with anything but strings is not well formed: no list. */
static clerk_texts read_audience(const json_t *aud, apr_pool_t *pool)
{
    static const clerk_texts none = {NULL, 0};
    apr_array_header_t *texts;

    if (!json_is_string(aud) && !json_is_array(aud)) {
        return none;
    }
    texts = apr_array_make(pool, 2, sizeof(const char *));
    if (json_is_string(aud)) {
        APR_ARRAY_PUSH(texts, const char *) = json_string_value(aud);
    }
    for (size_t i = 0; i < json_array_size(aud); i++) {
        const json_t *entry = json_array_get(aud, i);

        if (!json_is_string(entry)) {
            return none;
        }
        APR_ARRAY_PUSH(texts, const char *) = json_string_value(entry);
    }
    return clerk_texts_make(texts, pool);
}

void clerk_claims_read_machine(clerk_claims *claims, const json_t *payload, apr_pool_t *pool)
{
    const json_t *iss = json_object_get(payload, "iss");

    claims->subject_problem = check_subject(json_object_get(payload, "sub"));
    claims->audience = read_audience(json_object_get(payload, "aud"), pool);
    claims->authorized_party = json_string_value(json_object_get(payload, "azp"));
    claims->issuer = json_string_value(iss);
    claims->issuer_is_falsy = is_falsy(iss);
    claims->expires = read_time(json_object_get(payload, "exp"));
    claims->not_before = read_time(json_object_get(payload, "nbf"));
    claims->issued_at = read_time(json_object_get(payload, "iat"));
}

void clerk_claims_read(clerk_claims *claims, const json_t *payload, apr_pool_t *pool)
{
    clerk_claims_read_machine(claims, payload, pool);
    if (claims->subject_problem == CLERK_REASON_NONE) {
        claims->subject_problem = check_session(json_object_get(payload, "sid"));
    }
}
