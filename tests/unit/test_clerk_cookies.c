/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/cookies/cookies.h"
#include "clerk/cookies/cookie_header.h"

#define S_SESSION "__session_" LIVE_SUFFIX
#define S_UAT "__client_uat_" LIVE_SUFFIX

static void cookies_are_found_as_the_parser_table_says(void **state)
{
    static const struct {
        const char *header;
        const char *name;
        const char *value;
    } rows[] = {
        {"a=1; b=2", "b", "2"},
        {"a=1;b=2", "b", "2"},
        {" a = 1 ;\tb\t=2\t", "a", "1"},
        {" a = 1 ;\tb\t=2\t", "b", "2"},
        {"a=1; a=2", "a", "1"},
        {"a=; a=2", "a", NULL},
        {"a==b=", "a", "=b="},
        {"foo; bar=1", "bar", "1"},
        {"foo; bar=1", "foo", NULL},
        {"foo", "foo", NULL},
        {"=x", "", "x"},
        {"a=\"q v\"", "a", "\"q v\""},
        {"a=1,b=2", "a", "1,b=2"},
        {"a=%41", "a", "A"},
        {"a=%41%zz", "a", "%41%zz"},
        {"a=%C0", "a", "%C0"},
        {"a=%C3%A9", "a", "\xc3\xa9"},
        {"a=%C3", "a", "%C3"},
        {"a=x%00y", "a", "x%00y"},
        {"a=%4", "a", "%4"},
        {"a=%", "a", "%"},
        {"a=+b", "a", "+b"},
        {"%5F_session=1", "__session", NULL},
        {"A=1; a=2", "a", "2"},
        {"sid=x%3B__session%3Dforged", "__session", NULL},
        {"sid=x%3B__session%3Dforged", "sid", "x;__session=forged"},
        {";;;a=1;;", "a", "1"},
        {"", "a", NULL},
        {NULL, "a", NULL},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_case(rows[i].header, clerk_cookie_header_find(rows[i].header, rows[i].name, f->pool), rows[i].value);
    }
}

static void the_set_that_counts_is_chosen_rule_by_rule(void **state)
{
    static const struct {
        const char *name;
        const char *cookies;
        int suffixed;
    } rows[] = {
        {"no cookies", "x=y", 0},
        {"rule 1: un-suffixed cannot be decoded", "__session=garbage; " S_SESSION "=<S>; " S_UAT "=1", 0},
        {"rule 1: no iss", "__session=<no-iss>; " S_SESSION "=<S>; " S_UAT "=1", 0},
        {"rule 1: empty iss", "__session=<empty-iss>; " S_SESSION "=<S>; " S_UAT "=1", 0},
        {"rule 1: iss 0", "__session=<zero-iss>; " S_SESSION "=<S>; " S_UAT "=1", 0},
        {"rule 1: iss false", "__session=<false-iss>; " S_SESSION "=<S>; " S_UAT "=1", 0},
        {"rule 1: iss null", "__session=<null-iss>; " S_SESSION "=<S>; " S_UAT "=1", 0},
        {"rule 2: iss of another type", "__session=<number-iss>", 1},
        {"rule 2: another instance, nothing suffixed", "__session=<foreign>", 1},
        {"rule 2: trailing slash", "__session=<slash-iss>", 1},
        {"rule 3: only un-suffixed", "__session=<S>; __client_uat=1", 0},
        {"rule 3: the bare host is ours", "__session=<bare-iss>; __client_uat=1", 0},
        {"rule 3: every scheme is taken out of it", "__session=<odd-iss>; __client_uat=1", 0},
        {"rule 4: un-suffixed is newer", "__session=<newer>; __client_uat=1; " S_SESSION "=<S>; " S_UAT "=1", 0},
        {"rule 4: also where the uats are absent", "__session=<newer>; " S_SESSION "=<S>", 0},
        {"rule 4: also where suffixed cannot be decoded", "__session=<S>; " S_SESSION "=garbage; " S_UAT "=1", 0},
        {"not rule 4: same age", "__session=<S>; __client_uat=1; " S_SESSION "=<S>; " S_UAT "=1", 1},
        {"not rule 4: suffixed is newer", "__session=<S>; __client_uat=1; " S_SESSION "=<newer>; " S_UAT "=1", 1},
        {"not rule 4: un-suffixed is signed out", "__session=<newer>; __client_uat=0; " S_SESSION "=<S>; " S_UAT "=1",
         1},
        {"not rule 4: 00 is not signed out", "__session=<newer>; __client_uat=00; " S_SESSION "=<S>; " S_UAT "=1", 0},
        {"not rule 4: iat is text", "__session=<text-iat>; " S_SESSION "=<S>; " S_UAT "=1", 1},
        {"rule 5: suffixed is signed out", S_UAT "=0; __client_uat=1; " S_SESSION "=<newer>; __session=<S>", 0},
        {"rule 5: the other is absent", S_UAT "=0", 0},
        {"not rule 5: both are signed out", S_UAT "=0; __client_uat=0; " S_SESSION "=<S>; __session=<S>", 1},
        {"not rule 6 in production", S_UAT "=1; __client_uat=0; " S_SESSION "=<X>", 1},
        {"rule 7: suffixed session without its uat", "__session=<S>; __client_uat=1; " S_SESSION "=<newer>", 0},
        {"rule 7: nothing but the suffixed session", S_SESSION "=<S>", 0},
        {"rule 8: only the suffixed uat", S_UAT "=5", 1},
        {"rule 8: suffixed", S_SESSION "=<S>; " S_UAT "=1", 1},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_cookies *cookies
            = clerk_cookies_read(expand(rows[i].cookies, f->pool), instance, &f->services, f->pool);

        assert_case(rows[i].name, cookies->suffixed ? "suffixed" : "un-suffixed",
                    rows[i].suffixed ? "suffixed" : "un-suffixed");
    }
}

