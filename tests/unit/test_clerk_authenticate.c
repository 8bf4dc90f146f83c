/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_decision.h"

#include "clerk/outcome.h"

static void header_tokens(void **state)
{
    static const row rows[] = {
        {.name = "valid", .authorization = "Bearer <S>", .expected = "signed-in"},
        {.name = "no scheme", .authorization = "<S>", .expected = "signed-in"},
        {.name = "more words", .authorization = "Bearer <S> junk more", .expected = "signed-in"},
        {.name = "two spaces", .authorization = "Bearer  <S>", .expected = "signed-out token-invalid"},
        {.name = "two spaces, another scheme", .authorization = "Basic  x", .expected = "signed-out token-invalid"},
        {.name = "a tab", .authorization = "Bearer\t<S>", .expected = "signed-out token-invalid"},
        {.name = "only the scheme", .authorization = "Bearer", .expected = "signed-out token-invalid"},
        {.name = "only another scheme", .authorization = "Negotiate", .expected = "signed-out token-invalid"},
        {.name = "opaque", .authorization = "Bearer ak_x", .expected = "signed-out token-invalid"},
        /* differences.md row 29 */
        {.name = "lower case", .authorization = "bearer <S>", .expected = "signed-in"},
        {.name = "upper case", .authorization = "BEARER <S>", .expected = "signed-in"},
        {.name = "mixed case", .authorization = "bEaReR <S> junk", .expected = "signed-in"},
        {.name = "lower case, garbage", .authorization = "bearer x", .expected = "signed-out token-invalid"},
        {.name = "a longer scheme",
         .authorization = "Bearers <S>",
         .expected = "signed-out session-token-and-uat-missing"},
        {.name = "basic", .authorization = "Basic <S>", .expected = "signed-out session-token-and-uat-missing"},
        {.name = "basic, cookies",
         .authorization = "Basic eDp5",
         .cookie = "__session=<S>; __client_uat=1",
         .expected = "signed-in"},
        {.name = "the header wins absolutely",
         .authorization = "Bearer garbage",
         .cookie = "__session=<S>; __client_uat=1",
         .expected = "signed-out token-invalid"},
        {.name = "the uat does not matter",
         .authorization = "Bearer <S>",
         .cookie = "__client_uat=1900000000",
         .expected = "signed-in"},
        {.name = "template", .authorization = "Bearer <template>", .expected = "signed-out token-type-mismatch"},
        {.name = "machine", .authorization = "Bearer <machine>", .expected = "signed-out token-type-mismatch"},
        {.name = "forged", .authorization = "Bearer <forged>", .expected = "signed-out token-invalid-signature"},
        {.name = "another issuer", .authorization = "Bearer <foreign>", .expected = "signed-out token-invalid-issuer"},
        {.name = "expired, a page",
         .authorization = "Bearer <X>",
         .expected = "handshake " NO_REFRESH,
         .location = HANDSHAKE},
        {.name = "expired, no page",
         .authorization = "Bearer <X>",
         .sec_fetch_dest = "empty",
         .expected = "signed-out " NO_REFRESH},
        {.name = "expired, POST", .authorization = "Bearer <X>", .method = "POST", .expected = "signed-out " NON_GET},
        {.name = "expired, with the cookies' refresh token",
         .authorization = "Bearer <X>",
         .cookie = "__refresh_" LIVE_SUFFIX "=r; __session=<X>; __client_uat=1",
         .sec_fetch_dest = "empty",
         .expected = "signed-out " NO_REFRESH},
        {.name = "not yet",
         .authorization = "Bearer <early>",
         .expected = "handshake session-token-nbf",
         .location = HANDSHAKE},
        {.name = "not yet, no page",
         .authorization = "Bearer <early>",
         .sec_fetch_dest = "empty",
         .expected = "signed-out session-token-nbf"},
        {.name = "from the future",
         .authorization = "Bearer <future>",
         .sec_fetch_dest = "empty",
         .expected = "signed-out session-token-iat-in-the-future"},
        {.name = "another organization",
         .authorization = "Bearer <S>",
         .target = "/orgs/acme",
         .expected = "signed-in"},
        {.name = "a foreign referrer",
         .authorization = "Bearer <S>",
         .referer = "https://evil.test/",
         .expected = "signed-in"},
    };
    fixture *f = *state;
    const clerk_outcome *outcome;
    clerk_organization_sync *sync;

    assert_null(clerk_organization_sync_compile(&sync, list_of(f->pool, "/orgs/:slug", NULL), NULL, f->pool));
    f->policy.organization_sync = sync;
    run(f, live_instance(f), rows, COUNT(rows));
    assert_int_equal(f->calls, 0);

    /* A token from the header is never put into a URL; the session cookie is. */
    outcome = decide_row(f, live_instance(f), &(row){.authorization = "Bearer <X>"});
    assert_null(strstr(outcome->location, "__session"));
    assert_int_equal(outcome->carrier, CLERK_CARRIER_HEADER);
    outcome = decide_row(f, live_instance(f),
                         &(row){.authorization = "Bearer <early>", .cookie = "__session=<S>; __client_uat=1"});
    assert_non_null(strstr(outcome->location, apr_pstrcat(f->pool, "&__session=", expand("<S>", f->pool), NULL)));
    assert_null(strstr(outcome->location, expand("<early>", f->pool)));
    f->request.authorization = expand("Bearer <S>, Bearer <S>", f->pool);
    assert_string_equal(verdict(decide(f, live_instance(f)), f->pool), "signed-out token-invalid");
}

