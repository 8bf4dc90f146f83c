/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "clerk/reason.h"

/* protocol.md 16, and two of our own. Order and spelling must not change: they are an interface. */
static const struct {
    clerk_reason reason;
    const char *text;
} cases[] = {
    {CLERK_REASON_NONE, ""},
    {CLERK_REASON_CLIENT_UAT_BUT_NO_SESSION_TOKEN, "client-uat-but-no-session-token"},
    {CLERK_REASON_DEV_BROWSER_MISSING, "dev-browser-missing"},
    {CLERK_REASON_DEV_BROWSER_SYNC, "dev-browser-sync"},
    {CLERK_REASON_PRIMARY_RESPONDS_TO_SYNCING, "primary-responds-to-syncing"},
    {CLERK_REASON_PRIMARY_DOMAIN_CROSS_ORIGIN_SYNC, "primary-domain-cross-origin-sync"},
    {CLERK_REASON_SATELLITE_NEEDS_SYNCING, "satellite-needs-syncing"},
    {CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING, "session-token-and-uat-missing"},
    {CLERK_REASON_SESSION_TOKEN_MISSING, "session-token-missing"},
    {CLERK_REASON_SESSION_TOKEN_EXPIRED, "session-token-expired"},
    {CLERK_REASON_SESSION_TOKEN_IAT_BEFORE_CLIENT_UAT, "session-token-iat-before-client-uat"},
    {CLERK_REASON_SESSION_TOKEN_NBF, "session-token-nbf"},
    {CLERK_REASON_SESSION_TOKEN_IAT_IN_THE_FUTURE, "session-token-iat-in-the-future"},
    {CLERK_REASON_SESSION_TOKEN_BUT_NO_CLIENT_UAT, "session-token-but-no-client-uat"},
    {CLERK_REASON_ACTIVE_ORGANIZATION_MISMATCH, "active-organization-mismatch"},
    {CLERK_REASON_SESSION_PENDING, "session-pending"},
    {CLERK_REASON_SESSION_REVOKED, "session-revoked"},
    {CLERK_REASON_REVOCATIONS_UNKNOWN, "revocations-unknown"},
    {CLERK_REASON_TOKEN_TYPE_MISMATCH, "token-type-mismatch"},
    {CLERK_REASON_TOKEN_EXPIRED, "token-expired"},
    {CLERK_REASON_TOKEN_INVALID, "token-invalid"},
    {CLERK_REASON_TOKEN_INVALID_ALGORITHM, "token-invalid-algorithm"},
    {CLERK_REASON_TOKEN_INVALID_AUTHORIZED_PARTIES, "token-invalid-authorized-parties"},
    {CLERK_REASON_TOKEN_INVALID_ISSUER, "token-invalid-issuer"},
    {CLERK_REASON_TOKEN_INVALID_SIGNATURE, "token-invalid-signature"},
    {CLERK_REASON_TOKEN_NOT_ACTIVE_YET, "token-not-active-yet"},
    {CLERK_REASON_TOKEN_IAT_IN_THE_FUTURE, "token-iat-in-the-future"},
    {CLERK_REASON_TOKEN_VERIFICATION_FAILED, "token-verification-failed"},
    {CLERK_REASON_SECRET_KEY_INVALID, "secret-key-invalid"},
    {CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD, "jwk-remote-failed-to-load"},
    {CLERK_REASON_JWK_KID_MISMATCH, "jwk-kid-mismatch"},
    {CLERK_REASON_UNEXPECTED_ERROR, "unexpected-error"},
    {CLERK_REASON_NO_TOKEN_IN_HEADER, "No token in header"},
};

static void every_reason_has_its_text(void **state)
{
    (void)state;
    assert_int_equal(sizeof(cases) / sizeof(cases[0]), CLERK_REASON_COUNT);
    for (size_t i = 0; i < CLERK_REASON_COUNT; i++) {
        assert_int_equal(cases[i].reason, i);
        assert_string_equal(clerk_reason_text(cases[i].reason), cases[i].text);
    }
}

static void no_reason_is_without_text(void **state)
{
    (void)state;
    assert_string_equal(clerk_reason_text(CLERK_REASON_COUNT), "unexpected-error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_its_text),
        cmocka_unit_test(no_reason_is_without_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
