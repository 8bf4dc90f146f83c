/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/url/forwarded.h"

static void the_first_element_of_forwarded_is_read(void **state)
{
    static const struct {
        const char *field;
        const char *proto;
        const char *host;
    } rows[] = {
        {"proto=https;host=example.com", "https", "example.com"},
        {"for=192.0.2.43;proto=https;by=203.0.113.60", "https", NULL},
        {"For=\"[2001:db8:cafe::17]:4711\";Proto=HTTPS;Host=\"Example.com:8443\"", "https", "example.com:8443"},
        {"host=example.com:8443", NULL, "example.com:8443"},
        {"host=\"[::1]:8443\"", NULL, "[::1]:8443"},
        {"host=\"a\\b\\\"c\"", NULL, "ab\"c"},
        {" proto=https ; host=a ", "https", "a"},
        {";;proto=https;;host=a;", "https", "a"},
        {"proto=https, proto=http;host=evil.test", "https", NULL},
        {"host=\"a,b;proto=http\";proto=https, host=evil.test", "https", "a,b;proto=http"},
        {"for=unknown, host=evil.test", NULL, NULL},
        {"", NULL, NULL},
        {",host=evil.test", NULL, NULL},
        {"secret=x;hosts=evil.test", NULL, NULL},
        /* Malformed: nothing of it counts. */
        {"proto=https;host", NULL, NULL},
        {"proto=https;host=", NULL, NULL},
        {"proto=https;host=\"a", NULL, NULL},
        {"proto=https;host=\"a\\", NULL, NULL},
        {"proto=https;host=a b", NULL, NULL},
        {"proto=https;host = a", NULL, NULL},
        {"proto=https;host=a/b", NULL, NULL},
        {"proto=https;host=a;host=b", NULL, NULL},
        {"proto=https;proto=https", NULL, NULL},
        {"\"proto\"=https", NULL, NULL},
        {"proto=https host=a", NULL, NULL},
        {"=https", NULL, NULL},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const clerk_forwarded said = clerk_forwarded_read(rows[i].field, f->pool);

        assert_case(rows[i].field, said.proto, rows[i].proto);
        assert_case(rows[i].field, said.host, rows[i].host);
        assert_null(said.port);
    }
}

static void an_origin_is_made_of_what_is_said(void **state)
{
    static const struct {
        clerk_forwarded said;
        const char *scheme;
        const char *host;
        const char *origin;
    } rows[] = {
        {{NULL, NULL, NULL}, "http", "own.test:8080", "http://own.test:8080"},
        {{"https", NULL, NULL}, "http", "own.test", "https://own.test"},
        {{"https", "example.com", NULL}, "http", "own.test:8080", "https://example.com"},
        {{"https", "example.com", "8443"}, "http", "own.test", "https://example.com:8443"},
        {{"https", "example.com", "443"}, "http", "own.test", "https://example.com"},
        {{"https", NULL, "8443"}, "http", "own.test", "https://own.test:8443"},
        {{"https", "[::1]", "8443"}, "http", "own.test", "https://[::1]:8443"},
        {{NULL, "example.com", "8443"}, "https", "own.test", "https://example.com:8443"},
        /* A port of the host is nearer to what the browser has written. */
        {{"https", "example.com:9443", "8443"}, "http", "own.test", "https://example.com:9443"},
        {{"https", "[::1]:9443", "8443"}, "http", "own.test", "https://[::1]:9443"},
        {{"https", NULL, "8443"}, "http", "own.test:9443", "https://own.test:9443"},
        /* Between two proxies. */
        {{"https", "example.com", "80"}, "http", "own.test", "https://example.com"},
        {{"http", "example.com", "443"}, "http", "own.test", "http://example.com"},
        {{"https", "example.com", "8080"}, "http", "own.test", "https://example.com:8080"},
        /* No ports. */
        {{"https", "example.com", "0"}, "http", "own.test", "https://example.com"},
        {{"https", "example.com", "65536"}, "http", "own.test", "https://example.com"},
        {{"https", "example.com", "08443"}, "http", "own.test", "https://example.com"},
        {{"https", "example.com", "84@evil.test"}, "http", "own.test", "https://example.com"},
        {{"https", "example.com", "8443/x"}, "http", "own.test", "https://example.com"},
        {{"https", "example.com", ""}, "http", "own.test", "https://example.com"},
        /* Neither schemes nor hosts. */
        {{"ftp", "example.com", NULL}, "http", "own.test", "http://example.com"},
        {{"https", "evil.test/x", NULL}, "http", "own.test", NULL},
        {{"https", "own.test@evil.test", "8443"}, "http", "own.test", NULL},
        {{"https", "a b", NULL}, "http", "own.test", NULL},
        {{"https", "", NULL}, "http", "own.test", NULL},
        {{"https", NULL, "8443"}, "http", NULL, NULL},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_case(apr_psprintf(f->pool, "row %d", (int)i),
                    clerk_forwarded_origin(&rows[i].said, rows[i].scheme, rows[i].host, f->pool), rows[i].origin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(the_first_element_of_forwarded_is_read),
        fixture_test(an_origin_is_made_of_what_is_said),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