static void token_sources_are_obeyed(void **state)
{
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    const row both = {.authorization = "Bearer <forged>", .cookie = "__session=<S>; __client_uat=1"};
    const row cookies = {.cookie = "__session=<S>; __client_uat=1"};
    const row handshake = {.cookie = "__client_uat=1; __clerk_handshake_nonce=n"};
    const clerk_outcome *outcome;

    f->policy.token_sources = CLERK_SOURCE_COOKIE;
    assert_string_equal(verdict(decide_row(f, instance, &both), f->pool), "signed-in");

    f->policy.token_sources = CLERK_SOURCE_HEADER;
    assert_string_equal(verdict(decide_row(f, instance, &both), f->pool), "signed-out token-invalid-signature");
    outcome = decide_row(f, instance, &cookies);
    assert_string_equal(verdict(outcome, f->pool), "signed-out session-token-and-uat-missing");
    assert_int_equal(outcome->carrier, CLERK_CARRIER_NONE);
    assert_string_equal(verdict(decide_row(f, instance, &handshake), f->pool),
                        "signed-out session-token-and-uat-missing");
    assert_int_equal(f->calls, 0);
    outcome = decide_row(f, instance, &(row){.authorization = "Bearer <X>"});
    assert_string_equal(verdict(outcome, f->pool), "signed-out " NO_REFRESH);
    assert_null(outcome->location);
    assert_string_equal(verdict(decide_row(f, test_instance(f), &cookies), f->pool),
                        "signed-out session-token-and-uat-missing");
}

