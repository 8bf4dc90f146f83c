/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>

/* The parts of a URL's authority that decide whether it may be called. */
typedef struct url_host {
    const char *host; /* without the brackets of an IPv6 address */
    apr_size_t len;
    int is_ipv6;
} url_host;

static int is_host_char(char c)
{
    return apr_isalnum(c) || c == '.' || c == '-' || c == '_';
}

/* Four decimal numbers without leading zeros, the first of them 127. "127.1" and "127.0.0.1.example" are names. */
static int is_ipv4_loopback(const char *host, apr_size_t len)
{
    const char *c = host, *end = host + len;

    for (int part = 0; part < 4; part++) {
        const char *start = c;
        int value = 0;

        while (c < end && apr_isdigit(*c) && c - start < 3) {
            value = value * 10 + (*c++ - '0');
        }
        if (c == start || value > 255 || (*start == '0' && c - start > 1) || (part == 0 && value != 127)) {
            return 0;
        }
        if (part < 3) {
            if (c == end || *c != '.') {
                return 0;
            }
            c++;
        }
    }
    return c == end;
}

static int is_loopback(const url_host *host)
{
    if (host->is_ipv6) {
        return host->len == 3 && !memcmp(host->host, "::1", 3);
    }
    if (host->len == 9 && !strncasecmp(host->host, "localhost", 9)) {
        return 1;
    }
    return is_ipv4_loopback(host->host, host->len);
}

static const char *parse_port(const char *c, const char *end)
{
    long port = 0;

    if (c == end) {
        return NULL;
    }
    if (*c++ != ':' || c == end) {
        return "its port is malformed";
    }
    for (; c < end; c++) {
        if (!apr_isdigit(*c) || (port = port * 10 + (*c - '0')) > 65535) {
            return "its port is malformed";
        }
    }
    return port ? NULL : "its port is malformed";
}

static const char *parse_authority(url_host *host, const char *authority, apr_size_t len)
{
    const char *end = authority + len, *c = authority;

    if (memchr(authority, '@', len)) {
        return "it contains credentials";
    }
    if (len && *authority == '[') {
        const char *close = memchr(authority, ']', len);

        if (!close || close == authority + 1) {
            return "its IPv6 address is malformed";
        }
        for (c = authority + 1; c < close; c++) {
            if (!apr_isxdigit(*c) && *c != ':' && *c != '.') {
                return "its IPv6 address is malformed";
            }
        }
        host->host = authority + 1;
        host->len = (apr_size_t)(close - host->host);
        host->is_ipv6 = 1;
        return parse_port(close + 1, end);
    }
    while (c < end && is_host_char(*c)) {
        c++;
    }
    host->host = authority;
    host->len = (apr_size_t)(c - authority);
    host->is_ipv6 = 0;
    if (host->len == 0) {
        return "it has no host";
    }
    if (c < end && *c != ':') {
        return "its host contains a character that no host name has";
    }
    return parse_port(c, end);
}

const char *clerk_http_url_problem(const char *url)
{
    const char *authority, *problem;
    url_host host;
    int tls;

    if (!url || !*url) {
        return "it is empty";
    }
    for (const char *c = url; *c; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7f) {
            return "it contains a space or a control character";
        }
        /* Parsers disagree about both, and whoever disagrees with us may end up at another host. */
        if ((unsigned char)*c >= 0x80 || *c == '\\') {
            return "it contains a backslash or a character outside ASCII";
        }
    }
    if (!strncasecmp(url, "https://", 8)) {
        tls = 1;
        authority = url + 8;
    } else if (!strncasecmp(url, "http://", 7)) {
        tls = 0;
        authority = url + 7;
    } else {
        return "it does not begin with https://";
    }
    if (strchr(url, '#')) {
        return "it contains a fragment";
    }
    if ((problem = parse_authority(&host, authority, strcspn(authority, "/?")))) {
        return problem;
    }
    if (!tls && !is_loopback(&host)) {
        return "it is http, which is allowed to a loopback address only; use https";
    }
    return NULL;
}
