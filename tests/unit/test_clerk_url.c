/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/url/query.h"
#include "clerk/url/url.h"
#include "clerk/url/encoding.h"

static void urls_are_serialised_as_browsers_do(void **state)
{
    static const char *const rows[][2] = {
        {"https://a.test", "https://a.test/"},
        {"HTTPS://EXAMPLE.com:443", "https://example.com/"},
        {"http://example.com:80/", "http://example.com/"},
        {"http://example.com:443/", "http://example.com:443/"},
        {"https://example.com:0443", "https://example.com/"},
        {"https://example.com:", "https://example.com/"},
        {"https://[::1]:8443/x", "https://[::1]:8443/x"},
        {"https://[::1]/x", "https://[::1]/x"},
        {"https://user:pw@example.com/", "https://example.com/"},
        {"https://user@evil@example.com/", "https://example.com/"},
        {"  https://a.test/x \n", "https://a.test/x"},
        {"https://a.te\nst/x\ty", "https://a.test/xy"},
        {"https://a.test?x", "https://a.test/?x"},
        {"https://a.test#f", "https://a.test/#f"},
        {"https://a.test\\x", "https://a.test/x"},
        {"https://a.test/a/../b/%2e%2E/c", "https://a.test/c"},
        {"https://a.test/a/./b/.", "https://a.test/a/b/"},
        {"https://a.test/a/b/..", "https://a.test/a/"},
        {"https://a.test/..//x", "https://a.test//x"},
        {"https://a.test/.../%2e%2e%2e", "https://a.test/.../%2e%2e%2e"},
        {"https://a.test/a\\b", "https://a.test/a/b"},
        {"https://a.test//a///b", "https://a.test//a///b"},
        {"https://a.test/%zz%41", "https://a.test/%zz%41"},
        {"https://a.test/ \"<>`{}|^\x7f\xc3\xa9", "https://a.test/%20%22%3C%3E%60%7B%7D|^%7F%C3%A9"},
        {"https://a.test/?+|{}^\\~` \"<>'\x01\xc3\xa9", "https://a.test/?+|{}^\\~`%20%22%3C%3E%27%01%C3%A9"},
        {"https://a.test/?a?b#c#d `", "https://a.test/?a?b#c#d%20%60"},
        {"https://a.test/?", "https://a.test/?"},
        {"https://a.test/#", "https://a.test/#"},
    };
    static const char *const refused[] = {"",
                                          "/x",
                                          "//a.test/x",
                                          "a.test",
                                          "https:",
                                          "https:/a.test",
                                          "https:///x",
                                          "https://",
                                          "https://?x",
                                          "ftp://a.test/",
                                          "javascript:alert(1)",
                                          "https://a b/",
                                          "https://a%20b/",
                                          "https://b\xc3\xbc.test/",
                                          "https://a<b/",
                                          "https://a.test:65536/",
                                          "https://a.test:1x/",
                                          "https://[::1/",
                                          "https://[]/",
                                          "https://[::1]x/",
                                          "https://user@/"};
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_url *url = clerk_url_parse(rows[i][0], f->pool);

        assert_case(rows[i][0], url ? clerk_url_text(url, f->pool) : NULL, rows[i][1]);
    }
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_case(refused[i], clerk_url_parse(refused[i], f->pool) ? "parsed" : NULL, NULL);
    }
    assert_true(clerk_url_parse("https://u@a.test/", f->pool)->has_userinfo);
}

