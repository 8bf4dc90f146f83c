/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include "net/http.h"

#define LOOPBACK "it is http, which is allowed to a loopback address only; use https"
#define SCHEME "it does not begin with https://"
#define CHARACTER "its host contains a character that no host name has"
#define CONTROL "it contains a space or a control character"
#define FOREIGN "it contains a backslash or a character outside ASCII"
#define CREDENTIALS "it contains credentials"
#define PORT "its port is malformed"
#define IPV6 "its IPv6 address is malformed"
#define NO_HOST "it has no host"
#define FRAGMENT "it contains a fragment"

static void check(const char *url, const char *got, const char *expected)
{
    if (got != expected && (!got || !expected || strcmp(got, expected))) {
        fail_msg("%s: got '%s', expected '%s'", url ? url : "NULL", got ? got : "fine", expected ? expected : "fine");
    }
}

static void table(void **state)
{
    static const struct {
        const char *url;
        const char *problem;
    } cases[] = {
        {"https://api.clerk.com/v1/jwks", NULL},
        {"https://api.clerk.com", NULL},
        {"HTTPS://API.clerk.com:443/v1?x=y@z:1", NULL},
        {"https://api.clerk.com?x", NULL},
        {"https://[2001:db8::1]:8443/", NULL},
        {"https://192.0.2.1/", NULL},
        {"https://under_score.example/", NULL},
        {"http://127.0.0.1:8080/jwks", NULL},
        {"http://127.255.255.254/", NULL},
        {"http://localhost", NULL},
        {"HTTP://LocalHost:1/", NULL},
        {"http://[::1]:9/x", NULL},
        {NULL, "it is empty"},
        {"", "it is empty"},
        {"api.clerk.com", SCHEME},
        {"ftp://api.clerk.com/", SCHEME},
        {"file:///etc/passwd", SCHEME},
        {"https:/api.clerk.com", SCHEME},
        {"https//api.clerk.com", SCHEME},
        {"javascript:alert(1)", SCHEME},
        {"https://", "it has no host"},
        {"https:///path", "it has no host"},
        {"https://:443/", "it has no host"},
        {"https://?x", "it has no host"},
        {"https://user@api.clerk.com/", CREDENTIALS},
        {"https://user:pass@api.clerk.com/", CREDENTIALS},
        {"https://@api.clerk.com/", CREDENTIALS},
        {"http://127.0.0.1@evil.example/", CREDENTIALS},
        {"https://api.clerk.com/#frag", "it contains a fragment"},
        {"https://api.clerk.com#@evil.example", "it contains a fragment"},
        {"https://api.clerk.com:/", PORT},
        {"https://api.clerk.com:0/", PORT},
        {"https://api.clerk.com:65536/", PORT},
        {"https://api.clerk.com:99999999999999999999/", PORT},
        {"https://api.clerk.com:44a/", PORT},
        {"https://api.clerk.com:-1/", PORT},
        {"https://[::1/", IPV6},
        {"https://[]/", IPV6},
        {"https://[::g]/", IPV6},
        {"https://[::1%25eth0]/", IPV6},
        {"https://[::1]x/", PORT},
        {"https://api clerk.com/", CONTROL},
        {"https://api.clerk.com/a\r\nHost: evil", CONTROL},
        {"https://api.clerk.com/\t", CONTROL},
        {" https://api.clerk.com/", CONTROL},
        {"https://api.clerk.com/\x7f", CONTROL},
        {"https://api.clerk.com\\@evil.example/", FOREIGN},
        {"https://b\xc3\xbc"
         "cher.example/",
         FOREIGN},
        {"https://api%2eclerk.com/", CHARACTER},
        {"https://api.clerk.com;x/", CHARACTER},
        {"https://a,b/", CHARACTER},
        {"http://api.clerk.com/", LOOPBACK},
        {"http://127.1/", LOOPBACK},
        {"http://127.0.0.1.evil.example/", LOOPBACK},
        {"http://127.0.0.256/", LOOPBACK},
        {"http://127.0.0.01/", LOOPBACK},
        {"http://127.0.0.1.2/", LOOPBACK},
        {"http://127.0.0./", LOOPBACK},
        {"http://127.0.0.1./", LOOPBACK},
        {"http://0127.0.0.1/", LOOPBACK},
        {"http://128.0.0.1/", LOOPBACK},
        {"http://2130706433/", LOOPBACK},
        {"http://0x7f.0.0.1/", LOOPBACK},
        {"http://localhost.evil.example/", LOOPBACK},
        {"http://notlocalhost/", LOOPBACK},
        {"http://[::2]/", LOOPBACK},
        {"http://[::ffff:127.0.0.1]/", LOOPBACK},
        {"http://0.0.0.0/", LOOPBACK},

        /* Where libcurl and a reader of the text would part: it takes one to three slashes, ... */
        {"https:///api.clerk.com/", NO_HOST},
        {"http:/127.0.0.1/", SCHEME},
        {"http:///127.0.0.1/", NO_HOST},
        {"http:127.0.0.1", SCHEME},
        /* ... the first '@' for the end of the user where others take the last, and an empty user for none, ... */
        {"https://a@b", CREDENTIALS},
        {"https://a@b@c/", CREDENTIALS},
        {"https://:@api.clerk.com/", CREDENTIALS},
        {"https://api.clerk.com@[::1]/", CREDENTIALS},
        {"https://[::1]@api.clerk.com/", CREDENTIALS},
        {"https://api.clerk.com:443@evil.example/", CREDENTIALS},
        {"http://localhost:80@evil.example/", CREDENTIALS},
        {"https://api.clerk.com?@evil.example/", NULL},
        {"https://api.clerk.com/@evil.example/", NULL},
        /* ... decodes hosts, drops zones, and completes addresses, which some versions do and others leave to the
           resolver. */
        {"http://127.0.0.%31/", CHARACTER},
        {"http://%6cocalhost/", CHARACTER},
        {"https://api.clerk.com%00.evil.example/", CHARACTER},
        {"https://api.clerk.com%2f.evil.example/", CHARACTER},
        {"http://[::1%25lo]/", IPV6},
        {"http://[::1%lo]/", IPV6},
        {"http://0x7f.1/", LOOPBACK},
        {"http://0x7f000001/", LOOPBACK},
        {"http://0177.0.0.1/", LOOPBACK},
        {"http://017700000001/", LOOPBACK},
        {"http://127.0.1/", LOOPBACK},
        {"http://127.0.0.010/", LOOPBACK},
        {"http://0/", LOOPBACK},
        {"http://[0:0:0:0:0:0:0:1]/", LOOPBACK},
        {"http://[::127.0.0.1]/", LOOPBACK},
        {"http://[::]/", LOOPBACK},
        /* Names that look like loopback addresses, but are not. */
        {"http://127.0.0.1.evil.com", LOOPBACK},
        {"http://localhost./", LOOPBACK},
        {"http://app.localhost/", LOOPBACK},
        {"http://localhost.localdomain/", LOOPBACK},
        {"http://localhost_/", LOOPBACK},
        {"http://127-0-0-1/", LOOPBACK},
        /* Accepted. */
        {"http://[::1]", NULL},
        {"http://127.0.0.1", NULL},
        {"http://127.0.0.1?x", NULL},
        {"https://0x7f.1/", NULL},
        {"https://api.clerk.com./", NULL},
        {"https://api.clerk.com:0443/", NULL},
        {"https://[::FFFF:192.0.2.1]:443/", NULL},
        {"https://[2001:0db8:0:0::1]/", NULL},
        {"https://api.clerk.com/a/../b", NULL},

        {"https://[1:2]/", IPV6},
        {"https://[1:2]:443/", IPV6},
        {"https://[::1]:/", PORT},
        {"https://[::1]:0/", PORT},
        {"https://[::1]:65536/", PORT},
        {"https://[::1]443/", PORT},
        {"https://api.clerk.com:443:443/", PORT},
        {"https://api.clerk.com:+443/", PORT},
        {"https://api.clerk.com:0x1bb/", PORT},
        {"https://api.clerk.com:00/", PORT},
        {"https://a[b]/", CHARACTER},
        {"https://a]/", CHARACTER},
        {"https://]/", CHARACTER},
        {"https://*/", CHARACTER},
        {"https://a\\b/", FOREIGN},
        {"https:\\\\api.clerk.com/", FOREIGN},
        {"http://127.0.0.1\\.evil.example/", FOREIGN},
        {"https://api.\tclerk.com/", CONTROL},
        {"h\tttps://api.clerk.com/", CONTROL},
        {"https://api.clerk.com/\x01", CONTROL},
        {"https://api.clerk.com/#", FRAGMENT},
        {"https://#/", FRAGMENT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].url, clerk_http_url_problem(cases[i].url), cases[i].problem);
    }
}

