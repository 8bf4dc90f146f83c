/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/origin.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "net/http.h"
#include "text/text.h"

#define HOST_MAX 253
#define LABEL_MAX 63

int clerk_origin_host_is_plain(const char *host)
{
    apr_size_t label = 0;
    const char *p;

    for (p = host; *p; p++) {
        if (p - host >= HOST_MAX) {
            return 0;
        }
        if (*p == '.') {
            if (label == 0) {
                return 0;
            }
            label = 0;
        } else if (!(clerk_text_is_alnum(*p) || *p == '-' || *p == '_') || ++label > LABEL_MAX) {
            return 0;
        }
    }
    return label != 0;
}

/* @param host of a URL that clerk_url_parse() has accepted */
static int is_host(const char *host, apr_pool_t *pool)
{
    apr_size_t len = strlen(host);

    return *host == '['
           || clerk_origin_host_is_plain(host[len - 1] == '.' ? apr_pstrmemdup(pool, host, len - 1) : host);
}

/* Nothing, or ':' and a port without leading zeros. clerk_url_parse() has checked how large it is. */
static int is_port(const char *text)
{
    return !*text || (text[0] == ':' && text[1] != '0' && text[1] && !text[1 + strspn(text + 1, "0123456789")]);
}

const clerk_url *clerk_origin_parse(const char *text, apr_pool_t *pool)
{
    const clerk_url *url = clerk_url_parse(text, pool);
    const char *up_to_host;
    apr_size_t len;

    if (!url) {
        return NULL;
    }
    /* The URL standard overlooks white space, backslashes and users, so the text itself has to be what it is read as.
     */
    up_to_host = apr_pstrcat(pool, url->scheme, "://", url->host, NULL);
    len = strlen(up_to_host);
    return !strncasecmp(text, up_to_host, len) && is_port(text + len) && is_host(url->host, pool) ? url : NULL;
}

const clerk_url *clerk_origin_of(const char *scheme, const char *authority, apr_pool_t *pool)
{
    return clerk_origin_parse(apr_pstrcat(pool, scheme, "://", authority, NULL), pool);
}

int clerk_origin_is_loopback(const clerk_url *origin)
{
    /*
     * More than clerk_http_url_is_loopback(): browsers resolve names below localhost themselves and never ask a name
     * server (W3C, Secure Contexts). What this server calls is resolved by libcurl, which may ask one.
     */
    return clerk_http_url_is_loopback(origin->host) || clerk_text_ends_with(origin->host, ".localhost");
}

int clerk_origin_authority_is_plain(const char *authority, apr_pool_t *pool)
{
    const clerk_url *url = clerk_origin_of("https", authority, pool);

    return url && clerk_origin_host_is_plain(url->host);
}
