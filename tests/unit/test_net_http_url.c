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
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *problem = clerk_http_url_problem(cases[i].url);

        if (problem != cases[i].problem && (!problem || !cases[i].problem || strcmp(problem, cases[i].problem) != 0)) {
            fail_msg("%s: got '%s', expected '%s'", cases[i].url ? cases[i].url : "NULL", problem ? problem : "fine",
                     cases[i].problem ? cases[i].problem : "fine");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table)};

    return cmocka_run_group_tests_name("shared/http_url", tests, NULL, NULL);
}
