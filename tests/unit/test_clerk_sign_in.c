/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/browser/sign_in.h"
#include "clerk/url/query.h"
#include "clerk/url/url.h"

#define VECTOR "/dash?x=1&y=a b"
#define BACK "https%3A%2F%2Fapp.example.com%2Fdash%3Fx%3D1%26y%3Da%2520b"
#define BACK_UNSYNCED "https%3A%2F%2Fapp.example.com%2Fdash%3Fx%3D1%26y%3Da%2Bb%26__clerk_synced%3Dfalse"

static const char *location_of(fixture *f, const clerk_instance *instance, const clerk_outcome *outcome)
{
    return clerk_sign_in_location(&f->request, instance, &f->policy, outcome, f->pool);
}

static void sign_in_redirects_are_those_of_the_vectors(void **state)
{
    static const struct {
        const char *name;
        const char *sign_in_url;
        int satellite;
        int development;
        int pending;
        const char *dev_browser;
        const char *location;
    } rows[] = {
        {"default", NULL, 0, 0, 0, NULL, "https://accounts.example.com/sign-in?redirect_url=" BACK},
        {"a path", "/sign-in", 0, 0, 0, NULL, "https://app.example.com/sign-in?redirect_url=" BACK},
        {"a path with a query", "/sign-in?z=1", 0, 0, 0, NULL,
         "https://app.example.com/sign-in?z=1&redirect_url=" BACK},
        {"a path with a redirect_url", "/sign-in?redirect_url=x&z", 0, 0, 0, NULL,
         "https://app.example.com/sign-in?redirect_url=" BACK "&z="},
        {"a path with a fragment", "/#/sign-in", 0, 0, 0, NULL,
         "https://app.example.com/?redirect_url=" BACK "#/sign-in"},
        {"a URL", "https://auth.test/in", 0, 0, 0, NULL, "https://auth.test/in?redirect_url=" BACK},
        {"pending", NULL, 0, 0, 1, NULL, "https://accounts.example.com/sign-in/tasks?redirect_url=" BACK},
        {"pending, a query", "/sign-in?z=1", 0, 0, 1, NULL,
         "https://app.example.com/sign-in/tasks?z=1&redirect_url=" BACK},
        {"pending, a slash", "/sign-in/", 0, 0, 1, NULL, "https://app.example.com/sign-in/tasks?redirect_url=" BACK},
        {"satellite, another host", "https://primary.dev/in", 1, 0, 0, NULL,
         "https://primary.dev/in?redirect_url=" BACK_UNSYNCED},
        {"satellite, the same host", "/in", 1, 0, 0, NULL, "https://app.example.com/in?redirect_url=" BACK},
        {"development, another host", NULL, 0, 1, 0, "dv/1",
         "https://happy-hippo-1.accounts.dev/sign-in?redirect_url=" BACK "&__clerk_db_jwt=dv%2F1"},
        {"development, no dev browser", NULL, 0, 1, 0, NULL,
         "https://happy-hippo-1.accounts.dev/sign-in?redirect_url=" BACK},
        {"development, the same host", "/in", 0, 1, 0, "dv", "https://app.example.com/in?redirect_url=" BACK},
        {"development, the same host, another scheme", "http://app.example.com/in", 0, 1, 0, "dv",
         "http://app.example.com/in?redirect_url=" BACK},
        {"development, another port", "https://app.example.com:8443/in", 0, 1, 0, "dv",
         "https://app.example.com:8443/in?redirect_url=" BACK "&__clerk_db_jwt=dv"},
        {"production never hands a dev browser on", NULL, 0, 0, 0, "dv",
         "https://accounts.example.com/sign-in?redirect_url=" BACK},
        {"the page itself", "/dash", 0, 0, 0, NULL, NULL},
        {"the page itself, absolute, with a query", "https://APP.example.com:443/x/../dash?a", 0, 0, 0, NULL, NULL},
        {"the tasks of the page itself", "/dash", 0, 0, 1, NULL,
         "https://app.example.com/dash/tasks?redirect_url=" BACK},
        {"not a URL", "sign-in", 0, 0, 0, NULL, NULL},
        {"another scheme", "javascript:alert(1)", 0, 0, 0, NULL, NULL},
        {"a path that looks like a host", "//evil.test/in", 0, 0, 0, NULL,
         "https://app.example.com//evil.test/in?redirect_url=" BACK},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_instance_options options
            = {.satellite = rows[i].satellite, .domain = rows[i].satellite ? "sat.dev" : NULL};
        clerk_outcome outcome
            = {.reason = rows[i].pending ? CLERK_REASON_SESSION_PENDING : CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING,
               .dev_browser = rows[i].dev_browser};

        options.publishable_key = rows[i].development ? TEST_KEY : LIVE_KEY;
        f->request.target = VECTOR;
        f->policy.sign_in_url = rows[i].sign_in_url;
        assert_case(rows[i].name, location_of(f, clerk_fixture_instance(f, &options), &outcome), rows[i].location);
    }
}

