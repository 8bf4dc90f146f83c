/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/url.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "clerk/url/encoding.h"
#include "clerk/url/query.h"
#include "text/text.h"

static int needs_escape(unsigned char c, const char *special)
{
    return c < 0x20 || c >= 0x7f || strchr(special, c);
}

/* Percent-encode control characters, non-ASCII bytes and @a special. */
static char *escape(const char *text, apr_size_t len, const char *special, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, len * 3 + 1);
    char *o = out;

    for (apr_size_t i = 0; i < len; i++) {
        if (needs_escape((unsigned char)text[i], special)) {
            o = clerk_encoding_percent_encode(o, (unsigned char)text[i]);
        } else {
            *o++ = text[i];
        }
    }
    *o = '\0';
    return out;
}

/* Remove TAB, LF and CR, as the URL standard does before parsing. */
static char *without_line_breaks(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text);
    char *out = copy;
    const char *p;

    for (p = copy; *p != '\0'; p++) {
        if (*p != '\t' && *p != '\n' && *p != '\r') {
            *out++ = *p;
        }
    }
    *out = '\0';
    return copy;
}

/* 1 for the segment `.`, 2 for `..`, else 0. `%2e` counts as a dot. */
static int dots_of_segment(const char *segment, apr_size_t len)
{
    int dots = 0;

    while (len > 0 && dots <= 2) {
        if (segment[0] == '.') {
            segment++;
            len--;
        } else if (len >= 3 && segment[0] == '%' && segment[1] == '2' && (segment[2] == 'e' || segment[2] == 'E')) {
            segment += 3;
            len -= 3;
        } else {
            return 0;
        }
        dots++;
    }
    return dots <= 2 ? dots : 0;
}

/* Resolve dot segments and escape. Modifies @a path. */
static const char *normal_path(char *path, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, strlen(path) + 2);
    apr_size_t out_len = 0;
    char *p = path;

    while (*p != '\0') {
        /* Here p is at a separator, or at the first segment of a path that begins without one. */
        apr_size_t len;
        int dots;

        if (*p == '/' || *p == '\\') {
            p++;
        }
        len = strcspn(p, "/\\");
        dots = dots_of_segment(p, len);
        if (dots == 0) {
            out[out_len++] = '/';
            memcpy(out + out_len, p, len);
            out_len += len;
        } else {
            if (dots == 2) {
                while (out_len > 0 && out[--out_len] != '/') {
                }
            }
            if (p[len] == '\0') {
                out[out_len++] = '/';
            }
        }
        p += len;
    }
    if (out_len == 0) {
        out[out_len++] = '/';
    }
    return escape(out, out_len, " \"<>`{}", pool);
}

/* Set path, query and fragment from the text after the authority. Modifies @a rest. */
static void set_target(clerk_url *url, char *rest, apr_pool_t *pool)
{
    char *fragment = strchr(rest, '#');
    char *query;

    if (fragment) {
        *fragment++ = '\0';
        url->fragment = escape(fragment, strlen(fragment), " \"<>`", pool);
    }
    query = strchr(rest, '?');
    if (query) {
        *query++ = '\0';
        url->query = escape(query, strlen(query), " \"<>'", pool);
    }
    url->path = normal_path(rest, pool);
}

static int host_is_valid(const char *host)
{
    const char *p;

    if (*host == '[') {
        apr_size_t len = strspn(host + 1, "0123456789abcdef:.");

        return len >= 2 && host[1 + len] == ']' && host[2 + len] == '\0';
    }
    for (p = host; *p != '\0'; p++) {
        if (*p <= ' ' || *p >= 0x7f || strchr("#/:<>?@[\\]^|%", *p)) {
            return 0;
        }
    }
    return p != host;
}

/* Set the port without leading zeros; "" for the default port of the scheme. @return 0 if it is not a port */
static int set_port(clerk_url *url, const char *port, apr_pool_t *pool)
{
    unsigned long number = 0;
    const char *p;

    for (p = port; *p != '\0'; p++) {
        if (!clerk_text_is_digit(*p)) {
            return 0;
        }
        number = number * 10 + (unsigned long)(*p - '0');
        if (number > 65535) {
            return 0;
        }
    }
    if (*port == '\0' || number == (!strcmp(url->scheme, "https") ? 443 : 80)) {
        url->port = "";
    } else {
        url->port = apr_psprintf(pool, "%lu", number);
    }
    return 1;
}

/* Set host, port and origin. Modifies @a authority. @return 0 if it is not valid */
static int set_authority(clerk_url *url, char *authority, apr_pool_t *pool)
{
    char *at = strrchr(authority, '@');
    char *colon;
    char *p;

    if (at) {
        url->has_userinfo = 1;
        authority = at + 1;
    }
    for (p = authority; *p != '\0'; p++) {
        *p = clerk_text_to_lower(*p);
    }
    colon = strrchr(authority, ':');
    if (colon && !strchr(colon, ']')) {
        *colon++ = '\0';
    } else {
        colon = NULL;
    }
    if (!host_is_valid(authority) || !set_port(url, colon ? colon : "", pool)) {
        return 0;
    }
    url->host = authority;
    url->origin = apr_pstrcat(pool, url->scheme, "://", url->host, *url->port != '\0' ? ":" : "", url->port, NULL);
    url->authority = url->origin + strlen(url->scheme) + strlen("://");
    return 1;
}

clerk_url *clerk_url_parse(const char *text, apr_pool_t *pool)
{
    clerk_url *url = apr_pcalloc(pool, sizeof(*url));
    char *rest;
    char *p;
    apr_size_t len;

    /* Control characters and spaces at both ends are not part of the URL. */
    text += strspn(text, "\1\2\3\4\5\6\7\b\t\n\v\f\r\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37 ");
    p = without_line_breaks(text, pool);
    for (len = strlen(p); len > 0 && (unsigned char)p[len - 1] <= ' '; len--) {
        p[len - 1] = '\0';
    }
    if (!strncasecmp(p, "https://", 8)) {
        url->scheme = "https";
        p += 8;
    } else if (!strncasecmp(p, "http://", 7)) {
        url->scheme = "http";
        p += 7;
    } else {
        return NULL;
    }
    len = strcspn(p, "/\\?#");
    rest = apr_pstrdup(pool, p + len);
    p[len] = '\0';
    if (!set_authority(url, p, pool)) {
        return NULL;
    }
    set_target(url, rest, pool);
    return url;
}

clerk_url *clerk_url_join(const char *origin, const char *target, apr_pool_t *pool)
{
    clerk_url *url = clerk_url_parse(origin, pool);

    if (url) {
        url->query = NULL;
        url->fragment = NULL;
        set_target(url, without_line_breaks(target, pool), pool);
    }
    return url;
}

const char *clerk_url_text(const clerk_url *url, apr_pool_t *pool)
{
    return apr_pstrcat(pool, url->origin, url->path, url->query ? "?" : "", url->query ? url->query : "",
                       url->fragment ? "#" : "", url->fragment ? url->fragment : "", NULL);
}
