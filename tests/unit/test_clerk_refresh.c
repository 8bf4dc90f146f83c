/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#define COOKIES "__session=<X>; __client_uat=1; __refresh_" LIVE_SUFFIX "=r%2F1"
#define SUFFIXED "__session_" LIVE_SUFFIX "=<X>; __client_uat_" LIVE_SUFFIX "=1; __refresh_" LIVE_SUFFIX "=r"
#define EXPIRED "session-token-expired-refresh-"
#define GOOD "{\"object\":\"cookies\",\"cookies\":[\"__session=<newer>; Path=/\",\"__client_uat=1\",\"evil=1\"]}"

static clerk_outcome *decide_with(fixture *f, const clerk_instance *instance, const char *cookie)
{
    f->request.cookie = expand(cookie, f->pool);
    return decide(f, instance);
}

static const char *json_at(const json_t *object, const char *name)
{
    const json_t *list = json_object_get(json_object_get(object, "request_headers"), name);

    return json_array_size(list) == 1 ? json_string_value(json_array_get(list, 0)) : NULL;
}

static void an_expired_session_is_traded_for_a_new_one(void **state)
{
    fixture *f = *state;
    const clerk_outcome *outcome;
    json_t *body;

    clerk_fixture_answer(f, 200, GOOD);
    f->request.user_agent = "agent \"x\"";
    f->request.accept_language = "de";
    f->request.origin = "https://app.example.com";
    f->request.referer = "https://app.example.com/x";
    f->request.client_ip = "192.0.2.1";
    outcome = decide_with(f, live_instance(f), COOKIES);
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_string_equal(outcome->identity->user_id, "user_newer");
    assert_int_equal(outcome->carrier, CLERK_CARRIER_COOKIE);
    assert_null(outcome->location);
    assert_string_equal(cookies_of(outcome, f->pool), expand("__session=<newer>; Path=/ | __client_uat=1", f->pool));

    assert_int_equal(f->calls, 1);
    assert_string_equal(f->call_method, "POST");
    assert_string_equal(f->call_path, "/v1/sessions/sess_1/refresh");
    assert_string_equal(f->call_client_ip, "192.0.2.1");
    assert_string_equal(f->call_user_id, "user_1");
    assert_string_equal(f->call_tokens, expand("<X> r/1", f->pool));
    body = json_loads(f->call_json, 0, NULL);
    assert_non_null(body);
    assert_int_equal(json_object_size(body), 5);
    assert_string_equal(json_string_value(json_object_get(body, "format")), "cookie");
    assert_string_equal(json_string_value(json_object_get(body, "expired_token")), expand("<X>", f->pool));
    assert_string_equal(json_string_value(json_object_get(body, "refresh_token")), "r/1");
    assert_string_equal(json_string_value(json_object_get(body, "request_origin")), "https://app.example.com");
    assert_int_equal(json_object_size(json_object_get(body, "request_headers")), 5);
    assert_string_equal(json_at(body, "user-agent"), "agent \"x\"");
    assert_string_equal(json_at(body, "accept-language"), "de");
    assert_string_equal(json_at(body, "origin"), "https://app.example.com");
    assert_string_equal(json_at(body, "referer"), "https://app.example.com/x");
    assert_string_equal(json_at(body, "x-forwarded-for"), "192.0.2.1");
    json_decref(body);
}

static void what_is_not_known_is_not_sent(void **state)
{
    fixture *f = *state;
    json_t *body;

    clerk_fixture_answer(f, 200, GOOD);
    f->request.user_agent = "not UTF-8: \xff";
    assert_string_equal(verdict(decide_with(f, live_instance(f), SUFFIXED), f->pool), "signed-in");
    assert_string_equal(f->call_path, "/v1/sessions/sess_1/refresh?suffixed_cookies=true");
    body = json_loads(f->call_json, 0, NULL);
    assert_int_equal(json_object_size(json_object_get(body, "request_headers")), 0);
    json_decref(body);
}

static void a_request_for_data_is_refreshed_too(void **state)
{
    fixture *f = *state;

    clerk_fixture_answer(f, 200, GOOD);
    f->request.sec_fetch_dest = "empty";
    assert_string_equal(verdict(decide_with(f, live_instance(f), COOKIES), f->pool), "signed-in");
    clerk_fixture_answer(f, 200, "{\"cookies\":[\"__session=<pending>\"]}");
    assert_string_equal(verdict(decide_with(f, live_instance(f), COOKIES), f->pool), "signed-out session-pending");
}