static void a_target_never_leaves_its_origin(void **state)
{
    static const char *const rows[][2] = {
        {"/", "https://app.test/"},
        {"", "https://app.test/"},
        {"*", "https://app.test/*"},
        {"//evil.test/x", "https://app.test//evil.test/x"},
        {"/\\evil.test/x", "https://app.test//evil.test/x"},
        {"\\\\evil.test/x", "https://app.test//evil.test/x"},
        {"///evil.test", "https://app.test///evil.test"},
        {"/\t/evil.test", "https://app.test//evil.test"},
        {"@evil.test/", "https://app.test/@evil.test/"},
        {":80@evil.test/", "https://app.test/:80@evil.test/"},
        {".evil.test/", "https://app.test/.evil.test/"},
        {"https://evil.test/", "https://app.test/https://evil.test/"},
        {"/..//evil.test", "https://app.test//evil.test"},
        {"/x?y=//evil.test#//evil.test", "https://app.test/x?y=//evil.test#//evil.test"},
        {"?x", "https://app.test/?x"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_case(rows[i][0], clerk_url_text(clerk_url_join("https://app.test", rows[i][0], f->pool), f->pool),
                    rows[i][1]);
    }
    assert_string_equal(clerk_url_text(clerk_url_join("https://app.test/a?b#c", "/x", f->pool), f->pool),
                        "https://app.test/x");
    assert_null(clerk_url_join("app.test", "/", f->pool));
}

static void touching_a_query_rewrites_all_of_it(void **state)
{
    static const char *const rows[][2] = {
        {"a=b%20c&d", "a=b+c&d="},
        {"a=1;b=2", "a=1%3Bb%3D2"},
        {"d=%2F%2f:/?@!$'()*,;~[]", "d=%2F%2F%3A%2F%3F%40%21%24%27%28%29*%2C%3B%7E%5B%5D"},
        {"e=%zz&f=\xc3\xa9", "e=%25zz&f=%C3%A9"},
        {"e=%4&f=%", "e=%254&f=%25"},
        {"&z", "z="},
        {"a=%FF", "a=%EF%BF%BD"},
        {"", NULL},
        {"&&", NULL},
        {"=", "="},
        {"=v", "=v"},
        {"a==b=", "a=%3Db%3D"},
        {"a+b=c+d", "a+b=c+d"},
        {"a=%00b", "a=%00b"},
        {"A-Z*-._=0", "A-Z*-._=0"},
        /* Ill-formed UTF-8: one replacement character for each maximal part. */
        {"a=%C3", "a=%EF%BF%BD"},
        {"a=%C0%80", "a=%EF%BF%BD%EF%BF%BD"},
        {"a=%E2%82x", "a=%EF%BF%BDx"},
        {"a=%ED%A0%80", "a=%EF%BF%BD%EF%BF%BD%EF%BF%BD"},
        {"a=%E0%80%80", "a=%EF%BF%BD%EF%BF%BD%EF%BF%BD"},
        {"a=%F0%9F%98%80", "a=%F0%9F%98%80"},
        {"a=%F0%9F%98", "a=%EF%BF%BD"},
        {"a=%F0%80%80%80", "a=%EF%BF%BD%EF%BF%BD%EF%BF%BD%EF%BF%BD"},
        {"a=%F4%90%80%80", "a=%EF%BF%BD%EF%BF%BD%EF%BF%BD%EF%BF%BD"},
        {"a=%F5", "a=%EF%BF%BD"},
        {"a=%E2%82%AC", "a=%E2%82%AC"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_case(rows[i][0], clerk_query_text(clerk_query_parse(rows[i][0], f->pool), f->pool), rows[i][1]);
    }
    assert_null(clerk_query_text(clerk_query_parse(NULL, f->pool), f->pool));
    assert_string_equal(clerk_encoding_form("a b/\xc3\xa9~", f->pool), "a+b%2F%C3%A9%7E");
}

static void parameters_are_found_and_edited_by_their_decoded_name(void **state)
{
    fixture *f = *state;
    apr_array_header_t *query = clerk_query_parse("a=1&__clerk%5Fdb_jwt=x&a=2&b=&c=%00&aa=3", f->pool);

    assert_string_equal(clerk_query_get(query, "__clerk_db_jwt"), "x");
    assert_string_equal(clerk_query_get(query, "a"), "1");
    assert_string_equal(clerk_query_get(query, "b"), "");
    assert_null(clerk_query_get(query, "c"));
    assert_null(clerk_query_get(query, "d"));
    assert_true(clerk_query_has(query, "c"));
    assert_false(clerk_query_has(query, "d"));
    clerk_query_delete(query, "__clerk_db_jwt");
    clerk_query_delete(query, "nothing");
    assert_string_equal(clerk_query_text(query, f->pool), "a=1&a=2&b=&c=%00&aa=3");
    clerk_query_set(query, "a", "9");
    clerk_query_set(query, "d", "4");
    clerk_query_append(query, "b", "5");
    assert_string_equal(clerk_query_text(query, f->pool), "a=9&b=&c=%00&aa=3&d=4&b=5");
    clerk_query_delete(query, "b");
    assert_string_equal(clerk_query_text(query, f->pool), "a=9&c=%00&aa=3&d=4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(urls_are_serialised_as_browsers_do),
        fixture_test(a_target_never_leaves_its_origin),
        fixture_test(touching_a_query_rewrites_all_of_it),
        fixture_test(parameters_are_found_and_edited_by_their_decoded_name),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
