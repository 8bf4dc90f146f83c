/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "text/content_policy.h"

#define OWN "https://www.example.com"
#define API "https://clerk.example.com"

static void what_a_policy_allows(void **state)
{
    static const struct {
        const char *policy;
        clerk_content_policy_use use;
        const char *origin, *nonce;
        int allowed;
    } rows[] = {
        {"", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 1},
        {"img-src 'none'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 1},
        {"script-src 'self'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 1},
        {"script-src 'self'", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 0},
        {"SCRIPT-SRC\t'SELF'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 1},
        {"default-src 'self'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 1},
        {"default-src 'none'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        {"default-src", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        {"default-src 'none'; script-src 'self'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 1},
        {"script-src 'none'; script-src-elem 'self'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 1},
        {"script-src 'self'; script-src-elem 'none'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        {"script-src 'none'; script-src 'self'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        {"script-src-attr 'self'; default-src 'none'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        {"script-src 'unsafe-inline'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        {"script-src *", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 1},
        {"script-src https:", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 1},
        {"script-src http:", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 1},
        {"script-src data:", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 0},
        {"script-src clerk.example.com", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 1},
        {"script-src https://CLERK.example.com/npm/", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 1},
        {"script-src http://clerk.example.com", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 1},
        {"script-src *.example.com", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 1},
        {"script-src https://*.example.com", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 1},
        {"script-src *.clerk.example.com", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 0},
        {"script-src example.com", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 0},
        {"script-src clerk.example.com:443", CLERK_CONTENT_POLICY_SCRIPT, API, NULL, 1},
        {"script-src clerk.example.com:*", CLERK_CONTENT_POLICY_SCRIPT, API ":8443", NULL, 1},
        {"script-src clerk.example.com", CLERK_CONTENT_POLICY_SCRIPT, API ":8443", NULL, 0},
        {"script-src clerk.example.com", CLERK_CONTENT_POLICY_SCRIPT, "http://clerk.example.com", NULL, 0},
        /* nonces */
        {"script-src 'nonce-abc'", CLERK_CONTENT_POLICY_SCRIPT, OWN, "abc", 1},
        {"script-src 'nonce-abc'", CLERK_CONTENT_POLICY_SCRIPT, OWN, "ab", 0},
        {"script-src 'nonce-abc'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        {"script-src 'strict-dynamic' 'nonce-abc' 'self'", CLERK_CONTENT_POLICY_SCRIPT, OWN, "abc", 1},
        {"script-src 'strict-dynamic' 'self'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        {"script-src 'strict-dynamic' 'sha256-x' https:", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        /* all policies of a field */
        {"script-src 'self', default-src 'none'", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 0},
        {"script-src 'self', img-src *", CLERK_CONTENT_POLICY_SCRIPT, OWN, NULL, 1},
        /* other uses */
        {"script-src 'none'", CLERK_CONTENT_POLICY_CONNECT, OWN, NULL, 1},
        {"connect-src 'self'", CLERK_CONTENT_POLICY_CONNECT, OWN, NULL, 1},
        {"connect-src 'self'", CLERK_CONTENT_POLICY_CONNECT, API, NULL, 0},
        {"default-src 'self' 'strict-dynamic'", CLERK_CONTENT_POLICY_CONNECT, OWN, NULL, 1},
        {"frame-src 'none'; child-src 'self'", CLERK_CONTENT_POLICY_FRAME, OWN, NULL, 0},
        {"child-src 'self'; default-src 'none'", CLERK_CONTENT_POLICY_FRAME, OWN, NULL, 1},
        {"default-src 'self' clerk.example.com", CLERK_CONTENT_POLICY_FRAME, API, NULL, 1},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        int allowed
            = clerk_content_policy_allows(rows[i].policy, rows[i].use, rows[i].origin, OWN, rows[i].nonce, f->pool);

        assert_case(rows[i].policy, allowed ? "allowed" : "blocked", rows[i].allowed ? "allowed" : "blocked");
    }
}

static void nonces_are_found(void **state)
{
    static const char *const rows[][2] = {
        {"script-src 'nonce-abc' 'self'", "abc"},
        {"default-src 'self' 'NONCE-x+/='", "x+/="},
        {"script-src 'self'; default-src 'nonce-abc'", NULL},
        {"style-src 'nonce-abc'", NULL},
        {"script-src 'nonce-' 'nonce-abc", NULL},
        {"script-src 'nonce-abc', script-src 'nonce-def'", "abc"},
        {"", NULL},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *nonce = clerk_content_policy_nonce(rows[i][0], f->pool);

        assert_case(rows[i][0], nonce ? nonce : "(none)", rows[i][1] ? rows[i][1] : "(none)");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(what_a_policy_allows),
        fixture_test(nonces_are_found),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