static void a_development_instance_asks_whether_the_suffixed_token_has_expired(void **state)
{
#define DEV_S "__session_" TEST_SUFFIX
#define DEV_UAT "__client_uat_" TEST_SUFFIX
    static const struct {
        const char *cookies;
        int suffixed;
    } rows[] = {
        {DEV_UAT "=1; __client_uat=0; " DEV_S "=<dev-expired>", 0},
        {DEV_UAT "=1; __client_uat=0; " DEV_S "=<dev>", 1},
        {DEV_UAT "=1; __client_uat=0; " DEV_S "=<dev-no-exp>", 1},
        {DEV_UAT "=1; __client_uat=0; " DEV_S "=garbage", 1},
        {DEV_UAT "=1; __client_uat=2; " DEV_S "=<dev-expired>", 1},
        {DEV_UAT "=0; __client_uat=0; " DEV_S "=<dev-expired>", 1},
    };
    fixture *f = *state;
    const clerk_instance *instance = test_instance(f);

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_case(rows[i].cookies,
                    clerk_cookies_read(expand(rows[i].cookies, f->pool), instance, &f->services, f->pool)->suffixed
                        ? "suffixed"
                        : "un-suffixed",
                    rows[i].suffixed ? "suffixed" : "un-suffixed");
    }
}

static void the_issuer_is_that_of_the_instance(void **state)
{
    fixture *f = *state;
    clerk_instance_options satellite = {.publishable_key = LIVE_KEY, .domain = "sat.dev", .satellite = 1};
    clerk_instance_options overridden = {.publishable_key = LIVE_KEY, .frontend_api = "http://127.0.0.1:9000"};
    clerk_instance_options keyless = {.secret_key = "sk_live_x"};
    const char *own = expand("__session=<S>", f->pool);
    const char *sat = expand("__session=<sat>", f->pool);

    /* The issuer of a satellite's tokens is the frontend API of the satellite, and no other. */
    assert_true(clerk_cookies_read(own, clerk_fixture_instance(f, &satellite), &f->services, f->pool)->suffixed);
    assert_false(clerk_cookies_read(sat, clerk_fixture_instance(f, &satellite), &f->services, f->pool)->suffixed);
    /* With ClerkFrontendAPI, tokens may still have the host of the publishable key as issuer. */
    assert_false(clerk_cookies_read(own, clerk_fixture_instance(f, &overridden), &f->services, f->pool)->suffixed);
    assert_true(clerk_cookies_read(sat, clerk_fixture_instance(f, &overridden), &f->services, f->pool)->suffixed);
    /* Without a publishable key there is no suffix. */
    assert_false(clerk_cookies_read(sat, clerk_fixture_instance(f, &keyless), &f->services, f->pool)->suffixed);
    assert_non_null(clerk_cookies_read(sat, clerk_fixture_instance(f, &keyless), &f->services, f->pool)->session);
}

