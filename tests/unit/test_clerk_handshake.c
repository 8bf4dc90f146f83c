/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/cookies/set_cookies.h"

#define SIGNED_IN "__session=<S>; __client_uat=1"
#define CLEAN "https://app.example.com/p?x=a+b&__clerk_synced=false"
#define DEV_TARGET "/p?x=a%20b&__clerk_help=1&__clerk_db_jwt=d&__clerk_synced=false"

static clerk_outcome *decide_with(fixture *f, const clerk_instance *instance, const char *target, const char *cookie)
{
    f->request.target = target;
    f->request.cookie = expand(cookie, f->pool);
    return decide(f, instance);
}

static void the_redirect_says_everything_in_order(void **state)
{
    static const struct {
        const char *name;
        clerk_instance_options options;
        const char *target;
        const char *cookie;
        int no_backend;
        const char *location;
    } rows[] = {
        {"production",
         {.publishable_key = LIVE_KEY, .secret_key = "sk_live_x"},
         "/p?x=a%20b",
         "__client_uat=1",
         0,
         "https://clerk.example.com/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2Fp%3Fx%3Da%2Bb"
         "&__clerk_api_version=2026-05-12&suffixed_cookies=false&__clerk_hs_reason=client-uat-but-no-session-token"
         "&format=nonce"},
        {"without a secret key",
         {.publishable_key = LIVE_KEY},
         "/p",
         "__client_uat_" LIVE_SUFFIX "=1",
         0,
         "https://clerk.example.com/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2Fp"
         "&__clerk_api_version=2026-05-12&suffixed_cookies=true&__clerk_hs_reason=client-uat-but-no-session-token"},
        {"without a backend",
         {.publishable_key = LIVE_KEY, .secret_key = "sk_live_x"},
         "/p",
         "__client_uat=1",
         1,
         "https://clerk.example.com/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2Fp"
         "&__clerk_api_version=2026-05-12&suffixed_cookies=false&__clerk_hs_reason=client-uat-but-no-session-token"},
        {"proxy",
         {.publishable_key = LIVE_KEY, .proxy_url = "https://app.example.com/__clerk//"},
         "/p",
         "__client_uat=1",
         0,
         "https://app.example.com/__clerk/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2Fp"
         "&__clerk_api_version=2026-05-12&suffixed_cookies=false&__clerk_hs_reason=client-uat-but-no-session-token"},
        {"proxy on the own site",
         {.publishable_key = LIVE_KEY, .proxy_url = "/__clerk"},
         "/p",
         "__client_uat=1",
         0,
         "https://app.example.com/__clerk/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2Fp"
         "&__clerk_api_version=2026-05-12&suffixed_cookies=false&__clerk_hs_reason=client-uat-but-no-session-token"},
        {"another frontend API",
         {.publishable_key = LIVE_KEY, .frontend_api = "http://127.0.0.1:9000"},
         "/p",
         "__client_uat=1",
         0,
         "http://127.0.0.1:9000/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2Fp"
         "&__clerk_api_version=2026-05-12&suffixed_cookies=false&__clerk_hs_reason=client-uat-but-no-session-token"},
        {"Clerk's own parameters stay",
         {.publishable_key = LIVE_KEY},
         "/?__clerk_handshake=a&__clerk_help&__dev_session=b",
         "__client_uat=1",
         0,
         "https://clerk.example.com/v1/client/"
         "handshake?redirect_url=https%3A%2F%2Fapp.example.com%2F%3F__clerk_handshake"
         "%3Da%26__clerk_help%3D&__clerk_api_version=2026-05-12&suffixed_cookies=false"
         "&__clerk_hs_reason=client-uat-but-no-session-token"},
        {"the session cookie",
         {.publishable_key = LIVE_KEY},
         "/",
         "__session=a+b/c",
         0,
         "https://clerk.example.com/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2F"
         "&__clerk_api_version=2026-05-12&suffixed_cookies=false&__clerk_hs_reason=session-token-but-no-client-uat"
         "&__session=a%2Bb%2Fc"},
        {"development",
         {.publishable_key = TEST_KEY},
         "/?__clerk_db_jwt=",
         "__clerk_db_jwt=dv",
         0,
         "https://happy-hippo-1.clerk.accounts.dev/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2F"
         "&__clerk_api_version=2026-05-12&suffixed_cookies=false&__clerk_hs_reason=dev-browser-sync&__clerk_db_jwt=dv"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        f->services.backend = rows[i].no_backend ? NULL : clerk_fixture_backend;
        assert_case(
            rows[i].name,
            decide_with(f, clerk_fixture_instance(f, &rows[i].options), rows[i].target, rows[i].cookie)->location,
            rows[i].location);
    }
}

static void directives_are_taken_over_where_they_are_clerks(void **state)
{
    static const struct {
        const char *list;
        const char *cookies;
        const char *token;
    } rows[] = {
        {"[\"__session=a.b.c; Path=/\"]", "__session=a.b.c; Path=/", "a.b.c"},
        {"[\"__session=a\",\"__session_" LIVE_SUFFIX "=b\"]", "__session=a | __session_" LIVE_SUFFIX "=b", "b"},
        {"[\"__session_" LIVE_SUFFIX "=b\",\"__session=\"]", "__session_" LIVE_SUFFIX "=b | __session=", ""},
        {"[\"__session=a=b; x\"]", "__session=a=b; x", "a"},
        {"[\"__session_other123=a\",\"__sessionfoo=a\",\"__session_=a\"]", "", ""},
        {"[\"__client_uat=1\",\"__client_uat_x=1\",\"__refresh_x=r; HttpOnly\",\"__clerk_handshake=; Max-Age=0\"]",
         "__client_uat=1 | __client_uat_x=1 | __refresh_x=r; HttpOnly | __clerk_handshake=; Max-Age=0", ""},
        {"[\"PHPSESSID=1\",\"session=1\",\" __session=1\",\"__host=1\",\"=1\",\"\",\"__session\",\"__session; a=b\"]",
         "", ""},
        {"[\"__session=a\\r\\nSet-Cookie: b=c\",\"__client_uat=1\\n\",\"__clerk_x=\\u0001\",\"__clerk_y=\\u007f\"]", "",
         ""},
        {"[1,null,true,{},[\"__session=x\"],\"__session=y\"]", "__session=y", "y"},
        {"[]", "", ""},
        {"{\"0\":\"__session=x\"}", "", ""},
        {"\"__session=x\"", "", ""},
        {"null", "", ""},
    };
    fixture *f = *state;
    clerk_instance_options keyless = {.secret_key = "sk_live_x"};
    clerk_outcome outcome = {0};

    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *list = json_loads(rows[i].list, JSON_DECODE_ANY, NULL);

        outcome.set_cookies = apr_array_make(f->pool, 4, sizeof(const char *));
        assert_case(rows[i].list, clerk_set_cookies_take(outcome.set_cookies, list, live_instance(f), f->pool),
                    rows[i].token);
        assert_case(rows[i].list, cookies_of(&outcome, f->pool), rows[i].cookies);
        json_decref(list);
    }
    outcome.set_cookies = apr_array_make(f->pool, 4, sizeof(const char *));
    assert_string_equal(clerk_set_cookies_take(outcome.set_cookies, NULL, live_instance(f), f->pool), "");
    {
        json_t *list = json_pack("[s]", "__session_=x");

        assert_string_equal(
            clerk_set_cookies_take(outcome.set_cookies, list, clerk_fixture_instance(f, &keyless), f->pool), "");
        json_decref(list);
    }
}

