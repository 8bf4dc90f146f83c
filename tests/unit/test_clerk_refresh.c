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
    } rows[] = {
        {"no answer", 0, NULL, "fetch-error"},
        {"a code", 401, "{\"errors\":[{\"code\":\"session_not-found_1\"},{\"code\":\"x\"}]}", "session_not-found_1"},
        {"Clerk's own trouble", 500, "{\"errors\":[{\"code\":\"unexpected_error\"}]}", "fetch-error"},
        {"a code for a header", 400, "{\"errors\":[{\"code\":\"a\\r\\nb\"}]}", "unexpected-bapi-error"},
        {"a code in capitals", 400, "{\"errors\":[{\"code\":\"ABC\"}]}", "unexpected-bapi-error"},
        {"an empty code", 400, "{\"errors\":[{\"code\":\"\"}]}", "unexpected-bapi-error"},
        {"a long code", 400,
         "{\"errors\":[{\"code\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}",
         "unexpected-bapi-error"},
        {"the longest code", 400,
         "{\"errors\":[{\"code\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"a code that is a number", 400, "{\"errors\":[{\"code\":1}]}", "unexpected-bapi-error"},
        {"no errors", 500, "{}", "unexpected-bapi-error"},
        {"no list of errors", 500, "{\"errors\":{\"code\":\"x\"}}", "unexpected-bapi-error"},
        {"no JSON", 502, "oops", "unexpected-bapi-error"},
        {"no body", 503, NULL, "unexpected-bapi-error"},
        {"no final answer", 103, GOOD, "unexpected-bapi-error"},
        {"moved", 301, GOOD, "unexpected-bapi-error"},
        {"no JSON, but good", 200, "oops", "unexpected-sdk-error"},
        {"nothing, but good", 204, NULL, "unexpected-sdk-error"},
        {"no cookies", 200, "{\"object\":\"token\",\"jwt\":\"<newer>\"}", "unexpected-sdk-error"},
        {"an empty list", 200, "{\"cookies\":[]}", "unexpected-sdk-error"},
        {"no list", 200, "{\"cookies\":\"__session=<newer>\"}", "unexpected-sdk-error"},
        {"no session", 200, "{\"cookies\":[\"__client_uat=1\"]}", "invalid-session-token"},
        {"a cleared session", 200, "{\"cookies\":[\"__session=<newer>\",\"__session=\"]}", "invalid-session-token"},
        {"an expired session", 200, "{\"cookies\":[\"__session=<X>\"]}", "invalid-session-token"},
        {"a forged session", 200, "{\"cookies\":[\"__session=<forged>\"]}", "invalid-session-token"},
        {"a template", 200, "{\"cookies\":[\"__session=<template>\"]}", "invalid-session-token"},
        {"another instance's cookie", 200, "{\"cookies\":[\"__session_abcdefgh=<newer>\"]}", "invalid-session-token"},
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
        f->request.sec_fetch_dest = "empty";
        outcome = decide_with(f, instance, COOKIES);
        assert_case(rows[i].name, verdict(outcome, f->pool),
                    apr_pstrcat(f->pool, "signed-out " EXPIRED, rows[i].reason, NULL));
        assert_int_equal(outcome->set_cookies->nelts, 0);
    }
}

static void only_an_expired_session_of_a_get_with_the_suffixed_refresh_cookie_is_refreshed(void **state)
{
    static const struct {
        const char *name;
        const char *cookie;
        const char *method;
        const char *expected;
        int no_secret;
    } rows[] = {
        {"POST", COOKIES, "POST", "signed-out " EXPIRED "non-eligible-non-get", 0},
        {"HEAD", COOKIES, "HEAD", "signed-out " EXPIRED "non-eligible-non-get", 0},
        {"POST without a refresh cookie", "__session=<X>; __client_uat=1", "POST",
         "signed-out " EXPIRED "non-eligible-non-get", 0},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(an_expired_session_is_traded_for_a_new_one),
        fixture_test(what_is_not_known_is_not_sent),
        fixture_test(a_request_for_data_is_refreshed_too),
        fixture_test(failures_say_why),
        fixture_test(only_an_expired_session_of_a_get_with_the_suffixed_refresh_cookie_is_refreshed),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