static void failures_say_why(void **state)
{
    static const struct {
        const char *name;
        int status;
        const char *body;
        const char *reason;
        int undecided;
    } rows[] = {
        {"no answer", 0, NULL, "fetch-error", 1},
        {"a code", 401, "{\"errors\":[{\"code\":\"session_not-found_1\"},{\"code\":\"x\"}]}", "session_not-found_1", 0},
        {"Clerk's own trouble", 500, "{\"errors\":[{\"code\":\"unexpected_error\"}]}", "fetch-error", 1},
        {"a code for a header", 400, "{\"errors\":[{\"code\":\"a\\r\\nb\"}]}", "unexpected-bapi-error", 0},
        {"a code in capitals", 400, "{\"errors\":[{\"code\":\"ABC\"}]}", "unexpected-bapi-error", 0},
        {"an empty code", 400, "{\"errors\":[{\"code\":\"\"}]}", "unexpected-bapi-error", 0},
        {"a long code", 400,
         "{\"errors\":[{\"code\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}",
         "unexpected-bapi-error", 0},
        {"the longest code", 400,
         "{\"errors\":[{\"code\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
        {"a code that is a number", 400, "{\"errors\":[{\"code\":1}]}", "unexpected-bapi-error", 0},
        {"no errors", 500, "{}", "unexpected-bapi-error", 1},
        {"no list of errors", 500, "{\"errors\":{\"code\":\"x\"}}", "unexpected-bapi-error", 1},
        {"too many", 429, "{\"errors\":[{\"code\":\"too_many_requests\"}]}", "too_many_requests", 1},
        {"our key", 401, "{\"errors\":[{\"code\":\"clerk_key_invalid\"}]}", "clerk_key_invalid", 1},
        {"no JSON", 502, "oops", "unexpected-bapi-error", 1},
        {"no body", 503, NULL, "unexpected-bapi-error", 1},
        {"no final answer", 103, GOOD, "unexpected-bapi-error", 1},
        {"moved", 301, GOOD, "unexpected-bapi-error", 1},
        {"no JSON, but good", 200, "oops", "unexpected-sdk-error", 1},
        {"nothing, but good", 204, NULL, "unexpected-bapi-error", 1},
        {"cut off", 200, "{\"cookies\":[\"__session=", "fetch-error", 1},
        {"a refusal that is cut off", 401, "{\"errors\":[{\"code\":\"x\"", "fetch-error", 1},
        {"JSON that is no object", 200, "[]", "fetch-error", 1},
        {"their error", 401, "{\"errors\":[{\"code\":\"unexpected_error\"}]}", "fetch-error", 1},
        {"no JSON, and bad", 401, "oops", "unexpected-bapi-error", 0},
        {"no cookies", 200, "{\"object\":\"token\",\"jwt\":\"<newer>\"}", "unexpected-sdk-error", 1},
        {"an empty list", 200, "{\"cookies\":[]}", "unexpected-sdk-error", 1},
        {"no list", 200, "{\"cookies\":\"__session=<newer>\"}", "unexpected-sdk-error", 1},
        {"no session", 200, "{\"cookies\":[\"__client_uat=1\"]}", "invalid-session-token", 0},
        {"a cleared session", 200, "{\"cookies\":[\"__session=<newer>\",\"__session=\"]}", "invalid-session-token", 0},
        {"an expired session", 200, "{\"cookies\":[\"__session=<X>\"]}", "invalid-session-token", 0},
        {"a forged session", 200, "{\"cookies\":[\"__session=<forged>\"]}", "invalid-session-token", 0},
        {"a template", 200, "{\"cookies\":[\"__session=<template>\"]}", "invalid-session-token", 0},
        {"another instance's cookie", 200, "{\"cookies\":[\"__session_abcdefgh=<newer>\"]}", "invalid-session-token",
         0},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_outcome *outcome;

        clerk_fixture_answer(f, rows[i].status, rows[i].body);
        f->request.sec_fetch_dest = "document";
        outcome = decide_with(f, instance, COOKIES);
        assert_case(rows[i].name, verdict(outcome, f->pool),
                    apr_pstrcat(f->pool, "handshake " EXPIRED, rows[i].reason, NULL));
        assert_int_equal(outcome->reason, CLERK_REASON_SESSION_TOKEN_EXPIRED);
        assert_int_equal(outcome->set_cookies->nelts, 1);
        assert_null(outcome->identity);
        assert_non_null(
            strstr(outcome->location, apr_pstrcat(f->pool, "&__clerk_hs_reason=" EXPIRED, rows[i].reason, "&", NULL)));
        assert_true(outcome->expired_session);
        f->request.sec_fetch_dest = "empty";
        outcome = decide_with(f, instance, COOKIES);
        assert_case(
            rows[i].name, verdict(outcome, f->pool),
            apr_pstrcat(f->pool, rows[i].undecided ? "unavailable " : "signed-out ", EXPIRED, rows[i].reason, NULL));
        assert_int_equal(outcome->set_cookies->nelts, 0);
        assert_true(outcome->expired_session);
        assert_string_equal(outcome->lapsed_user, "user_1");
    }
}

static void what_clerk_did_not_decide_is_tried_again(void **state)
{
    fixture *f = *state;
    const clerk_outcome *outcome;

    f->request.sec_fetch_dest = "empty";
    f->reply.held_back = 1;
    f->reply.retry_after = 7;
    outcome = decide_with(f, live_instance(f), COOKIES);
    assert_string_equal(verdict(outcome, f->pool), "unavailable " EXPIRED "fetch-error");
    assert_int_equal(outcome->retry_after, 7);
    /* A loop is explained, whatever else there is to say. */
    f->request.sec_fetch_dest = "document";
    outcome = decide_with(f, live_instance(f), COOKIES "; __clerk_redirect_count=3");
    assert_string_equal(verdict(outcome, f->pool), "signed-out " EXPIRED "fetch-error");
    assert_true(outcome->loop);
}

/* differences.md row 26 */
static void which_requests_are_renewed(void **state)
{
    static const struct {
        const char *method;
        const char *site; /* Sec-Fetch-Site */
        const char *origin;
        int any; /* whether it is renewed with ClerkRenewal any, */
        int get; /* and with get */
    } rows[] = {
        {"GET", NULL, NULL, 1, 1},
        {"GET", "cross-site", "https://evil.example", 1, 1},
        {"HEAD", NULL, NULL, 1, 1},
        {"HEAD", "cross-site", NULL, 1, 1},
        {"POST", "same-origin", NULL, 1, 0},
        {"PUT", "same-origin", NULL, 1, 0},
        {"DELETE", "same-origin", NULL, 1, 0},
        {"PATCH", "same-origin", NULL, 1, 0},
        {"PROPFIND", "same-origin", NULL, 1, 0},
        {"get", "same-origin", NULL, 1, 0},
        {"POST", "same-origin", "https://app.example.com", 1, 0},
        {"POST", "same-origin", "null", 1, 0},
        {"POST", NULL, "https://app.example.com", 1, 0},
        {"POST", NULL, NULL, 0, 0},
        {"POST", NULL, "null", 0, 0},
        {"POST", NULL, "https://evil.example", 0, 0},
        {"POST", NULL, "http://app.example.com", 0, 0},
        {"POST", NULL, "https://app.example.com:8443", 0, 0},
        {"POST", NULL, "https://app.example.com.evil.example", 0, 0},
        {"POST", NULL, "https://app.example.com/", 0, 0},
        {"POST", NULL, "https://app.example.com, https://app.example.com", 0, 0},
        {"POST", "same-origin", "https://evil.example", 0, 0},
        {"POST", "same-site", "https://app.example.com", 0, 0},
        {"POST", "same-site", NULL, 0, 0},
        {"POST", "cross-site", NULL, 0, 0},
        {"POST", "cross-site", "https://app.example.com", 0, 0},
        {"POST", "none", NULL, 0, 0},
        {"POST", "Same-Origin", NULL, 0, 0},
        {"POST", "same-origin, same-origin", NULL, 0, 0},
        {"POST", "same-origin, cross-site", NULL, 0, 0},
        {"POST", "same-origin;x", NULL, 0, 0},
        {"OPTIONS", NULL, NULL, 0, 0},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *name = apr_psprintf(f->pool, "%s, Sec-Fetch-Site %s, Origin %s", rows[i].method,
                                        rows[i].site ? rows[i].site : "-", rows[i].origin ? rows[i].origin : "-");

        for (int get = 0; get <= 1; get++) {
            int renewed = get ? rows[i].get : rows[i].any;
            const clerk_outcome *outcome;

            clerk_fixture_answer(f, 200, GOOD);
            f->calls = 0;
            f->policy.renewal = get ? CLERK_RENEWAL_GET : CLERK_RENEWAL_ANY;
            f->request.method = rows[i].method;
            f->request.sec_fetch_site = rows[i].site;
            f->request.origin = rows[i].origin;
            outcome = decide_with(f, instance, COOKIES);
            assert_case(name, verdict(outcome, f->pool),
                        renewed ? "signed-in" : "signed-out " EXPIRED "non-eligible-non-get");
            assert_int_equal(f->calls, renewed);
            assert_int_equal(outcome->expired_session, !renewed);
        }
    }
}

static void a_header_token_is_never_renewed(void **state)
{
    static const struct {
        const char *method;
        const char *site;
        const char *reason;
    } rows[] = {{"GET", NULL, "non-eligible-no-refresh-cookie"},
                {"HEAD", NULL, "non-eligible-no-refresh-cookie"},
                {"POST", "same-origin", "non-eligible-no-refresh-cookie"},
                {"POST", "cross-site", "non-eligible-non-get"},
                {"POST", NULL, "non-eligible-non-get"}};
    fixture *f = *state;

    f->request.sec_fetch_dest = "empty";
    f->request.authorization = apr_pstrcat(f->pool, "Bearer ", expand("<X>", f->pool), NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_outcome *outcome;

        f->request.method = rows[i].method;
        f->request.sec_fetch_site = rows[i].site;
        outcome = decide_with(f, live_instance(f), COOKIES);
        assert_case(rows[i].method, verdict(outcome, f->pool),
                    apr_pstrcat(f->pool, "signed-out " EXPIRED, rows[i].reason, NULL));
        assert_true(outcome->expired_session);
        assert_null(outcome->lapsed_user);
    }
    /* A forged token is no session that has expired. */
    f->request.authorization = apr_pstrcat(f->pool, "Bearer ", expand("<forged>", f->pool), NULL);
    assert_false(decide_with(f, live_instance(f), COOKIES)->expired_session);
    assert_int_equal(f->calls, 0);
}

static void only_an_expired_session_with_the_suffixed_refresh_cookie_is_refreshed(void **state)
{
    static const struct {
        const char *name;
        const char *cookie;
        const char *method;
        const char *expected;
        int no_secret;
    } rows[] = {
        {"POST", COOKIES, "POST", "signed-out " EXPIRED "non-eligible-non-get", 0},
        {"POST without a refresh cookie", "__session=<X>; __client_uat=1", "POST",
         "signed-out " EXPIRED "non-eligible-non-get", 0},
        {"HEAD without a refresh cookie", "__session=<X>; __client_uat=1", "HEAD",
         "signed-out " EXPIRED "non-eligible-no-refresh-cookie", 0},
        {"no refresh cookie", "__session=<X>; __client_uat=1", "GET",
         "handshake " EXPIRED "non-eligible-no-refresh-cookie", 0},
        {"un-suffixed", "__session=<X>; __client_uat=1; __refresh=r", "GET",
         "handshake " EXPIRED "non-eligible-no-refresh-cookie", 0},
        {"another instance's", "__session=<X>; __client_uat=1; __refresh_abcdefgh=r", "GET",
         "handshake " EXPIRED "non-eligible-no-refresh-cookie", 0},
        {"no secret key", COOKIES, "GET", "handshake " EXPIRED "missing-api-client", 1},
        {"no sid: no session token at all (differences.md row 30)",
         "__session=<X-no-sid>; __client_uat=1; __refresh_" LIVE_SUFFIX "=r", "GET", "signed-out token-invalid", 0},
        {"a sid with a path in it", "__session=<X-bad-sid>; __client_uat=1; __refresh_" LIVE_SUFFIX "=r", "GET",
         "handshake " EXPIRED "expired-session-token-missing-sid-claim", 0},
        {"a refresh cookie that is no text", "__session=<X>; __client_uat=1; __refresh_" LIVE_SUFFIX "=\xff", "GET",
         "handshake " EXPIRED "unexpected-sdk-error", 0},
        {"not expired", "__session=<early>; __client_uat=1; __refresh_" LIVE_SUFFIX "=r", "GET",
         "handshake session-token-nbf", 0},
        {"forged", "__session=<forged>; __client_uat=1; __refresh_" LIVE_SUFFIX "=r", "GET",
         "signed-out token-invalid-signature", 0},
    };
    static const char *const bad_ids[] = {"a/b", "a%2e", ".", "..", "a b", "a-b", "a?b", "a\\u00e9"};
    fixture *f = *state;
    clerk_instance_options secretless = {.publishable_key = LIVE_KEY};
    const char *claims;

    clerk_fixture_answer(f, 200, GOOD);
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->request.method = rows[i].method;
        assert_case(
            rows[i].name,
            verdict(decide_with(f, rows[i].no_secret ? clerk_fixture_instance(f, &secretless) : live_instance(f),
                                rows[i].cookie),
                    f->pool),
            rows[i].expected);
    }
    for (size_t i = 0; i < COUNT(bad_ids); i++) {
        claims = apr_pstrcat(f->pool, "{" LIVE_ISS "\"sub\":\"user_1\",\"exp\":1799999900,\"sid\":\"", bad_ids[i],
                             "\"}", NULL);
        f->request.method = "GET";
        f->request.cookie = apr_pstrcat(f->pool, "__client_uat=1; __refresh_" LIVE_SUFFIX "=r; __session=",
                                        clerk_fixture_mint("", claims, keys.good, f->pool), NULL);
        assert_case(bad_ids[i], decide(f, live_instance(f))->reason_text,
                    EXPIRED "expired-session-token-missing-sid-claim");
    }
    claims = apr_pstrcat(f->pool, "{" LIVE_ISS "\"sub\":\"user_1\",\"exp\":1799999900,\"sid\":\"",
                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\"}", NULL);
    f->request.cookie = apr_pstrcat(f->pool, "__client_uat=1; __refresh_" LIVE_SUFFIX "=r; __session=",
                                    clerk_fixture_mint("", claims, keys.good, f->pool), NULL);
    assert_case("a long sid", decide(f, live_instance(f))->reason_text,
                EXPIRED "expired-session-token-missing-sid-claim");
    f->services.backend = NULL;
    assert_case("no backend", decide_with(f, live_instance(f), COOKIES)->reason_text, EXPIRED "missing-api-client");
    assert_int_equal(f->calls, 0);
}

