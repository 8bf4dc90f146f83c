/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_CLAIMS_H
#define CLERK_SESSION_CLAIMS_H

#include <jansson.h>

#include "clerk/instance/instance.h"
#include "clerk/reason.h"
#include "clerk/request.h"
#include "clerk/session/texts.h"
#include "clerk/step.h"
#include "clerk/token_type.h"
#include "clerk/url/party.h"

/** A time claim of a token. */
typedef struct clerk_claim_time {
    int is_there;
    int is_number;
    double seconds; /**< since 1970; 0 if it is no number */
} clerk_claim_time;

/**
 * The claims needed for the checks of protocol.md 4.3 and for the choice between cookies (protocol.md 2.5). Cached, so
 * that a token from the token cache is checked without parsing its JSON. Texts are NULL if the claim is absent or no
 * string.
 */
typedef struct clerk_claims {
    clerk_reason subject_problem; /**< the result of the check of `sub`: protocol.md 4.3, row 8 */
    clerk_texts audience;         /**< `aud`; no list if it is absent, or neither a string nor an array of strings */
    const char *authorized_party; /**< `azp` */
    const char *issuer;           /**< `iss` */
    int issuer_is_falsy;          /**< `iss` counts as false in JavaScript */
    clerk_claim_time expires;     /**< `exp` */
    clerk_claim_time not_before;  /**< `nbf` */
    clerk_claim_time issued_at;   /**< `iat` */
} clerk_claims;

/** Read the claims of a session token's payload. @param payload must live as long as @a claims, which points into it */
void clerk_claims_read(clerk_claims *claims, const json_t *payload, apr_pool_t *pool);

/** The same for a machine token, which names no session. */
void clerk_claims_read_machine(clerk_claims *claims, const json_t *payload, apr_pool_t *pool);

/**
 * Check a verified payload's claims in the order of protocol.md 4.3, rows 8 to 13, with `iss` after `azp`
 * (differences.md rows 2, 12, 15 and 16): sub, aud, azp, iss, exp, nbf, iat. Times beyond the range of dates (8.64e12
 * s) are CLERK_REASON_TOKEN_VERIFICATION_FAILED.
 * @param skew used instead of the policy's (protocol.md 7.7)
 * @param steps is told of each check; or NULL
 */
clerk_reason clerk_claims_check(const clerk_claims *claims, const clerk_instance *instance, const clerk_policy *policy,
                                apr_interval_time_t skew, apr_time_t now, const clerk_party_site *site,
                                const clerk_step_listener *steps);

/**
 * Check the claims of a verified machine token (protocol.md 12.3 and 12.4): the audience of JWTs and of OAuth tokens,
 * and the times of JWTs. Authorized parties and issuer are those of session tokens (differences.md row 43).
 * @param is_jwt 0: it is opaque, and `expires` was checked already
 * @return CLERK_REASON_NONE, or CLERK_REASON_TOKEN_VERIFICATION_FAILED, whatever is wrong
 */
clerk_reason clerk_claims_check_machine(const clerk_claims *claims, clerk_token_type type, int is_jwt,
                                        const clerk_policy *policy, apr_time_t now);

#endif