static void tokens_resolve_in_production(void **state)
{
    static const struct {
        const char *name;
        const char *directives;
        const char *more;    /* further claims, each followed by a comma */
        const char *cookies; /* further cookies of the request */
        const char *expected;
        const char *set; /* Set-Cookie values */
        int failed;
    } rows[] = {
        {"a session", "[\"__session=<S>; Path=/\"]", "", "", "signed-in", "__session=<S>; Path=/", 0},
        {"a session, others are ignored", "[\"__session=<newer>\"]", "", SIGNED_IN, "signed-in", "__session=<newer>",
         0},
        {"cleared", "[\"__session=; Max-Age=0\",\"__client_uat=0\"]", "", SIGNED_IN, "signed-out session-token-missing",
         "__session=; Max-Age=0 | __client_uat=0", 0},
        {"no directives", "[]", "", SIGNED_IN, "signed-out session-token-missing", "", 0},
        {"no array", "5", "", SIGNED_IN, "signed-out session-token-missing", "", 0},
        {"pending", "[\"__session=<pending>\"]", "", "", "signed-out session-pending", "__session=<pending>", 0},
        {"an expired session", "[\"__session=<X>\"]", "", SIGNED_IN, "signed-in", "", 1},
        {"an expired session, nothing else", "[\"__session=<X>\"]", "", "", "signed-out session-token-and-uat-missing",
         "", 1},
        {"a template session", "[\"__session=<template>\"]", "", SIGNED_IN, "signed-in", "", 1},
        {"a forged session", "[\"__session=<forged>\"]", "", SIGNED_IN, "signed-in", "", 1},
        {"garbage in it", "[\"__session=garbage\"]", "", SIGNED_IN, "signed-in", "", 1},
        {"it has not expired", "[\"__session=<newer>\"]", "\"exp\":1799999996,", "", "signed-in", "__session=<newer>",
         0},
        {"it has expired", "[\"__session=<newer>\"]", "\"exp\":1799999995,", SIGNED_IN, "signed-in", "", 1},
        {"exp is text", "[\"__session=<newer>\"]", "\"exp\":\"1900000000\",", SIGNED_IN, "signed-in", "", 1},
        {"exp is out of range", "[\"__session=<newer>\"]", "\"exp\":1e300,", SIGNED_IN, "signed-in", "", 1},
        {"exp is negative", "[\"__session=<newer>\"]", "\"exp\":-1,", SIGNED_IN, "signed-in", "", 1},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    const clerk_outcome *outcome;
    const char *good = clerk_fixture_handshake("[\"__session=<newer>\"]", "", f->pool);

    for (size_t i = 0; i < COUNT(rows); i++) {
        outcome = decide_with(f, instance, "/p",
                              apr_pstrcat(f->pool, "__clerk_handshake=",
                                          clerk_fixture_handshake(rows[i].directives, rows[i].more, f->pool), "; ",
                                          rows[i].cookies, NULL));
        assert_case(rows[i].name, verdict(outcome, f->pool), rows[i].expected);
        assert_case(rows[i].name, cookies_of(outcome, f->pool), expand(rows[i].set, f->pool));
        assert_int_equal(outcome->handshake_failed, rows[i].failed);
        assert_null(outcome->location);
        if (outcome->status == CLERK_SIGNED_IN) {
            assert_case(rows[i].name, outcome->identity->user_id,
                        strstr(rows[i].set, "newer") ? "user_newer" : "user_1");
        }
    }
    /* With any method and any destination, but not if the request has a token in its header. */
    f->request.method = "POST";
    f->request.sec_fetch_dest = "empty";
    outcome = decide_with(f, instance, "/p", apr_pstrcat(f->pool, "__clerk_handshake=", good, NULL));
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    f->request.authorization = "Bearer x";
    outcome = decide_with(f, instance, "/p", apr_pstrcat(f->pool, "__clerk_handshake=", good, NULL));
    assert_string_equal(verdict(outcome, f->pool), "signed-out token-invalid");
    f->request.authorization = NULL;
    /* Handshake parameters in the query are ignored. */
    outcome = decide_with(f, instance, apr_pstrcat(f->pool, "/p?__clerk_handshake=", good, NULL), "");
    assert_string_equal(verdict(outcome, f->pool), "signed-out session-token-and-uat-missing");
}

static void bad_tokens_leave_the_cookies_to_decide(void **state)
{
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    const char *claims
        = apr_pstrcat(f->pool, "{\"handshake\":[\"__session=", clerk_fixture_named("newer", f->pool), "\"]}", NULL);
    const char *const tokens[] = {
        "garbage",
        clerk_fixture_mint("", claims, keys.other, f->pool),
        clerk_fixture_mint("\"cat\":\"" CLERK_CAT_TEMPLATE "\",", claims, keys.good, f->pool),
        clerk_fixture_mint("\"cat\":\"" CLERK_CAT_M2M "\",", claims, keys.good, f->pool),
        clerk_fixture_mint("\"crit\":[\"x\"],", claims, keys.good, f->pool),
        /* a session token with a claim of that name: differences.md row 30 */
        clerk_fixture_mint("",
                           apr_pstrcat(f->pool, "{\"sub\":\"user_1\",\"sid\":\"sess_1\",\"handshake\":[\"__session=",
                                       clerk_fixture_named("newer", f->pool), "\"]}", NULL),
                           keys.good, f->pool),
        "eyJhbGciOiJub25lIn0.eyJoYW5kc2hha2UiOltdfQ.",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6ImlucyJ9.eyJoYW5kc2hha2UiOltdfQ.AA",
    };

    for (size_t i = 0; i < COUNT(tokens); i++) {
        const clerk_outcome *outcome
            = decide_with(f, instance, "/p", apr_pstrcat(f->pool, SIGNED_IN "; __clerk_handshake=", tokens[i], NULL));

        assert_case(tokens[i], verdict(outcome, f->pool), "signed-in");
        assert_int_equal(outcome->set_cookies->nelts, 0);
        assert_int_equal(outcome->handshake_failed, 1);
        /* In development, 400. */
        outcome = decide_with(f, test_instance(f), apr_pstrcat(f->pool, "/p?__clerk_handshake=", tokens[i], NULL),
                              "__session=<dev>; __client_uat=1; __clerk_db_jwt=d");
        assert_case(tokens[i], apr_pstrndup(f->pool, verdict(outcome, f->pool), 12), "bad-request ");
        assert_null(outcome->location);
        assert_int_equal(outcome->set_cookies->nelts, 0);
        assert_int_equal(outcome->handshake_failed, 1);
    }
    /* A bad handshake can lead to another one, until the counter stops the loop. */
    assert_string_equal(verdict(decide_with(f, instance, "/p", "__client_uat=1; __clerk_handshake=x"), f->pool),
                        "handshake client-uat-but-no-session-token");
    assert_int_equal(
        decide_with(f, instance, "/p", "__client_uat=1; __clerk_handshake=x; __clerk_redirect_count=3")->loop, 1);
}

static void development_takes_the_query_and_cleans_the_url(void **state)
{
    static const struct {
        const char *name;
        const char *directives;
        const char *more;
        const char *expected;
        const char *location;
    } rows[] = {
        {"a session", "[\"__session=<dev>\"]", "", "signed-in", CLEAN},
        {"expired a little", "[\"__session=<dev-expired>\"]", "", "signed-in", CLEAN},
        {"early by less than a day", "[\"__session=<dev-early>\"]", "", "signed-in", CLEAN},
        {"not active for less than a day", "[\"__session=<dev-not-yet>\"]", "", "signed-in", CLEAN},
        {"no session", "[\"__client_uat=0\"]", "", "signed-out session-token-missing", CLEAN},
        {"pending", "[\"__session=<dev-pending>\"]", "", "signed-out session-pending", CLEAN},
        {"the clock is off for the handshake too", "[\"__session=<dev>\"]", "\"exp\":1799990000,", "signed-in", CLEAN},
        {"the handshake is days old", "[\"__session=<dev>\"]", "\"exp\":1799900000,", "bad-request token-expired",
         NULL},
    };
    fixture *f = *state;
    const clerk_instance *instance = test_instance(f);
    const clerk_outcome *outcome;
    const char *token;

    for (size_t i = 0; i < COUNT(rows); i++) {
        token = clerk_fixture_handshake(rows[i].directives, rows[i].more, f->pool);
        outcome = decide_with(f, instance, apr_pstrcat(f->pool, DEV_TARGET "&__clerk_handshake=", token, NULL),
                              "__clerk_redirect_count=1");
        assert_case(rows[i].name, verdict(outcome, f->pool), rows[i].expected);
        assert_case(rows[i].name, outcome->location, rows[i].location);
    }
    /* More than a day off, or not valid for another reason: the cookies decide. */
    token = clerk_fixture_handshake("[\"__session=<dev-old>\"]", "", f->pool);
    outcome = decide_with(f, instance, apr_pstrcat(f->pool, DEV_TARGET "&__clerk_handshake=", token, NULL), "");
    assert_string_equal(verdict(outcome, f->pool), "handshake dev-browser-sync");
    assert_int_equal(outcome->handshake_failed, 1);
    assert_int_equal(outcome->set_cookies->nelts, 1);
    token = clerk_fixture_handshake("[\"__session=<forged>\"]", "", f->pool);
    outcome = decide_with(f, instance, apr_pstrcat(f->pool, "/?__clerk_handshake=", token, NULL),
                          "__session=<dev>; __client_uat=1; __clerk_db_jwt=d");
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_null(outcome->location);
    /* Without a parameter in the query, the cookie is used. */
    token = clerk_fixture_handshake("[\"__session=<dev>\"]", "", f->pool);
    outcome = decide_with(f, instance, "/?__clerk_handshake=", apr_pstrcat(f->pool, "__clerk_handshake=", token, NULL));
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_string_equal(outcome->location, "https://app.example.com/");
}

static void nonces_are_looked_up(void **state)
{
    static const struct {
        const char *name;
        int status;
        const char *body;
        const char *expected; /* if the request also has valid cookies */
        int failed;
    } rows[] = {
        {"a session", 200, "{\"directives\":[\"__session=<newer>\"]}", "signed-in", 0},
        {"cleared", 200, "{\"directives\":[\"__session=\"]}", "signed-out session-token-missing", 0},
        {"an empty list", 200, "{\"directives\":[]}", "signed-out session-token-missing", 0},
        {"an expired session", 200, "{\"directives\":[\"__session=<X>\"]}", "signed-in", 1},
        {"no list", 200, "{}", "signed-in", 1},
        {"no array", 200, "{\"directives\":\"__session=\"}", "signed-in", 1},
        {"no JSON", 200, "<S>", "signed-in", 1},
        {"no body", 200, NULL, "signed-in", 1},
        {"unknown", 404, "{\"directives\":[\"__session=\"]}", "signed-in", 1},
        {"no final answer", 103, "{\"directives\":[\"__session=\"]}", "signed-in", 1},
        {"moved", 302, "{\"directives\":[\"__session=\"]}", "signed-in", 1},
        {"no answer", 0, NULL, "signed-in", 1},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    clerk_instance_options secretless = {.publishable_key = LIVE_KEY};
    const clerk_outcome *outcome;

    f->request.client_ip = "192.0.2.1";
    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_fixture_answer(f, rows[i].status, rows[i].body);
        outcome = decide_with(f, instance, "/p", SIGNED_IN "; __clerk_handshake_nonce=a%2Fb+c");
        assert_case(rows[i].name, verdict(outcome, f->pool), rows[i].expected);
        assert_int_equal(outcome->handshake_failed, rows[i].failed);
        assert_int_equal(f->calls, (int)i + 1);
        assert_string_equal(f->call_method, "GET");
        assert_string_equal(f->call_path, "/v1/clients/handshake_payload?nonce=a%2Fb%2Bc");
        assert_string_equal(f->call_client_ip, "192.0.2.1");
        assert_null(f->call_json);
    }
    /* The nonce takes precedence over the token. */
    clerk_fixture_answer(f, 200, "{\"directives\":[\"__session=<newer>\"]}");
    outcome = decide_with(f, instance, "/p",
                          apr_pstrcat(f->pool, "__clerk_handshake_nonce=n; __clerk_handshake=",
                                      clerk_fixture_handshake("[]", "", f->pool), NULL));
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    /* Only production ignores the query. */
    f->calls = 0;
    outcome = decide_with(f, instance, "/p?__clerk_handshake_nonce=n", SIGNED_IN);
    assert_int_equal(outcome->handshake_failed, 0);
    assert_int_equal(f->calls, 0);
    clerk_fixture_answer(f, 200, "{\"directives\":[\"__session=<dev>\"]}");
    outcome = decide_with(f, test_instance(f), "/p?a&__clerk_handshake_nonce=n", "__clerk_redirect_count=1");
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_string_equal(outcome->location, "https://app.example.com/p?a=");
    clerk_fixture_answer(f, 404, "{}");
    outcome = decide_with(f, test_instance(f), "/p?a&__clerk_handshake_nonce=n", "");
    assert_string_equal(verdict(outcome, f->pool), "handshake dev-browser-missing");
    /* Without a secret key, a nonce is ignored. */
    f->calls = 0;
    outcome = decide_with(f, clerk_fixture_instance(f, &secretless), "/p", SIGNED_IN "; __clerk_handshake_nonce=n");
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_int_equal(outcome->handshake_failed, 1);
    f->services.backend = NULL;
    outcome = decide_with(f, instance, "/p", SIGNED_IN "; __clerk_handshake_nonce=n");
    assert_int_equal(outcome->handshake_failed, 1);
    assert_int_equal(f->calls, 0);
}

static void a_nonce_that_is_not_looked_up_is_as_if_absent(void **state)
{
    static const struct {
        const char *name;
        const char *nonce;
        const char *method;
        const char *sec_fetch_dest; /* "": absent */
        const char *accept;
        int looked_up;
    } rows[] = {
        {"a page", "n", "GET", "document", NULL, 1},
        {"a frame", "n", "GET", "iframe", NULL, 1},
        {"an old browser's page", "n", "GET", "", "text/html,*/*;q=0.8", 1},
        {"all characters", "AZaz09-._~+/=", "GET", "document", NULL, 1},
        {"a script", "n", "GET", "empty", NULL, 0},
        {"an image", "n", "GET", "image", "text/html", 0},
        {"a program", "n", "GET", "", "*/*", 0},
        {"a form", "n", "POST", "document", NULL, 0},
        {"HEAD", "n", "HEAD", "document", NULL, 0},
        {"a space", "n%20n", "GET", "document", NULL, 0},
        {"an ampersand", "n%26n", "GET", "document", NULL, 0},
        {"a line break", "n%0an", "GET", "document", NULL, 0},
        {"not ASCII", "n%C3%A9", "GET", "document", NULL, 0},
        {"a quotation mark", "%22n%22", "GET", "document", NULL, 0},
    };
    fixture *f = *state;
    const char *nonce, *handshake = clerk_fixture_handshake("[\"__session=<newer>\"]", "", f->pool);
    const clerk_outcome *outcome;

    clerk_fixture_answer(f, 404, "{}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->calls = 0;
        f->request.method = rows[i].method;
        f->request.sec_fetch_dest = *rows[i].sec_fetch_dest ? rows[i].sec_fetch_dest : NULL;
        f->request.accept = rows[i].accept;
        outcome = decide_with(f, live_instance(f), "/p",
                              apr_pstrcat(f->pool, SIGNED_IN "; __clerk_handshake_nonce=", rows[i].nonce,
                                          "; __clerk_handshake=", handshake, NULL));
        assert_case(rows[i].name, verdict(outcome, f->pool), "signed-in");
        /* The token counts where the nonce does not. */
        assert_case(rows[i].name, outcome->identity->user_id, rows[i].looked_up ? "user_1" : "user_newer");
        assert_int_equal(outcome->handshake_failed, rows[i].looked_up);
        assert_int_equal(f->calls, rows[i].looked_up);
    }
    /* Too long; and one that is held back by the limits. */
    clerk_fixture_reset(f);
    for (apr_size_t len = 256; len <= 257; len++) {
        nonce = memset(apr_pcalloc(f->pool, len + 1), 'n', len);
        f->calls = 0;
        outcome = decide_with(f, live_instance(f), "/p",
                              apr_pstrcat(f->pool, SIGNED_IN "; __clerk_handshake_nonce=", nonce, NULL));
        assert_string_equal(verdict(outcome, f->pool), "signed-in");
        assert_int_equal(f->calls, len == 256);
    }
    f->reply.held_back = 1;
    outcome = decide_with(f, live_instance(f), "/p",
                          apr_pstrcat(f->pool, "__clerk_handshake_nonce=n; __clerk_handshake=", handshake, NULL));
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_int_equal(outcome->handshake_failed, 0);
    outcome = decide_with(f, live_instance(f), "/p", SIGNED_IN "; __clerk_handshake_nonce=n");
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_int_equal(outcome->handshake_failed, 0);
}

static void a_development_browser_without_cookies_is_found_out(void **state)
{
    static const struct {
        const char *name;
        const char *target;
        const char *cookie;
        const char *expected;
        const char *location; /* NULL: none; ends in "...": begins like that */
        int loop;
    } rows[] = {
        {"nothing came back", "/p?__clerk_handshake=@", "", "signed-in",
         "https://app.example.com/p?__clerk_help=cookies", 0},
        {"nothing came back, a query", "/p?x=a%20b&__clerk_handshake=@", "theme=dark", "signed-in",
         "https://app.example.com/p?x=a+b&__clerk_help=cookies", 0},
        {"the counter came back", "/p?__clerk_handshake=@", "__clerk_redirect_count=1", "signed-in",
         "https://app.example.com/p", 0},
        {"the dev browser came back", "/p?__clerk_handshake=@", "__clerk_db_jwt=d", "signed-in",
         "https://app.example.com/p", 0},
        {"only __client_uat=0 came back", "/p?__clerk_handshake=@", "__client_uat=0", "signed-in",
         "https://app.example.com/p", 0},
        {"only an empty cookie came back", "/p?__clerk_handshake=@", "__session=", "signed-in",
         "https://app.example.com/p", 0},
        {"only cookies of another instance came back", "/p?__clerk_handshake=@", "__session_other=x", "signed-in",
         "https://app.example.com/p", 0},
        {"only cookies with similar names came back", "/p?__clerk_handshake=@", "__sessions=x; __clerk=x; _session=x",
         "signed-in", "https://app.example.com/p?__clerk_help=cookies", 0},
        {"__client_uat=0 is no loop", "/p?x=1&__clerk_help=cookies", "__client_uat=0", "handshake dev-browser-missing",
         "https://happy-hippo-1...", 0},
        {"cookies of another instance are no loop", "/p?__clerk_help=cookies", "__client_uat_other=1",
         "handshake dev-browser-missing", "https://happy-hippo-1...", 0},
        {"nothing came back again", "/p?x=1&__clerk_help=cookies", "", "signed-out dev-browser-missing", NULL, 1},
        {"they came late", "/p?x=1&__clerk_help=cookies", "__session=<dev>; __client_uat=1; __clerk_db_jwt=d",
         "signed-in", "https://app.example.com/p?x=1", 0},
        {"they came late, signed out", "/p?x=1&__clerk_help=cookies", "__clerk_db_jwt=d",
         "signed-out session-token-and-uat-missing", "https://app.example.com/p?x=1", 0},
        {"some came", "/p?__clerk_help=cookies", "__session=<dev>; __clerk_db_jwt=d",
         "handshake session-token-but-no-client-uat", "https://happy-hippo-1...", 0},
        {"another value", "/p?__clerk_help=1", "", "handshake dev-browser-missing", "https://happy-hippo-1...", 0},
    };
    fixture *f = *state;
    const char *token = clerk_fixture_handshake("[\"__session=<dev>\"]", "", f->pool);

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *at = strchr(rows[i].target, '@');
        const char *target
            = at ? apr_pstrcat(f->pool, apr_pstrndup(f->pool, rows[i].target, (apr_size_t)(at - rows[i].target)), token,
                               NULL)
                 : rows[i].target;
        const clerk_outcome *outcome = decide_with(f, test_instance(f), target, rows[i].cookie);

        assert_case(rows[i].name, verdict(outcome, f->pool), rows[i].expected);
        assert_case(rows[i].name,
                    outcome->location && !strncmp(outcome->location, "https://happy", 13) ? "https://happy-hippo-1..."
                                                                                          : outcome->location,
                    rows[i].location);
        assert_int_equal(outcome->loop, rows[i].loop);
    }
    /* Scripts are not redirected, and production instances do not use the probe. */
    f->request.sec_fetch_dest = "empty";
    assert_null(decide_with(f, test_instance(f), "/p?__clerk_help=cookies", "__clerk_db_jwt=d")->location);
    f->request.sec_fetch_dest = "document";
    assert_null(decide_with(f, live_instance(f), "/p?__clerk_help=cookies", SIGNED_IN)->location);
}