static void cookies_in_production(void **state)
{
    static const row rows[] = {
        {.name = "nothing", .expected = "signed-out session-token-and-uat-missing"},
        {.name = "uat",
         .cookie = "__client_uat=123",
         .expected = "handshake " REASON_NO_SESSION,
         .location = HANDSHAKE},
        {.name = "session", .cookie = "__session=<S>", .expected = "handshake " REASON_NO_UAT, .location = HANDSHAKE},
        {.name = "uat 0",
         .cookie = "__session=<S>; __client_uat=0",
         .expected = "handshake " REASON_NO_UAT,
         .location = HANDSHAKE},
        {.name = "uat abc",
         .cookie = "__session=<S>; __client_uat=abc",
         .expected = "handshake " REASON_NO_UAT,
         .location = HANDSHAKE},
        {.name = "session, no page",
         .cookie = "__session=<S>",
         .sec_fetch_dest = "empty",
         .expected = "signed-out " REASON_NO_UAT},
        {.name = "signed in", .cookie = "__session=<S>; __client_uat=1799999960", .expected = "signed-in"},
        {.name = "the uat's very second", .cookie = "__session=<S>; __client_uat=1799999970", .expected = "signed-in"},
        {.name = "uat 12abc", .cookie = "__session=<S>; __client_uat=12abc", .expected = "signed-in"},
        {.name = "uat -5", .cookie = "__session=<S>; __client_uat=-5", .expected = "signed-in"},
        {.name = "uat later",
         .cookie = "__session=<S>; __client_uat=1799999971",
         .expected = "handshake session-token-iat-before-client-uat",
         .location = HANDSHAKE},
        {.name = "no iat", .cookie = "__session=<no-iat>; __client_uat=1", .expected = "signed-in"},
        {.name = "iat is no whole number", .cookie = "__session=<real-iat>; __client_uat=1", .expected = "signed-in"},
        {.name = "iat is no whole number, uat later",
         .cookie = "__session=<real-iat>; __client_uat=1799999971",
         .expected = "handshake session-token-iat-before-client-uat",
         .location = HANDSHAKE},
        {.name = "iat is text",
         .cookie = "__session=<text-iat>; __client_uat=1",
         .expected = "signed-out token-verification-failed"},
        {.name = "expired",
         .cookie = "__session=<X>; __client_uat=1",
         .expected = "handshake " NO_REFRESH,
         .location = HANDSHAKE},
        {.name = "expired, POST",
         .cookie = "__session=<X>; __client_uat=1",
         .method = "POST",
         .expected = "signed-out " NON_GET},
        {.name = "expired, no page",
         .cookie = "__session=<X>; __client_uat=1",
         .sec_fetch_dest = "empty",
         .expected = "signed-out " NO_REFRESH},
        {.name = "expired, un-suffixed refresh",
         .cookie = "__session=<X>; __client_uat=1; __refresh=r",
         .expected = "handshake " NO_REFRESH,
         .location = HANDSHAKE},
        {.name = "early",
         .cookie = "__session=<early>; __client_uat=1",
         .expected = "handshake session-token-nbf",
         .location = HANDSHAKE},
        {.name = "future",
         .cookie = "__session=<future>; __client_uat=1",
         .expected = "handshake session-token-iat-in-the-future",
         .location = HANDSHAKE},
        {.name = "old browser",
         .cookie = "__client_uat=1",
         .sec_fetch_dest = "",
         .accept = "text/html,*/*",
         .expected = "handshake " REASON_NO_SESSION,
         .location = HANDSHAKE},
        {.name = "no fetch metadata, any",
         .cookie = "__client_uat=1",
         .sec_fetch_dest = "",
         .accept = "*/*",
         .expected = "signed-out " REASON_NO_SESSION},
        {.name = "no fetch metadata, html second",
         .cookie = "__client_uat=1",
         .sec_fetch_dest = "",
         .accept = "application/xml, text/html",
         .expected = "signed-out " REASON_NO_SESSION},
        {.name = "no fetch metadata, Text/HTML",
         .cookie = "__client_uat=1",
         .sec_fetch_dest = "",
         .accept = "Text/HTML",
         .expected = "signed-out " REASON_NO_SESSION},
        {.name = "nothing to go by",
         .cookie = "__client_uat=1",
         .sec_fetch_dest = "",
         .expected = "signed-out " REASON_NO_SESSION},
        {.name = "HEAD", .cookie = "__client_uat=1", .method = "HEAD", .expected = "signed-out " REASON_NO_SESSION},
        {.name = "frame",
         .cookie = "__client_uat=1",
         .sec_fetch_dest = "frame",
         .accept = "text/html",
         .expected = "signed-out " REASON_NO_SESSION},
        {.name = "Document",
         .cookie = "__client_uat=1",
         .sec_fetch_dest = "Document",
         .expected = "signed-out " REASON_NO_SESSION},
        {.name = "iframe",
         .cookie = "__client_uat=1",
         .sec_fetch_dest = "iframe",
         .expected = "handshake " REASON_NO_SESSION,
         .location = HANDSHAKE},
        {.name = "garbage", .cookie = "__session=garbage; __client_uat=1", .expected = "signed-out token-invalid"},
        {.name = "a.b.c", .cookie = "__session=a.b.c; __client_uat=1", .expected = "signed-out token-invalid"},
        {.name = "quoted", .cookie = "__session=\"<S>\"; __client_uat=1", .expected = "signed-out token-invalid"},
        {.name = "first one garbage",
         .cookie = "__session=x; __session=<S>; __client_uat=1",
         .expected = "signed-out token-invalid"},
        {.name = "header null",
         .cookie = "__session=bnVsbA.e30.AA; __client_uat=1",
         .expected = "signed-out token-invalid"},
        {.name = "payload null",
         .cookie = "__session=eyJhbGciOiJSUzI1NiJ9.bnVsbA.AA; __client_uat=1",
         .expected = "signed-out token-invalid"},
        {.name = "payload a number",
         .cookie = "__session=eyJhbGciOiJSUzI1NiJ9.NQ.AA; __client_uat=1",
         .expected = "signed-out token-invalid"},
        {.name = "forged",
         .cookie = "__session=<forged>; __client_uat=1",
         .expected = "signed-out token-invalid-signature"},
        {.name = "template",
         .cookie = "__session=<template>; __client_uat=1",
         .expected = "signed-out token-type-mismatch"},
        {.name = "machine",
         .cookie = "__session=<machine>; __client_uat=1",
         .expected = "signed-out token-type-mismatch"},
        {.name = "development parameters mean nothing",
         .cookie = "__session=<S>; __client_uat=1",
         .target = "/p?__clerk_db_jwt=v&__clerk_redirect_url=https://evil.test/&__clerk_handshake=x"
                   "&__clerk_handshake_nonce=x&__clerk_synced=false",
         .expected = "signed-in"},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    const clerk_outcome *outcome;
    char *encoded;
    const char *p;

    run(f, instance, rows, COUNT(rows));
    assert_int_equal(f->calls, 0);
    outcome = decide_row(f, instance, &(row){.cookie = "__session=<S>; __client_uat=1"});
    assert_int_equal(outcome->carrier, CLERK_CARRIER_COOKIE);
    assert_string_equal(outcome->identity->user_id, "user_1");
    assert_null(outcome->dev_browser);

    /* Dots written as %2E. */
    encoded = apr_pstrdup(f->pool, "__client_uat=1; __session=");
    for (p = expand("<S>", f->pool); *p != '\0'; p++) {
        encoded = apr_pstrcat(f->pool, encoded, *p == '.' ? "%2E" : apr_pstrndup(f->pool, p, 1), NULL);
    }
    assert_string_equal(verdict(decide_row(f, instance, &(row){.cookie = encoded}), f->pool), "signed-in");
}

/* differences.md row 8: what another program has counted for all pages together, if it cannot be read. */
static void an_unreadable_loop_counter_is_a_loop(void **state)
{
    static const struct {
        const char *count;
        int loop;
    } rows[] = {{NULL, 0}, {"", 0},    {"0", 0},   {"1", 0},  {"2", 0}, {"3", 1},
                {"4", 1},  {"2.5", 1}, {"0x1", 1}, {"-1", 1}, {"x", 1}, {"02", 1}};
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *cookie = !rows[i].count
                                 ? "__client_uat=1"
                                 : apr_pstrcat(f->pool, "__client_uat=1; __clerk_redirect_count=", rows[i].count, NULL);
        const clerk_outcome *outcome = decide_row(f, live_instance(f), &(row){.cookie = cookie});
        const char *name = rows[i].count ? rows[i].count : "absent";

        assert_case(name, verdict(outcome, f->pool),
                    rows[i].loop ? "signed-out " REASON_NO_SESSION : "handshake " REASON_NO_SESSION);
        assert_int_equal(outcome->loop, rows[i].loop);
        assert_int_equal(outcome->set_cookies->nelts, !rows[i].loop);
        assert_int_equal(!outcome->location, rows[i].loop);
    }
}