static void without_a_portal_there_is_no_redirect(void **state)
{
    fixture *f = *state;
    clerk_instance_options options = {.jwks_url = "https://keys.test/"};
    clerk_outcome outcome = {.reason = CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING};

    assert_null(location_of(f, clerk_fixture_instance(f, &options), &outcome));
    f->policy.sign_in_url = "https://auth.test/in";
    assert_non_null(location_of(f, clerk_fixture_instance(f, &options), &outcome));
    f->request.origin_url = "nonsense";
    assert_null(location_of(f, clerk_fixture_instance(f, &options), &outcome));
}

/* Paths used to attack redirects. All of them must only be the path of the requested page. */
static const char *const hostile_targets[] = {
    "//evil.test",
    "///evil.test",
    "////evil.test//",
    "/\\evil.test",
    "\\\\evil.test",
    "/\\/evil.test",
    "\\/\\/evil.test/",
    "/\t/evil.test",
    "/\r\n/evil.test",
    "/%09/evil.test",
    "/%2f%2fevil.test",
    "/%5cevil.test",
    "//evil.test/%2f..",
    "/.evil.test",
    "/..//evil.test",
    "/.//evil.test",
    "/;@evil.test",
    "//evil.test:80/",
    "//user@evil.test/",
    "https://evil.test/",
    "https:evil.test",
    "http:///evil.test",
    "javascript:alert(1)",
    "/javascript:alert(1)",
    "data:text/html,x",
    "@evil.test",
    ":443@evil.test",
    ".evil.test",
    "//[::1]/",
    "//evil%00.test",
    "/\x01//evil.test",
    "//evil\xe3\x80\x82test",
    "/?redirect_url=https://evil.test",
    "/#https://evil.test",
    "//evil.test#@app.example.com/",
    "//evil.test?app.example.com",
    "/x?__clerk_redirect_url=https://evil.test/",
    "/x?__clerk_synced=true&x",
    "/x\r\nSet-Cookie: a=b",
    "/x\nLocation: https://evil.test",
};

static void no_target_leads_elsewhere(void **state)
{
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    clerk_outcome outcome = {.reason = CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING};

    f->policy.sign_in_url = "/sign-in";
    for (size_t i = 0; i < COUNT(hostile_targets); i++) {
        const char *location;
        const char *back;
        const clerk_url *url;
        const clerk_outcome *handshake;
        const char *p;

        clerk_fixture_reset(f);
        f->policy.sign_in_url = "/sign-in";
        f->request.target = hostile_targets[i];
        location = location_of(f, instance, &outcome);
        assert_non_null(location);
        for (p = location; *p != '\0'; p++) {
            assert_in_range(*p, '!', '~');
        }
        url = clerk_url_parse(location, f->pool);
        assert_case(hostile_targets[i], url->origin, "https://app.example.com");
        assert_case(hostile_targets[i], url->path, "/sign-in");
        back = clerk_query_get(clerk_query_parse(url->query, f->pool), "redirect_url");
        assert_case(hostile_targets[i], apr_pstrndup(f->pool, back, 24), "https://app.example.com/");

        /* The redirect_url of a handshake is the same. */
        f->request.cookie = "__client_uat=1";
        handshake = decide(f, instance);
        assert_int_equal(handshake->status, CLERK_HANDSHAKE);
        for (p = handshake->location; *p != '\0'; p++) {
            assert_in_range(*p, '!', '~');
        }
        url = clerk_url_parse(handshake->location, f->pool);
        assert_case(hostile_targets[i], url->origin, "https://clerk.example.com");
        back = clerk_query_get(clerk_query_parse(url->query, f->pool), "redirect_url");
        assert_case(hostile_targets[i], apr_pstrndup(f->pool, back, 24), "https://app.example.com/");
    }
}