static void proxies(void **state)
{
    static const struct {
        const char *url;
        const char *problem;
    } cases[] = {
        {"http://proxy.example:3128", NULL},
        {"https://proxy.example/", NULL},
        {"http://user:p%40ss@proxy.example:3128/", NULL},
        {"http://10.0.0.1:3128", NULL},
        {"http://[2001:db8::1]:3128", NULL},
        {"", "it is empty"},
        {"proxy.example", "it does not begin with http:// or https://"},
        {"socks5://proxy.example", "it does not begin with http:// or https://"},
        {"http://", NO_HOST},
        {"http://user@", NO_HOST},
        {"http://:3128", NO_HOST},
        {"http://user@proxy@evil.example", CREDENTIALS},
        {"http://proxy.example:x", PORT},
        {"http://proxy.example:", PORT},
        {"http://proxy example", CONTROL},
        {"http://proxy.example\\x", FOREIGN},
        {"http://proxy,example", CHARACTER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].url, clerk_http_url_proxy_problem(cases[i].url), cases[i].problem);
    }
}

static void urls_are_logged_without_secrets(void **state)
{
    static const struct {
        const char *url, *printed;
    } cases[] = {
        {"https://api.example/v1/jwks", "https://api.example/v1/jwks"},
        {"https://u:p@api.example/v1/jwks?x=y", "https://api.example/v1/jwks"},
        {"https://api.example?x=u@h", "https://api.example"},
        {"https://api.example/a@b#f", "https://api.example/a@b"},
        {"nonsense", "(not a URL)"},
        {"", "(not a URL)"},
        {"https://u:p@/", "(not a URL)"},
        {"https://u:p@api.example:443/?x", "https://api.example:443"},
        {"https://u:p/../@api.example/", "(not a URL)"},
        {"https://u@[::1]:8443/a/../b", "https://[::1]:8443/a/../b"},
        {"https://@api.example/x", "https://api.example/x"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].url, clerk_http_url_printable(cases[i].url, *state), cases[i].printed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(table),
        fixture_test(proxies),
        fixture_test(urls_are_logged_without_secrets),
    };

    return cmocka_run_group_tests_name("net/http_url", tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