/* __client_uat is newer than the token: nothing is renewed here, but whose form a POST brings is known. */
static void the_user_of_a_lapsed_session_is_known(void **state)
{
    static const struct {
        const char *method;
        const char *session;
        const char *user;
    } rows[] = {{"POST", "<S>", "user_1"}, {"POST", "<X>", "user_1"}, {"POST", "<forged>", NULL}, {"PUT", "<S>", NULL}};
    fixture *f = *state;

    f->request.sec_fetch_dest = "empty";
    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_outcome *outcome;

        f->request.method = rows[i].method;
        outcome = decide_with(f, live_instance(f),
                              apr_pstrcat(f->pool, "__client_uat=1799999999; __session=", rows[i].session, NULL));
        assert_case(rows[i].session, verdict(outcome, f->pool), "signed-out session-token-iat-before-client-uat");
        assert_case(rows[i].session, outcome->lapsed_user ? outcome->lapsed_user : "none",
                    rows[i].user ? rows[i].user : "none");
    }
    assert_int_equal(f->calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(an_expired_session_is_traded_for_a_new_one),
        fixture_test(what_is_not_known_is_not_sent),
        fixture_test(a_request_for_data_is_refreshed_too),
        fixture_test(failures_say_why),
        fixture_test(what_clerk_did_not_decide_is_tried_again),
        fixture_test(which_requests_are_renewed),
        fixture_test(a_header_token_is_never_renewed),
        fixture_test(only_an_expired_session_with_the_suffixed_refresh_cookie_is_refreshed),
        fixture_test(the_user_of_a_lapsed_session_is_known),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