static void numbers_are_read_as_the_text_says(void **state)
{
    static const struct {
        const char *text;
        apr_int64_t uat;
    } uats[] = {
        {"1", 1}, {"12abc", 12}, {"abc", 0}, {"-5", -5}, {"+7", 7},  {"%20 9", 9},
        {"0", 0}, {"00", 0},     {"1.9", 1}, {"-", 0},   {"--1", 0}, {"", 0},
    };
    static const struct {
        const char *text;
        int count;
    } counts[] = {
        {"", 0},   {"0", 0},  {"1", 1},   {"2", 2},   {"3", 3},   {"4", 3},   {"2.5", 3}, {"-1", 3},
        {"00", 3}, {"01", 3}, {"0x3", 3}, {"abc", 3}, {"1 1", 3}, {"1e0", 3}, {"NaN", 3}, {"99999999999999999999", 3},
    };
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    const clerk_cookies *cookies;

    for (size_t i = 0; i < COUNT(uats); i++) {
        cookies = clerk_cookies_read(apr_pstrcat(f->pool, "__client_uat=", uats[i].text, NULL), instance, &f->services,
                                     f->pool);
        assert_case(uats[i].text, apr_psprintf(f->pool, "%" APR_INT64_T_FMT, cookies->client_uat),
                    apr_psprintf(f->pool, "%" APR_INT64_T_FMT, uats[i].uat));
    }
    cookies = clerk_cookies_read("__client_uat=99999999999999999999999999", instance, &f->services, f->pool);
    assert_true(cookies->client_uat > (apr_int64_t)1 << 50);
    for (size_t i = 0; i < COUNT(counts); i++) {
        cookies = clerk_cookies_read(apr_pstrcat(f->pool, "__clerk_redirect_count=", counts[i].text, NULL), instance,
                                     &f->services, f->pool);
        assert_case(counts[i].text, apr_itoa(f->pool, cookies->redirect_count), apr_itoa(f->pool, counts[i].count));
    }
}

static void every_cookie_goes_by_its_own_rule(void **state)
{
    fixture *f = *state;
    const clerk_instance *instance = live_instance(f);
    const clerk_cookies *cookies;

    cookies = clerk_cookies_read("__refresh=a; __clerk_db_jwt=u; __clerk_handshake=h; __clerk_handshake_nonce=n; "
                                 "__clerk_handshake_" LIVE_SUFFIX "=x",
                                 instance, &f->services, f->pool);
    assert_null(cookies->refresh);
    assert_string_equal(cookies->dev_browser, "u");
    assert_string_equal(cookies->handshake, "h");
    assert_string_equal(cookies->handshake_nonce, "n");
    cookies = clerk_cookies_read("__refresh_" LIVE_SUFFIX "=r; " S_UAT
                                 "=1; __clerk_db_jwt=u; __clerk_db_jwt_" LIVE_SUFFIX "=s",
                                 instance, &f->services, f->pool);
    assert_string_equal(cookies->refresh, "r");
    assert_string_equal(cookies->dev_browser, "s");
    assert_null(cookies->handshake);
    cookies = clerk_cookies_read(NULL, instance, &f->services, f->pool);
    assert_null(cookies->session);
    assert_int_equal(cookies->redirect_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(cookies_are_found_as_the_parser_table_says),
        fixture_test(the_set_that_counts_is_chosen_rule_by_rule),
        fixture_test(a_development_instance_asks_whether_the_suffixed_token_has_expired),
        fixture_test(the_issuer_is_that_of_the_instance),
        fixture_test(numbers_are_read_as_the_text_says),
        fixture_test(every_cookie_goes_by_its_own_rule),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