static void pending_sessions_count_as_the_policy_says(void **state)
{
    static const row rows[]
        = {{.cookie = "__session=<pending>; __client_uat=1"}, {.authorization = "Bearer <pending>"}};
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_outcome *outcome;

        f->policy.pending_sessions = CLERK_PENDING_SIGNED_OUT;
        outcome = decide_row(f, live_instance(f), &rows[i]);
        assert_string_equal(verdict(outcome, f->pool), "signed-out session-pending");
        assert_int_equal(outcome->reason, CLERK_REASON_SESSION_PENDING);
        assert_string_equal(outcome->identity->user_id, "user_1");
        f->policy.pending_sessions = CLERK_PENDING_ALLOW;
        assert_string_equal(verdict(decide_row(f, live_instance(f), &rows[i]), f->pool), "signed-in");
    }
}

static void without_keys_a_token_cannot_be_judged(void **state)
{
    static const struct {
        clerk_keys_status status;
        const char *reason;
    } rows[] = {{CLERK_KEYS_UNAVAILABLE, "unavailable jwk-remote-failed-to-load"},
                {CLERK_KEYS_REFUSED, "unavailable secret-key-invalid"}};
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_outcome *outcome;

        f->keys_status = rows[i].status;
        outcome = decide_row(f, live_instance(f), &(row){.authorization = "Bearer <S>"});
        assert_string_equal(verdict(outcome, f->pool), rows[i].reason);
        assert_int_equal(outcome->carrier, CLERK_CARRIER_HEADER);
        outcome = decide_row(f, live_instance(f), &(row){.cookie = "__session=<S>; __client_uat=1"});
        assert_string_equal(verdict(outcome, f->pool), rows[i].reason);
        assert_int_equal(outcome->carrier, CLERK_CARRIER_COOKIE);
        assert_null(outcome->location);
        /* Decisions that need no key are made even without keys. */
        assert_string_equal(verdict(decide_row(f, live_instance(f), &(row){.authorization = "Bearer x"}), f->pool),
                            "signed-out token-invalid");
        assert_string_equal(decide_row(f, live_instance(f), &(row){.cookie = "__client_uat=1"})->reason_text,
                            REASON_NO_SESSION);
    }
}

