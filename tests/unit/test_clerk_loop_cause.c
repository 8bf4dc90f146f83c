/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/browser/loop_cause.h"

#define GOOD "__session=<S>; __client_uat=1"
#define ANSWER "; __clerk_handshake_nonce=n"
#define CAME GOOD ANSWER
#define EXPIRED CLERK_REASON_SESSION_TOKEN_EXPIRED
#define NO_UAT CLERK_REASON_SESSION_TOKEN_BUT_NO_CLIENT_UAT
#define TOO_OLD CLERK_REASON_SESSION_TOKEN_IAT_BEFORE_CLIENT_UAT

/* Members that are NULL or 0 have the value of a production browser on https://app.example.com; the server has a secret
 * key. */
typedef struct loop_row {
    const char *name;
    clerk_loop_cause expected;
    clerk_reason reason;
    const char *cookie;
    const char *origin;
    const char *proto;
    const char *forwarded_host;
    const char *host;
    const char *referer;
    int development;
    int failed;
    int untimely;
    int secretless;
} loop_row;

static void the_cause_that_fits_best_is_named(void **state)
{
    static const loop_row rows[] = {
        {"nothing to see", CLERK_LOOP_UNKNOWN, TOO_OLD, .cookie = CAME},
        {"all addresses agree", CLERK_LOOP_UNKNOWN, TOO_OLD, .cookie = CAME, .proto = "https",
         .forwarded_host = "app.example.com:443", .host = "10.0.0.1", .referer = "https://app.example.com/x"},
        {"a visitor from elsewhere", CLERK_LOOP_UNKNOWN, TOO_OLD, .cookie = CAME, .host = "app.example.com",
         .referer = "http://search.example/"},
        {"a referrer that is none", CLERK_LOOP_UNKNOWN, TOO_OLD, .cookie = CAME, .referer = "://"},

        {"TLS ends at the proxy", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .origin = "http://app.example.com",
         .proto = "https"},
        {"the other way round", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .proto = "http"},
        {"the proxy's host", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .origin = "https://internal.example.com",
         .proto = "https", .forwarded_host = "app.example.com"},
        {"another port", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .host = "app.example.com:8443"},
        {"UseCanonicalName", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .host = "www.example.com"},
        {"a name that begins alike", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .host = "app.example.community"},
        {"the last page was on https", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .development = 1,
         .origin = "http://localhost:8080", .referer = "https://localhost:8080/x"},
        {"fetch metadata on http", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .development = 1,
         .origin = "http://app.example.com"},
        {"a host that begins like this machine's", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .development = 1,
         .origin = "http://127.example.com"},
        {"an IPv6 address elsewhere", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .development = 1,
         .origin = "http://[2001:db8::1]:8080"},
        {"the other scheme's port", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .host = "app.example.com:80"},
        {"a host that is none", CLERK_LOOP_WRONG_ORIGIN, EXPIRED, .cookie = GOOD, .host = "app.example.com:443:443"},
        {"a development machine", CLERK_LOOP_COOKIES, CLERK_REASON_DEV_BROWSER_MISSING, .development = 1,
         .origin = "http://localhost:8080", .host = "localhost:8080"},
        {"an address of this machine", CLERK_LOOP_COOKIES, CLERK_REASON_DEV_BROWSER_MISSING, .development = 1,
         .origin = "http://127.0.0.1:8080"},
        {"a name of this machine", CLERK_LOOP_COOKIES, CLERK_REASON_DEV_BROWSER_MISSING, .development = 1,
         .origin = "http://app.localhost:8080"},
        {"this machine, IPv6", CLERK_LOOP_COOKIES, CLERK_REASON_DEV_BROWSER_MISSING, .development = 1,
         .origin = "http://[::1]:8080"},

        {"not yet valid", CLERK_LOOP_CLOCK, CLERK_REASON_SESSION_TOKEN_NBF, .cookie = GOOD},
        {"issued in the future", CLERK_LOOP_CLOCK, CLERK_REASON_SESSION_TOKEN_IAT_IN_THE_FUTURE, .cookie = GOOD},
        {"a client from the future", CLERK_LOOP_CLOCK, TOO_OLD, .cookie = "__session=<S>; __client_uat=1800000061"},
        {"within the tolerance", CLERK_LOOP_UNKNOWN, TOO_OLD,
         .cookie = "__session=<S>; __client_uat=1800000060" ANSWER},
        {"expired, and expired again", CLERK_LOOP_CLOCK, EXPIRED, .cookie = "__session=<dev-expired>; __client_uat=1",
         .development = 1},
        {"expired, and so is the answer", CLERK_LOOP_CLOCK, EXPIRED, .cookie = "__session=<X>; __client_uat=1" ANSWER,
         .failed = 1, .untimely = 1},

        {"two of one name", CLERK_LOOP_TWO_CLIENT_UATS, TOO_OLD,
         .cookie = "__session=<S>; __client_uat=1; theme=dark; __client_uat=1799999990"},
        {"plain and suffixed", CLERK_LOOP_TWO_CLIENT_UATS, TOO_OLD,
         .cookie = "__session_" LIVE_SUFFIX "=<S>; __client_uat=1;__client_uat_" LIVE_SUFFIX "=1799999990"},
        {"white space around the '='", CLERK_LOOP_TWO_CLIENT_UATS, TOO_OLD,
         .cookie = "__session=<S>; __client_uat =1; __client_uat= 1799999990"},
        {"one begins like the other", CLERK_LOOP_TWO_CLIENT_UATS, TOO_OLD,
         .cookie = "__client_uat=1; __session=<S>; __client_uat=17"},
        {"twice the same", CLERK_LOOP_UNKNOWN, TOO_OLD,
         .cookie
         = "__session=<S>; __client_uat=5; __client_uat_" LIVE_SUFFIX "=5; __session_" LIVE_SUFFIX "=<S>" ANSWER},
        {"the same but for white space", CLERK_LOOP_UNKNOWN, TOO_OLD,
         .cookie = "__session=<S>; __client_uat=5 ;__client_uat = 5" ANSWER},
        {"that of another instance", CLERK_LOOP_UNKNOWN, TOO_OLD,
         .cookie = "__session=<S>; __client_uat=5; __client_uat_other123=7" ANSWER},
        {"a name alone", CLERK_LOOP_UNKNOWN, TOO_OLD, .cookie = "__client_uat; __session=<S>; __client_uat=5;" ANSWER},

        {"the handshake was no use", CLERK_LOOP_WRONG_KEY, NO_UAT, .cookie = "__session=<S>", .failed = 1},
        {"a session of another instance", CLERK_LOOP_WRONG_KEY, NO_UAT, .cookie = "__session=<foreign>"},
        {"our own cookie, another issuer", CLERK_LOOP_WRONG_KEY, TOO_OLD,
         .cookie = "__session_" LIVE_SUFFIX "=<foreign>; __client_uat_" LIVE_SUFFIX "=1"},
        {"a session without issuer", CLERK_LOOP_UNKNOWN, TOO_OLD,
         .cookie = "__session=<no-iss>; __client_uat=1" ANSWER},
        {"a session that is none", CLERK_LOOP_UNKNOWN, TOO_OLD, .cookie = "__session=x; __client_uat=1" ANSWER},

        {"nothing came back", CLERK_LOOP_COOKIES, CLERK_REASON_DEV_BROWSER_MISSING, .cookie = ""},
        {"only the counter", CLERK_LOOP_COOKIES, CLERK_REASON_SATELLITE_NEEDS_SYNCING,
         .cookie = "__clerk_redirect_count=3"},
        {"the session was too long", CLERK_LOOP_COOKIES, CLERK_REASON_CLIENT_UAT_BUT_NO_SESSION_TOKEN,
         .cookie = "__client_uat=1"},
        {"no client", CLERK_LOOP_COOKIES, NO_UAT, .cookie = "__session=<S>"},
        {"no answer, and the session has expired", CLERK_LOOP_COOKIES, EXPIRED,
         .cookie = "__session=<X>; __client_uat=1"},

        {"no answer, and no secret key", CLERK_LOOP_ANSWER_TOO_LARGE, CLERK_REASON_CLIENT_UAT_BUT_NO_SESSION_TOKEN,
         .cookie = "__client_uat=1", .secretless = 1},
        {"no answer, no secret key, expired", CLERK_LOOP_ANSWER_TOO_LARGE, EXPIRED,
         .cookie = "__session=<X>; __client_uat=1", .secretless = 1},
        {"no answer, no secret key, another organization", CLERK_LOOP_ANSWER_TOO_LARGE, TOO_OLD, .cookie = GOOD,
         .secretless = 1},
        {"an answer, and no secret key", CLERK_LOOP_UNKNOWN, TOO_OLD, .cookie = GOOD "; __clerk_handshake=x",
         .secretless = 1},
        {"nothing at all, and no secret key", CLERK_LOOP_COOKIES, CLERK_REASON_SATELLITE_NEEDS_SYNCING, .cookie = "",
         .secretless = 1},
        {"a development instance has the answer in the URL", CLERK_LOOP_COOKIES,
         CLERK_REASON_CLIENT_UAT_BUT_NO_SESSION_TOKEN, .cookie = "__client_uat=1; __clerk_db_jwt=d", .development = 1},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_address_hints hints = {rows[i].proto, rows[i].forwarded_host, rows[i].host};
        const clerk_outcome outcome = {.status = CLERK_SIGNED_OUT,
                                       .reason = rows[i].reason,
                                       .loop = 1,
                                       .handshake_failed = rows[i].failed,
                                       .handshake_untimely = rows[i].untimely};
        clerk_instance_options any = {.publishable_key = TEST_KEY, .issuers = list_of(f->pool, "any", NULL)};
        clerk_instance_options live
            = {.publishable_key = LIVE_KEY, .secret_key = rows[i].secretless ? NULL : "sk_live_x"};
        clerk_loop_cause cause;

        f->request.cookie = expand(rows[i].cookie, f->pool);
        f->request.origin_url = rows[i].origin ? rows[i].origin : "https://app.example.com";
        f->request.referer = rows[i].referer;
        cause
            = clerk_loop_cause_find(&f->request, &hints, clerk_fixture_instance(f, rows[i].development ? &any : &live),
                                    &outcome, &f->services, f->pool);
        assert_case(rows[i].name, clerk_loop_cause_text(cause), clerk_loop_cause_text(rows[i].expected));
    }
    assert_int_equal(f->calls, 0);
}

static void a_production_site_needs_https(void **state)
{
    fixture *f = *state;
    const clerk_address_hints hints = {NULL, NULL, NULL};
    const clerk_outcome outcome = {.reason = CLERK_REASON_CLIENT_UAT_BUT_NO_SESSION_TOKEN, .loop = 1};

    f->request.sec_fetch_dest = NULL;
    f->request.cookie = "__client_uat=1";
    f->request.origin_url = "http://app.example.com";
    assert_int_equal(clerk_loop_cause_find(&f->request, &hints, live_instance(f), &outcome, &f->services, f->pool),
                     CLERK_LOOP_WRONG_ORIGIN);
    assert_int_equal(clerk_loop_cause_find(&f->request, &hints, test_instance(f), &outcome, &f->services, f->pool),
                     CLERK_LOOP_COOKIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(the_cause_that_fits_best_is_named),
        fixture_test(a_production_site_needs_https),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
