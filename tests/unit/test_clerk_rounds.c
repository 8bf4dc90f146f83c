/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/browser/rounds.h"
#include "clerk/url/query.h"
#include "clerk/url/url.h"

/* differences.md row 28. */

#define SIGNED_IN "__session=<S>; __client_uat=1"
#define UNKNOWN "__client_uat=1"
#define COOKIE "__clerk_redirect_count_"
#define ATTRIBUTES "; SameSite=Lax; HttpOnly; Max-Age=10"

static clerk_outcome *decide_with(fixture *f, const clerk_instance *instance, const char *target, const char *cookie)
{
    f->request.target = target;
    f->request.cookie = expand(cookie, f->pool);
    return decide(f, instance);
}

/* The name of the cookie of a page: of the one that a handshake of this page sets. */
static const char *cookie_of(fixture *f, const clerk_instance *instance, const char *target)
{
    const clerk_outcome *outcome = decide_with(f, instance, target, UNKNOWN "; __clerk_db_jwt=d");
    const char *line;

    assert_int_equal(outcome->status, CLERK_HANDSHAKE);
    assert_int_equal(outcome->set_cookies->nelts, 1);
    line = APR_ARRAY_IDX(outcome->set_cookies, 0, const char *);
    assert_int_equal(strncmp(line, COOKIE, sizeof(COOKIE) - 1), 0);
    return apr_pstrndup(f->pool, line, strcspn(line, "="));
}

/* The URL to which a handshake returns. */
static const char *way_back(fixture *f, const clerk_outcome *outcome)
{
    const clerk_url *url = outcome->location ? clerk_url_parse(outcome->location, f->pool) : NULL;

    return url ? clerk_query_get(clerk_query_parse(url->query, f->pool), "redirect_url") : NULL;
}

static void a_page_is_a_url_without_clerks_parameters(void **state)
{
    static const struct {
        const char *one;
        const char *other;
        int same;
    } rows[] = {
        {"/p", "/p?__clerk_help=round2", 1},
        {"/p", "/p?__clerk_synced=true&__clerk_handshake_nonce=n&__dev_session=d", 1},
        {"/p?x=1", "/p?__clerk_synced=true&x=1", 1},
        {"/p?x=a%20b", "/p?x=a+b", 1},
        {"/p", "/q", 0},
        {"/p", "/p/", 0},
        {"/p", "/P", 0},
        {"/p", "/p?x=1", 0},
        {"/p?x=1", "/p?x=2", 0},
        {"/p?a=1&b=2", "/p?b=2&a=1", 0},
        {"/p", "/p?clerk=1", 0},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_case(rows[i].other,
                    !strcmp(cookie_of(f, instance, rows[i].one), cookie_of(f, instance, rows[i].other)) ? "same"
                                                                                                        : "different",
                    rows[i].same ? "same" : "different");
    }
}

