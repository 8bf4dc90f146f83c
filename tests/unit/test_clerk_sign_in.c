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

static void navigations_are_told_from_other_requests(void **state)
{
    static const struct {
        const char *method;
        const char *sec_fetch_dest;
        const char *accept;
        int navigation;
    } rows[] = {
        {"GET", "document", NULL, 1},      {"GET", "iframe", "*/*", 1},
        {"GET", NULL, "text/html,*/*", 1}, {"GET", NULL, "application/xml, text/html", 1},
        {"GET", NULL, "*/*", 0},           {"GET", NULL, NULL, 0},
        {"GET", "empty", "text/html", 0},  {"GET", "frame", "text/html", 0},
        {"GET", "Document", NULL, 0},      {"HEAD", "document", NULL, 0},
        {"POST", "document", NULL, 0},     {"get", "document", NULL, 0},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        f->request.method = rows[i].method;
        f->request.sec_fetch_dest = rows[i].sec_fetch_dest;
        f->request.accept = rows[i].accept;
        assert_case(apr_itoa(f->pool, (int)i), clerk_request_is_navigation(&f->request) ? "yes" : "no",
                    rows[i].navigation ? "yes" : "no");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(sign_in_redirects_are_those_of_the_vectors),
        fixture_test(without_a_portal_there_is_no_redirect),
        fixture_test(no_target_leads_elsewhere),
        fixture_test(navigations_are_told_from_other_requests),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
