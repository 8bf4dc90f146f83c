/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_REASON_H
#define CLERK_REASON_H

/**
 * Why a request is not signed in (protocol.md 16), in the SDK's spelling, plus our own `token-invalid-issuer`,
 * `session-pending`, `session-revoked` and `revocations-unknown`. The texts are stable: the log, the
 * X-Clerk-Auth-Reason header and the counters show them.
 */
typedef enum clerk_reason {
    CLERK_REASON_NONE = 0, /**< signed in; no text */
    CLERK_REASON_CLIENT_UAT_BUT_NO_SESSION_TOKEN,
    CLERK_REASON_DEV_BROWSER_MISSING,
    CLERK_REASON_DEV_BROWSER_SYNC,
    CLERK_REASON_PRIMARY_RESPONDS_TO_SYNCING,
    CLERK_REASON_PRIMARY_DOMAIN_CROSS_ORIGIN_SYNC,
    CLERK_REASON_SATELLITE_NEEDS_SYNCING,
    CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING,
    CLERK_REASON_SESSION_TOKEN_MISSING,
    CLERK_REASON_SESSION_TOKEN_EXPIRED, /**< always followed by `-refresh-...` */
    CLERK_REASON_SESSION_TOKEN_IAT_BEFORE_CLIENT_UAT,
    CLERK_REASON_SESSION_TOKEN_NBF,
    CLERK_REASON_SESSION_TOKEN_IAT_IN_THE_FUTURE,
    CLERK_REASON_SESSION_TOKEN_BUT_NO_CLIENT_UAT,
    CLERK_REASON_ACTIVE_ORGANIZATION_MISMATCH,
    CLERK_REASON_SESSION_PENDING,
    CLERK_REASON_SESSION_REVOKED,     /**< the token is older than a revocation of its session, user or membership */
    CLERK_REASON_REVOCATIONS_UNKNOWN, /**< unavailable: nobody knows whether it is (ClerkRevocationFailure closed) */
    CLERK_REASON_TOKEN_TYPE_MISMATCH,
    CLERK_REASON_TOKEN_EXPIRED,
    CLERK_REASON_TOKEN_INVALID,
    CLERK_REASON_TOKEN_INVALID_ALGORITHM,
    CLERK_REASON_TOKEN_INVALID_AUTHORIZED_PARTIES,
    CLERK_REASON_TOKEN_INVALID_ISSUER,
    CLERK_REASON_TOKEN_INVALID_SIGNATURE,
    CLERK_REASON_TOKEN_NOT_ACTIVE_YET,
    CLERK_REASON_TOKEN_IAT_IN_THE_FUTURE,
    CLERK_REASON_TOKEN_VERIFICATION_FAILED,
    CLERK_REASON_SECRET_KEY_INVALID,        /**< unavailable: the key source does not accept our credential */
    CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD, /**< unavailable: no keys */
    CLERK_REASON_JWK_KID_MISMATCH,
    CLERK_REASON_UNEXPECTED_ERROR,
    CLERK_REASON_NO_TOKEN_IN_HEADER, /**< where one kind of machine token is accepted and nothing else */
    CLERK_REASON_COUNT
} clerk_reason;

/** The reason's text; "" for CLERK_REASON_NONE. Never NULL. */
const char *clerk_reason_text(clerk_reason reason);

/** Whether a reason means that the token could not be checked, so that it is neither good nor bad. */
int clerk_reason_is_unavailable(clerk_reason reason);

#endif
