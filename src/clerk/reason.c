/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/reason.h"

const char *clerk_reason_text(clerk_reason reason)
{
    static const char *const texts[CLERK_REASON_COUNT] = {
        [CLERK_REASON_NONE] = "",
        [CLERK_REASON_CLIENT_UAT_BUT_NO_SESSION_TOKEN] = "client-uat-but-no-session-token",
        [CLERK_REASON_DEV_BROWSER_MISSING] = "dev-browser-missing",
        [CLERK_REASON_DEV_BROWSER_SYNC] = "dev-browser-sync",
        [CLERK_REASON_PRIMARY_RESPONDS_TO_SYNCING] = "primary-responds-to-syncing",
        [CLERK_REASON_PRIMARY_DOMAIN_CROSS_ORIGIN_SYNC] = "primary-domain-cross-origin-sync",
        [CLERK_REASON_SATELLITE_NEEDS_SYNCING] = "satellite-needs-syncing",
        [CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING] = "session-token-and-uat-missing",
        [CLERK_REASON_SESSION_TOKEN_MISSING] = "session-token-missing",
        [CLERK_REASON_SESSION_TOKEN_EXPIRED] = "session-token-expired",
        [CLERK_REASON_SESSION_TOKEN_IAT_BEFORE_CLIENT_UAT] = "session-token-iat-before-client-uat",
        [CLERK_REASON_SESSION_TOKEN_NBF] = "session-token-nbf",
        [CLERK_REASON_SESSION_TOKEN_IAT_IN_THE_FUTURE] = "session-token-iat-in-the-future",
        [CLERK_REASON_SESSION_TOKEN_BUT_NO_CLIENT_UAT] = "session-token-but-no-client-uat",
        [CLERK_REASON_ACTIVE_ORGANIZATION_MISMATCH] = "active-organization-mismatch",
        [CLERK_REASON_SESSION_PENDING] = "session-pending",
        [CLERK_REASON_SESSION_REVOKED] = "session-revoked",
        [CLERK_REASON_REVOCATIONS_UNKNOWN] = "revocations-unknown",
        [CLERK_REASON_TOKEN_TYPE_MISMATCH] = "token-type-mismatch",
        [CLERK_REASON_TOKEN_EXPIRED] = "token-expired",
        [CLERK_REASON_TOKEN_INVALID] = "token-invalid",
        [CLERK_REASON_TOKEN_INVALID_ALGORITHM] = "token-invalid-algorithm",
        [CLERK_REASON_TOKEN_INVALID_AUTHORIZED_PARTIES] = "token-invalid-authorized-parties",
        [CLERK_REASON_TOKEN_INVALID_ISSUER] = "token-invalid-issuer",
        [CLERK_REASON_TOKEN_INVALID_SIGNATURE] = "token-invalid-signature",
        [CLERK_REASON_TOKEN_NOT_ACTIVE_YET] = "token-not-active-yet",
        [CLERK_REASON_TOKEN_IAT_IN_THE_FUTURE] = "token-iat-in-the-future",
        [CLERK_REASON_TOKEN_VERIFICATION_FAILED] = "token-verification-failed",
        [CLERK_REASON_SECRET_KEY_INVALID] = "secret-key-invalid",
        [CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD] = "jwk-remote-failed-to-load",
        [CLERK_REASON_JWK_KID_MISMATCH] = "jwk-kid-mismatch",
        [CLERK_REASON_UNEXPECTED_ERROR] = "unexpected-error",
        [CLERK_REASON_NO_TOKEN_IN_HEADER] = "No token in header",
    };

    return (unsigned int)reason < CLERK_REASON_COUNT ? texts[reason] : texts[CLERK_REASON_UNEXPECTED_ERROR];
}

int clerk_reason_is_unavailable(clerk_reason reason)
{
    return reason == CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD || reason == CLERK_REASON_SECRET_KEY_INVALID
           || reason == CLERK_REASON_UNEXPECTED_ERROR || reason == CLERK_REASON_REVOCATIONS_UNKNOWN;
}