/* Requests of /p, whose cookie has the value `value`. */
static void rounds_are_counted_by_cookie_and_url(void **state)
{
    static const struct {
        const char *value; /* NULL: no cookie */
        const char *target;
        const char *next; /* the cookie that is set; NULL: a loop */
        const char *way_back;
    } rows[] = {
        /* The first handshake, and those of other tabs on the same URL. */
        {NULL, "/p", "1", "https://app.example.com/p"},
        {"1", "/p", "2", "https://app.example.com/p?__clerk_help=round2"},
        {"2", "/p", "3", "https://app.example.com/p?__clerk_help=round2"},
        {"49", "/p", "50", "https://app.example.com/p?__clerk_help=round2"},
        {"50", "/p", NULL, NULL},
        /* Certainly returned. */
        {"1", "/p?__clerk_help=round2", "1", "https://app.example.com/p?__clerk_help=round3"},
        {"1", "/p?__clerk_help=round3", NULL, NULL},
        {"50", "/p?__clerk_help=round2", "50", "https://app.example.com/p?__clerk_help=round3"},
        {"1", "/p?__clerk_help=round2&__clerk_help=round3", NULL, NULL},
        {"s", "/p", "1", "https://app.example.com/p?__clerk_help=round3"},
        {"s", "/p?__clerk_help=round2", "1", "https://app.example.com/p?__clerk_help=round3"},
        {"s", "/p?__clerk_help=round3", NULL, NULL},
        /* A link or a bookmark: the parameter means nothing without the cookie. */
        {NULL, "/p?__clerk_help=round3", "1", "https://app.example.com/p"},
        {NULL, "/p?__clerk_help=round2", "1", "https://app.example.com/p"},
        /* Not ours. */
        {"1", "/p?__clerk_help=round4", "2", "https://app.example.com/p?__clerk_help=round4&__clerk_help=round2"},
        {"1", "/p?__clerk_help=round1", "2", "https://app.example.com/p?__clerk_help=round1&__clerk_help=round2"},
        {"1", "/p?__clerk_help=1", "2", "https://app.example.com/p?__clerk_help=1&__clerk_help=round2"},
        /* differences.md row 8: what cannot be read is a loop. */
        {"0", "/p", NULL, NULL},
        {"01", "/p", NULL, NULL},
        {"51", "/p", NULL, NULL},
        {"100", "/p", NULL, NULL},
        {"-1", "/p", NULL, NULL},
        {"1.5", "/p", NULL, NULL},
        {"x", "/p", NULL, NULL},
        {"ss", "/p", NULL, NULL},
        {"99999999999999999999", "/p", NULL, NULL},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    const char *name = cookie_of(f, instance, "/p");

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *cookie
            = rows[i].value ? apr_pstrcat(f->pool, UNKNOWN "; ", name, "=", rows[i].value, NULL) : UNKNOWN;
        const char *row = apr_pstrcat(f->pool, rows[i].value ? rows[i].value : "none", " ", rows[i].target, NULL);
        const clerk_outcome *outcome = decide_with(f, instance, rows[i].target, cookie);

        assert_case(row, way_back(f, outcome), rows[i].way_back);
        assert_case(row, verdict(outcome, f->pool),
                    rows[i].next ? "handshake client-uat-but-no-session-token"
                                 : "signed-out client-uat-but-no-session-token");
        assert_int_equal(outcome->loop, !rows[i].next);
        assert_case(row, cookies_of(outcome, f->pool),
                    rows[i].next ? apr_pstrcat(f->pool, name, "=", rows[i].next, ATTRIBUTES, NULL) : "");
    }
}

/* Every page has its own rounds: what is counted for one is nothing to another. */
static void pages_do_not_disturb_each_other(void **state)
{
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    const char *others = UNKNOWN;
    const clerk_outcome *outcome;

    for (int i = 0; i < 20; i++) {
        others = apr_pstrcat(f->pool, others, "; ", cookie_of(f, instance, apr_psprintf(f->pool, "/other?tab=%d", i)),
                             "=x", NULL);
    }
    outcome = decide_with(f, instance, "/p", others);
    assert_int_equal(outcome->status, CLERK_HANDSHAKE);
    assert_string_equal(way_back(f, outcome), "https://app.example.com/p");
}