static void without_keys_a_handshake_cannot_be_judged(void **state)
{
    fixture *f = *state;
    const char *token = clerk_fixture_handshake("[\"__session=<S>\"]", "", f->pool);
    const clerk_outcome *outcome;

    f->keys_status = CLERK_KEYS_UNAVAILABLE;
    outcome = decide_with(f, live_instance(f), "/p", apr_pstrcat(f->pool, "__clerk_handshake=", token, NULL));
    assert_string_equal(verdict(outcome, f->pool), "unavailable jwk-remote-failed-to-load");
    outcome = decide_with(f, test_instance(f), apr_pstrcat(f->pool, "/?__clerk_handshake=", token, NULL), "");
    assert_string_equal(verdict(outcome, f->pool), "unavailable jwk-remote-failed-to-load");
    clerk_fixture_answer(f, 200, "{\"directives\":[\"__session=<S>\"]}");
    outcome = decide_with(f, live_instance(f), "/p", "__clerk_handshake_nonce=n");
    assert_string_equal(verdict(outcome, f->pool), "unavailable jwk-remote-failed-to-load");
    assert_int_equal(outcome->set_cookies->nelts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(the_redirect_says_everything_in_order),
        fixture_test(directives_are_taken_over_where_they_are_clerks),
        fixture_test(tokens_resolve_in_production),
        fixture_test(bad_tokens_leave_the_cookies_to_decide),
        fixture_test(development_takes_the_query_and_cleans_the_url),
        fixture_test(nonces_are_looked_up),
        fixture_test(a_nonce_that_is_not_looked_up_is_as_if_absent),
        fixture_test(a_development_browser_without_cookies_is_found_out),
        fixture_test(without_keys_a_handshake_cannot_be_judged),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
