/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/url/origin.h"

static void plain_hosts_are_told_from_others(void **state)
{
    static const char *const good[] = {"a", "a.b", "127.0.0.1", "a_b.c-d", "xn--bcher-kva.example"};
    static const char *const bad[] = {"",
                                      ".",
                                      "a..b",
                                      ".a",
                                      "a.",
                                      "a b",
                                      "a/b",
                                      "a@b",
                                      "[::1]",
                                      "a:",
                                      "a:0",
                                      "a:65536",
                                      "a:1x",
                                      "a:000080",
                                      "b\xc3\xbc.example",
                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b"};
    fixture *f = *state;
    char longest[300];

    for (size_t i = 0; i < COUNT(good); i++) {
        assert_case(good[i], clerk_origin_host_is_plain(good[i]) ? "yes" : "no", "yes");
        assert_case(good[i], clerk_origin_authority_is_plain(good[i], f->pool) ? "yes" : "no", "yes");
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_case(bad[i], clerk_origin_authority_is_plain(bad[i], f->pool) ? "yes" : "no", "no");
    }
    assert_true(clerk_origin_authority_is_plain("a.b:65535", f->pool));
    assert_true(clerk_origin_authority_is_plain("A.b:443", f->pool));
    assert_false(clerk_origin_authority_is_plain("a.b:99999999999999999999", f->pool));
    assert_false(clerk_origin_host_is_plain("a.b:80"));
    for (size_t i = 0; i < sizeof(longest) - 1; i++) {
        longest[i] = i % 10 == 9 ? '.' : 'a';
    }
    longest[sizeof(longest) - 1] = '\0';
    assert_false(clerk_origin_host_is_plain(longest));
}

static void an_origin_is_nothing_but_an_origin(void **state)
{
    static const char *const rows[][2] = {
        {"https://a.test", "https://a.test"},
        {"HTTPS://WWW.A.test:443", "https://www.a.test"},
        {"http://a.test:80", "http://a.test"},
        {"http://a.test:443", "http://a.test:443"},
        {"https://a.test.", "https://a.test."},
        {"https://localhost:8080", "https://localhost:8080"},
        {"https://under_score.test", "https://under_score.test"},
        {"http://192.0.2.1:3000", "http://192.0.2.1:3000"},
        {"http://[::1]:8080", "http://[::1]:8080"},
        {"http://[::1]:80", "http://[::1]"},
        /* The URL standard reads these as https://a.test as well. */
        {"https://a.test/", NULL},
        {"https://a.test?", NULL},
        {"https://a.test#", NULL},
        {"https://a.test\\", NULL},
        {"https://a.test:", NULL},
        {"https://a.test:0443", NULL},
        {"https://u@a.test", NULL},
        {"https://a.test@a.test", NULL},
        {"https://@a.test", NULL},
        {" https://a.test", NULL},
        {"https://a.test ", NULL},
        {"https://a.test\n", NULL},
        {"https://a.\ttest", NULL},
        {"ht\ttps://a.test", NULL},
        {"https://a.test/x", NULL},
        {"https://a.test:0", NULL},
        {"https://a.test:65536", NULL},
        {"https://a.test:80:80", NULL},
        {"https://", NULL},
        {"https://.", NULL},
        {"https://a..test", NULL},
        {"https://a.test..", NULL},
        {"https://*.a.test", NULL},
        {"https://a\"b", NULL},
        {"https://a'b", NULL},
        {"https://a&b", NULL},
        {"https://a;b", NULL},
        {"https://a,b", NULL},
        {"https://a%2eb", NULL},
        {"https://b\xc3\xbc.test", NULL},
        {"https://[::1", NULL},
        {"https://[::1]a", NULL},
        {"ftp://a.test", NULL},
        {"null", NULL},
        {"a.test", NULL},
        {"", NULL},
    };
    fixture *f = *state;
    const clerk_url *origin;

    for (size_t i = 0; i < COUNT(rows); i++) {
        origin = clerk_origin_parse(rows[i][0], f->pool);
        assert_case(rows[i][0], origin ? origin->origin : NULL, rows[i][1]);
    }
    origin = clerk_origin_of("https", "WWW.example.com:8443", f->pool);
    assert_string_equal(origin->origin, "https://www.example.com:8443");
    assert_string_equal(origin->authority, "www.example.com:8443");
    assert_string_equal(clerk_origin_of("https", "a.test:443", f->pool)->authority, "a.test");
    assert_null(clerk_origin_of("https", "evil.example/x?y=", f->pool));
    assert_null(clerk_origin_of("https", "https://evil.example", f->pool));
    assert_null(clerk_origin_of("https", "", f->pool));
}

static void browsers_know_this_machine_by_these_names(void **state)
{
    static const char *const here[] = {"http://localhost", "http://LOCALHOST:3000", "http://app.localhost:8080",
                                       "http://127.0.0.1", "http://127.9.9.9:1",    "http://[::1]:8080"};
    static const char *const elsewhere[] = {"http://localhost.test",      "http://notlocalhost",  "http://127.test",
                                            "http://127.0.0.1.evil.test", "http://[2001:db8::1]", "http://128.0.0.1",
                                            "http://127.0.0.256",         "http://0.0.0.0",       "http://10.0.0.1"};
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(here); i++) {
        assert_case(here[i], clerk_origin_is_loopback(clerk_origin_parse(here[i], f->pool)) ? "here" : "elsewhere",
                    "here");
    }
    for (size_t i = 0; i < COUNT(elsewhere); i++) {
        assert_case(elsewhere[i],
                    clerk_origin_is_loopback(clerk_origin_parse(elsewhere[i], f->pool)) ? "here" : "elsewhere",
                    "elsewhere");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(plain_hosts_are_told_from_others),
        fixture_test(an_origin_is_nothing_but_an_origin),
        fixture_test(browsers_know_this_machine_by_these_names),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
