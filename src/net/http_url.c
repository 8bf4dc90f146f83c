/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "text/text.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"
#define IPV6_CHARACTERS "ABCDEFabcdef0123456789:."

static const char bad_port[] = "its port is malformed";
static const char bad_ipv6[] = "its IPv6 address is malformed";
static const char not_read[] = "it is nothing that libcurl can read";

int clerk_http_url_is_loopback(const char *host)
{
    struct in_addr address;

    return !strcasecmp(host, "localhost") || !strcmp(host, "[::1]")
           || (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

static const char *text_problem(const char *url)
{
    if (!url || !*url) {
        return "it is empty";
    }
    if (!clerk_text_is_clean(url) || strchr(url, ' ')) {
        return "it contains a space or a control character";
    }
    /* Parsers disagree about these. */
    return clerk_text_is_graphic(url) && !strchr(url, '\\') ? NULL
                                                            : "it contains a backslash or a character outside ASCII";
}

/* What follows https:// or http://; NULL: neither. */
static const char *authority_of(const char *url)
{
    return !strncasecmp(url, "https://", 8) ? url + 8 : !strncasecmp(url, "http://", 7) ? url + 7 : NULL;
}

/* A host as it is written, with the brackets of an IPv6 address. What follows it is a ':' and the port, or not. */
typedef struct written_host {
    const char *text;
    apr_size_t len;
} written_host;

/*
 * libcurl takes more for a host than others do: it decodes %2e, drops a zone, and, from some version on, reads 127.1
 * and 0x7f.1 as addresses. An authority must not need any of that.
 */
static const char *spelling_problem(written_host *host, const char *authority)
{
    apr_size_t len = strcspn(authority, "/?#"), host_len = strspn(authority, NAME_CHARACTERS);
    int is_ipv6 = *authority == '[';

    if (memchr(authority, '@', len)) {
        return "it contains credentials";
    }
    if (len == 0 || *authority == ':') {
        return "it has no host";
    }
    if (is_ipv6) {
        host_len = 1 + strspn(authority + 1, IPV6_CHARACTERS);
        if (host_len == 1 || authority[host_len] != ']') {
            return bad_ipv6;
        }
        host_len++;
    }
    if (host_len < len && authority[host_len] != ':') {
        return is_ipv6 ? bad_port : "its host contains a character that no host name has";
    }
    host->text = authority;
    host->len = host_len;
    return NULL;
}

static int is_as_written(const char *text, const written_host *host)
{
    return strlen(text) == host->len && !strncasecmp(text, host->text, host->len);
}

/* What libcurl, which will connect, makes of a URL whose spelling is in order. */
static const char *reading_problem(CURLU *parsed, const char *url, const written_host *written, int only_loopback)
{
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url, 0);
    char *host = NULL, *port = NULL;
    const char *problem = NULL;

    if (code != CURLUE_OK || curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        return code == CURLUE_BAD_PORT_NUMBER ? bad_port : *written->text == '[' ? bad_ipv6 : not_read;
    }
    (void)curl_url_get(parsed, CURLUPART_PORT, &port, 0);
    if (written->text[written->len] == ':' && (!port || !strcmp(port, "0"))) {
        problem = bad_port;
    } else if (only_loopback && (!is_as_written(host, written) || !clerk_http_url_is_loopback(host))) {
        problem = "it is http, which is allowed to a loopback address only; use https";
    }
    curl_free(port);
    curl_free(host);
    return problem;
}

static const char *authority_problem(const char *url, const char *authority, int only_loopback)
{
    written_host host;
    const char *problem = spelling_problem(&host, authority);
    CURLU *parsed;

    if (problem) {
        return problem;
    }
    parsed = curl_url();
    problem = parsed ? reading_problem(parsed, url, &host, only_loopback) : not_read;
    curl_url_cleanup(parsed);
    return problem;
}

const char *clerk_http_url_problem(const char *url)
{
    const char *problem = text_problem(url), *authority;

    if (problem) {
        return problem;
    }
    authority = authority_of(url);
    if (!authority) {
        return "it does not begin with https://";
    }
    if (strchr(url, '#')) {
        return "it contains a fragment";
    }
    return authority_problem(url, authority, authority == url + strlen("http://"));
}

const char *clerk_http_url_proxy_problem(const char *url)
{
    const char *problem = text_problem(url), *authority, *at;

    if (problem) {
        return problem;
    }
    authority = authority_of(url);
    if (!authority) {
        return "it does not begin with http:// or https://";
    }
    at = memchr(authority, '@', strcspn(authority, "/?#"));
    return authority_problem(url, at ? at + 1 : authority, 0);
}

/* From @a pool; "" if the URL has no such part. */
static const char *part(CURLU *parsed, CURLUPart what, apr_pool_t *pool)
{
    char *text = NULL;
    const char *copy;

    (void)curl_url_get(parsed, what, &text, 0);
    copy = text ? apr_pstrdup(pool, text) : "";
    curl_free(text);
    return copy;
}

const char *clerk_http_url_printable(const char *url, apr_pool_t *pool)
{
    const char *printable = "(not a URL)";
    CURLU *parsed = curl_url();

    if (parsed && curl_url_set(parsed, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK) {
        const char *port = part(parsed, CURLUPART_PORT, pool), *path = part(parsed, CURLUPART_PATH, pool);

        printable = apr_pstrcat(pool, part(parsed, CURLUPART_SCHEME, pool), "://", part(parsed, CURLUPART_HOST, pool),
                                *port ? ":" : "", port, strcmp(path, "/") ? path : "", NULL);
    }
    curl_url_cleanup(parsed);
    return printable;
}
