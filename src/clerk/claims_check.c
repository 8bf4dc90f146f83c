/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session_token.h"

#include <string.h>

#include "clerk/claim_value.h"

static int list_has(const apr_array_header_t *list, const char *text)
{
    int i;

    for (i = 0; i < list->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(list, i, const char *), text) == 0)
            return 1;
    }
    return 0;
}

/* The SDK drops empty entries of the configured list, so a list of nothing else is no list. */
static int audience_configured(const apr_array_header_t *audience)
{
    int i;

    for (i = 0; audience && i < audience->nelts; i++) {
        if (*APR_ARRAY_IDX(audience, i, const char *))
            return 1;
    }
    return 0;
}

static int audience_matches(const apr_array_header_t *audience, const json_t *value)
{
    const char *text = json_string_value(value);

    return text && *text && list_has(audience, text);
}

/* 4.5 with interface 5, row 16: once an audience is configured, a token that names none properly is refused. */
static clerk_reason check_audience(const json_t *aud, const apr_array_header_t *audience)
{
    int matches = 0;

    if (!audience_configured(audience))
        return CLERK_REASON_NONE;
    if (json_is_array(aud)) {
        size_t i;

        for (i = 0; i < json_array_size(aud); i++) {
            const json_t *entry = json_array_get(aud, i);

            if (!json_is_string(entry))
                return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
            matches |= audience_matches(audience, entry);
        }
    } else {
        matches = audience_matches(audience, aud);
    }
    return matches ? CLERK_REASON_NONE : CLERK_REASON_TOKEN_VERIFICATION_FAILED;
}

static clerk_reason check_subject(const json_t *sub)
{
    const char *text = json_string_value(sub);

    if (!text)
        return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    return *text && clerk_text_is_clean(text) ? CLERK_REASON_NONE : CLERK_REASON_TOKEN_INVALID;
}

/* Byte for byte: `azp` is the browser's own Origin, which has one spelling only. */
static clerk_reason check_authorized_party(const json_t *azp, const apr_array_header_t *parties)
{
    const char *text = json_string_value(azp);

    if (!parties || parties->nelts == 0)
        return CLERK_REASON_NONE;
    return text && *text && list_has(parties, text) ? CLERK_REASON_NONE
                                                    : CLERK_REASON_TOKEN_INVALID_AUTHORIZED_PARTIES;
}

static clerk_reason check_issuer(const json_t *iss, const apr_array_header_t *issuers)
{
    const char *text = json_string_value(iss);

    if (!issuers)
        return CLERK_REASON_NONE;
    return text && list_has(issuers, text) ? CLERK_REASON_NONE : CLERK_REASON_TOKEN_INVALID_ISSUER;
}

/* A time that may be absent and must not lie after @a latest. */
static clerk_reason check_not_after(const json_t *claim, apr_time_t latest, clerk_reason too_early)
{
    apr_int64_t seconds;

    if (!claim)
        return CLERK_REASON_NONE;
    if (!clerk_claim_seconds(&seconds, claim))
        return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    return seconds * APR_USEC_PER_SEC > latest ? too_early : CLERK_REASON_NONE;
}

static clerk_reason check_times(const json_t *claims, apr_interval_time_t skew, apr_time_t now)
{
    clerk_reason reason;
    apr_int64_t seconds;

    if (!clerk_claim_seconds(&seconds, json_object_get(claims, "exp")))
        return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    if (seconds * APR_USEC_PER_SEC <= now - skew)
        return CLERK_REASON_TOKEN_EXPIRED;
    reason = check_not_after(json_object_get(claims, "nbf"), now + skew, CLERK_REASON_TOKEN_NOT_ACTIVE_YET);
    if (reason != CLERK_REASON_NONE)
        return reason;
    return check_not_after(json_object_get(claims, "iat"), now + skew, CLERK_REASON_TOKEN_IAT_IN_THE_FUTURE);
}

clerk_reason clerk_claims_check(const json_t *claims, const clerk_instance *instance, const clerk_policy *policy,
                                apr_interval_time_t skew, apr_time_t now)
{
    clerk_reason reason = check_subject(json_object_get(claims, "sub"));

    if (reason == CLERK_REASON_NONE)
        reason = check_audience(json_object_get(claims, "aud"), policy->audience);
    if (reason == CLERK_REASON_NONE)
        reason = check_authorized_party(json_object_get(claims, "azp"), policy->authorized_parties);
    if (reason == CLERK_REASON_NONE)
        reason = check_issuer(json_object_get(claims, "iss"), instance->issuers);
    if (reason == CLERK_REASON_NONE)
        reason = check_times(claims, skew, now);
    return reason;
}