static void without_a_publishable_key_there_is_no_browser_flow(void **state)
{
    static const row rows[] = {
        {.name = "nothing", .expected = "signed-out session-token-and-uat-missing"},
        {.name = "uat", .cookie = "__client_uat=1", .expected = "signed-out " REASON_NO_SESSION},
        {.name = "session", .cookie = "__session=<S>", .expected = "signed-out " REASON_NO_UAT},
        {.name = "signed in", .cookie = "__session=<S>; __client_uat=1", .expected = "signed-in"},
        {.name = "signed in, foreign referrer",
         .cookie = "__session=<S>; __client_uat=1",
         .referer = "https://evil.test/",
         .expected = "signed-in"},
        {.name = "expired",
         .cookie = "__session=<X>; __client_uat=1; __refresh_=r; __refresh_" LIVE_SUFFIX "=r",
         .expected = "signed-out " NO_REFRESH},
        {.name = "handshake",
         .cookie = "__session=<S>; __client_uat=1; __clerk_handshake_nonce=n; __clerk_handshake=x",
         .expected = "signed-in"},
        {.name = "header", .authorization = "Bearer <S>", .expected = "signed-in"},
    };
    fixture *f = *state;
    clerk_instance_options secret = {.secret_key = "sk_test_x"};
    clerk_instance_options frontend = {.frontend_api = "clerk.example.com"};
    clerk_instance_options satellite = {.secret_key = "sk_test_x", .satellite = 1, .domain = "sat.dev"};

    run(f, clerk_fixture_instance(f, &secret), rows, COUNT(rows));
    run(f, clerk_fixture_instance(f, &frontend), rows, COUNT(rows));
    run(f, clerk_fixture_instance(f, &satellite), rows, COUNT(rows));
    assert_int_equal(f->calls, 0);
    /* No handshake either if the origin of the site is not valid. */
    f->request.origin_url = "";
    run(f, live_instance(f), rows, 4);
    run(f, test_instance(f), rows, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(header_tokens),
        fixture_test(token_sources_are_obeyed),
        fixture_test(cookies_in_production),
        fixture_test(an_unreadable_loop_counter_is_a_loop),
        fixture_test(pending_sessions_count_as_the_policy_says),
        fixture_test(without_keys_a_token_cannot_be_judged),
        fixture_test(without_a_publishable_key_there_is_no_browser_flow),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