static void a_granted_page_forgets_its_rounds(void **state)
{
    fixture *f = *state;
    const clerk_instance *live = live_instance(f);
    const char *name = cookie_of(f, live, "/p?a=1");
    const char *forget = apr_pstrcat(f->pool, name, "=; SameSite=Lax; HttpOnly; Max-Age=0", NULL);
    const char *counted = apr_pstrcat(f->pool, SIGNED_IN "; ", name, "=3", NULL);
    const clerk_outcome *outcome = decide_with(f, live, "/p?a=1", counted);

    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_null(outcome->location);
    assert_string_equal(cookies_of(outcome, f->pool), forget);
    /* The round's parameter leaves the URL by one redirect. It stays for a script, and in the last round if only the
     * handshake has signed in: the browser may not keep its cookies. */
    outcome = decide_with(f, live, "/p?a=1&__clerk_help=round2", counted);
    assert_string_equal(outcome->location, "https://app.example.com/p?a=1");
    assert_string_equal(cookies_of(outcome, f->pool), apr_pstrcat(f->pool, name, "=s" ATTRIBUTES, NULL));
    outcome = decide_with(f, live, "/p?a=1&__clerk_help=round2", SIGNED_IN);
    assert_string_equal(outcome->location, "https://app.example.com/p?a=1");
    outcome = decide_with(f, live, "/p?a=1&__clerk_help=round3", counted);
    assert_string_equal(outcome->location, "https://app.example.com/p?a=1");
    outcome = decide_with(f, live, "/p?a=1&__clerk_help=round3",
                          apr_pstrcat(f->pool, name, "=1; __clerk_handshake=",
                                      clerk_fixture_handshake("[\"__session=<S>\"]", "", f->pool), NULL));
    assert_string_equal(verdict(outcome, f->pool), "signed-in");
    assert_null(outcome->location);
    assert_int_equal(outcome->set_cookies->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(outcome->set_cookies, 1, const char *), forget);
    f->request.sec_fetch_dest = "empty";
    outcome = decide_with(f, live, "/p?a=1&__clerk_help=round2", counted);
    assert_null(outcome->location);
    assert_string_equal(cookies_of(outcome, f->pool), forget);
    f->request.sec_fetch_dest = "document";
    /* Nothing is set for a page without rounds, and for a visitor who is not signed in. */
    assert_int_equal(decide_with(f, live, "/p?a=2", counted)->set_cookies->nelts, 0);
    outcome = decide_with(f, live, "/p?a=1&__clerk_help=round2", apr_pstrcat(f->pool, name, "=1", NULL));
    assert_string_equal(verdict(outcome, f->pool), "signed-out session-token-and-uat-missing");
    assert_int_equal(outcome->set_cookies->nelts, 0);
    assert_null(outcome->location);
}

/* With a wrong clock, each handshake resolves: that alone does not reset. */
static void a_resolved_handshake_does_not_reset(void **state)
{
    fixture *f = *state;
    const clerk_instance *instance = test_instance(f);
    const char *name = cookie_of(f, instance, "/p");
    const char *jar = apr_pstrcat(f->pool, "__session=<dev-early>; __client_uat=1; __clerk_db_jwt=d", NULL);
    const char *target = "/p";
    const char *handshake = clerk_fixture_handshake("[\"__session=<dev-early>\"]", "", f->pool);
    int round = 0;

    for (;; round++) {
        clerk_outcome *outcome
            = decide_with(f, instance, target, round ? apr_pstrcat(f->pool, jar, "; ", name, "=1", NULL) : jar);

        if (outcome->loop) {
            break;
        }
        assert_in_range(round, 0, 2);
        assert_int_equal(outcome->status, CLERK_HANDSHAKE);
        target = way_back(f, outcome) + strlen("https://app.example.com");
        target = apr_pstrcat(f->pool, target, strchr(target, '?') ? "&" : "?", "__clerk_handshake=", handshake, NULL);
        outcome = decide_with(f, instance, target, apr_pstrcat(f->pool, jar, "; ", name, "=1", NULL));
        assert_string_equal(verdict(outcome, f->pool), "signed-in");
        assert_int_equal(strncmp(APR_ARRAY_IDX(outcome->set_cookies, 0, const char *), "__session=", 10), 0);
        assert_int_equal(outcome->set_cookies->nelts, 1);
        target = outcome->location + strlen("https://app.example.com");
    }
    assert_int_equal(round, 3);
}

static void own_parameters_leave_a_query(void **state)
{
    static const char *const rows[][2] = {
        {NULL, NULL},
        {"", ""},
        {"a=1", "a=1"},
        {"__clerk_help=round2", NULL},
        {"__clerk_help=cookies", NULL},
        {"a=%20&__clerk_help=round3", "a=%20"},
        {"__clerk_help=round2&a=1&&b", "a=1&&b"},
        {"a=1&__clerk_help=cookies&b&__clerk_help=round2", "a=1&b"},
        {"__clerk_help=round22", "__clerk_help=round22"},
        {"__clerk_help=", "__clerk_help="},
        {"x__clerk_help=round2", "x__clerk_help=round2"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_case(rows[i][0], clerk_rounds_clean_query(rows[i][0], f->pool), rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(a_page_is_a_url_without_clerks_parameters), fixture_test(rounds_are_counted_by_cookie_and_url),
        fixture_test(pages_do_not_disturb_each_other),           fixture_test(a_granted_page_forgets_its_rounds),
        fixture_test(a_resolved_handshake_does_not_reset),       fixture_test(own_parameters_leave_a_query),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