/* The sign-in URL for scripts returns to the page in which the script runs, and only to a page of this site. */
static void a_script_is_told_where_to_sign_in(void **state)
{
    static const struct {
        const char *referer;
        const char *location;
    } rows[] = {
        {NULL, ""},
        {"https://app.example.com/page?x=1#top", "?redirect_url=https%3A%2F%2Fapp.example.com%2Fpage%3Fx%3D1%23top"},
        {"https://app.example.com:443", "?redirect_url=https%3A%2F%2Fapp.example.com%2F"},
        {"https://user@app.example.com/p", "?redirect_url=https%3A%2F%2Fapp.example.com%2Fp"},
        {"http://app.example.com/page", ""},
        {"https://app.example.com:8443/page", ""},
        {"https://app.example.com.evil.test/", ""},
        {"https://app.example.com@evil.test/", ""},
        {"https://evil.test/https://app.example.com/", ""},
        {"javascript:alert(1)", ""},
        {"/page", ""},
        {"", ""},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    clerk_outcome outcome = {.reason = CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING};

    for (size_t i = 0; i < COUNT(rows); i++) {
        f->request.target = "/api/data?x=1";
        f->request.referer = rows[i].referer;
        assert_case(rows[i].referer ? rows[i].referer : "no Referer",
                    clerk_sign_in_location_for_script(&f->request, instance, &f->policy, &outcome, f->pool),
                    apr_pstrcat(f->pool, "https://accounts.example.com/sign-in", rows[i].location, NULL));
    }
    f->request.referer = apr_pstrcat(f->pool, "https://app.example.com/", apr_psprintf(f->pool, "%01100d", 0), NULL);
    assert_string_equal(clerk_sign_in_location_for_script(&f->request, instance, &f->policy, &outcome, f->pool),
                        "https://accounts.example.com/sign-in");
    f->policy.sign_in_url = "/api/data";
    assert_null(clerk_sign_in_location_for_script(&f->request, instance, &f->policy, &outcome, f->pool));
    f->policy.sign_in_url = NULL;
    f->request.origin_url = "nonsense";
    assert_null(clerk_sign_in_location_for_script(&f->request, instance, &f->policy, &outcome, f->pool));
}

/* differences.md row 27. */
static void navigations_are_told_from_other_requests(void **state)
{
    static const struct {
        const char *method;
        const char *dest;
        const char *mode;
        const char *accept;
        const char *requested_with;
        const char *hx_request;
        int navigation;
    } rows[] = {
        {"GET", "document", NULL, NULL, NULL, NULL, 1},
        {"GET", "document", "navigate", "text/html", NULL, NULL, 1},
        {"GET", "iframe", NULL, "*/*", NULL, NULL, 1},
        /* Frames of a frameset, <object>, <embed>, and <a download>. */
        {"GET", "frame", "navigate", NULL, NULL, NULL, 1},
        {"GET", "object", "navigate", NULL, NULL, NULL, 1},
        {"GET", "embed", "navigate", NULL, NULL, NULL, 1},
        {"GET", "empty", "navigate", NULL, NULL, NULL, 1},
        {"GET", "Document", "navigate", NULL, NULL, NULL, 1},
        {"GET", NULL, "navigate", "*/*", NULL, NULL, 1},
        {"GET", "object", "no-cors", "text/html", NULL, NULL, 0},
        {"GET", "frame", NULL, "text/html", NULL, NULL, 0},
        {"GET", "empty", "cors", "text/html", NULL, NULL, 0},
        {"GET", "empty", "same-origin", "text/html", NULL, NULL, 0},
        {"GET", "websocket", "websocket", "text/html", NULL, NULL, 0},
        {"GET", "Document", NULL, NULL, NULL, NULL, 0},
        {"GET", "empty", "Navigate", NULL, NULL, NULL, 0},
        {"GET", NULL, "cors", "text/html", NULL, NULL, 0},
        /* Old browsers, by Accept. */
        {"GET", NULL, NULL, "text/html,*/*", NULL, NULL, 1},
        {"GET", NULL, NULL, "text/html", NULL, NULL, 1},
        {"GET", NULL, NULL, "application/xml, text/html", NULL, NULL, 0},
        {"GET", NULL, NULL, "Text/HTML", NULL, NULL, 0},
        {"GET", NULL, NULL, "*/*", NULL, NULL, 0},
        {"GET", NULL, NULL, NULL, NULL, NULL, 0},
        {"GET", "empty", NULL, "text/html", NULL, NULL, 0},
        /* Scripts that name themselves, and Android's WebView, which names the application. */
        {"GET", NULL, NULL, "text/html, */*; q=0.01", "XMLHttpRequest", NULL, 0},
        {"GET", NULL, NULL, "text/html", "xmlhttprequest", NULL, 0},
        {"GET", NULL, NULL, "text/html", NULL, "true", 0},
        {"GET", NULL, NULL, "text/html", "com.example.app", NULL, 1},
        {"GET", "document", NULL, NULL, "XMLHttpRequest", NULL, 1},
        {"GET", NULL, "navigate", NULL, NULL, "true", 1},
        {"GET", "empty", "cors", "text/html", "XMLHttpRequest", "true", 0},
        /* Other methods cannot be repeated after a redirect. */
        {"HEAD", "document", "navigate", "text/html", NULL, NULL, 0},
        {"POST", "document", "navigate", "text/html", NULL, NULL, 0},
        {"get", "document", "navigate", "text/html", NULL, NULL, 0},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_outcome *outcome;

        f->request.method = rows[i].method;
        f->request.sec_fetch_dest = rows[i].dest;
        f->request.sec_fetch_mode = rows[i].mode;
        f->request.accept = rows[i].accept;
        f->request.x_requested_with = rows[i].requested_with;
        f->request.hx_request = rows[i].hx_request;
        assert_case(apr_itoa(f->pool, (int)i), clerk_request_is_navigation(&f->request) ? "yes" : "no",
                    rows[i].navigation ? "yes" : "no");
        /* Handshakes go by the same rule as redirects to sign-in. */
        f->request.cookie = "__client_uat=1";
        outcome = decide(f, live_instance(f));
        assert_case(apr_itoa(f->pool, (int)i), outcome->status == CLERK_HANDSHAKE ? "yes" : "no",
                    rows[i].navigation ? "yes" : "no");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(sign_in_redirects_are_those_of_the_vectors),
        fixture_test(without_a_portal_there_is_no_redirect),
        fixture_test(no_target_leads_elsewhere),
        fixture_test(a_script_is_told_where_to_sign_in),
        fixture_test(navigations_are_told_from_other_requests),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
