/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/cookies/cookie_header.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/protocol.h"
#include "clerk/url/encoding.h"
#include "text/text.h"

static inline jose_slice trim(const char *data, apr_size_t len)
{
    jose_slice slice;

    /* Nearly always there is nothing to trim. */
    if (len > 0 && data[0] > ' ' && data[len - 1] > ' ') {
        slice.data = data;
        slice.len = len;
        return slice;
    }
    while (len > 0 && (*data == ' ' || *data == '\t')) {
        data++;
        len--;
    }
    while (len > 0 && (data[len - 1] == ' ' || data[len - 1] == '\t')) {
        len--;
    }
    slice.data = data;
    slice.len = len;
    return slice;
}

/* Whether a cookie begins here: a token (RFC 9110, 5.6.2) and '='. */
static int begins_cookie(const char *text)
{
    apr_size_t len = 0;

    while (clerk_text_is_alnum(text[len]) || (text[len] && strchr("!#$%&'*+-.^_`|~", text[len]))) {
        len++;
    }
    return len > 0 && text[len] == '=';
}

const char *clerk_cookie_header_join(const char *header, apr_pool_t *pool)
{
    const char *comma = header ? strchr(header, ',') : NULL;
    char *joined = NULL;

    for (; comma; comma = strchr(comma + 1, ',')) {
        if (comma[1] != ' ' || !begins_cookie(comma + 2)) {
            continue;
        }
        if (!joined) {
            joined = apr_pstrdup(pool, header);
        }
        joined[comma - header] = ';';
    }
    return joined ? joined : header;
}

int clerk_cookie_header_next(clerk_raw_cookie *cookie, const char **pheader)
{
    const char *p = *pheader;

    while (*p != '\0') {
        const char *end = strchr(p, ';');
        apr_size_t len = end ? (apr_size_t)(end - p) : strlen(p);
        const char *equals = memchr(p, '=', len);

        *pheader = p[len] == ';' ? p + len + 1 : p + len;
        if (equals) {
            cookie->name = trim(p, (apr_size_t)(equals - p));
            cookie->value = trim(equals + 1, len - (apr_size_t)(equals + 1 - p));
            return 1;
        }
        p = *pheader;
    }
    return 0;
}

const char *clerk_cookie_header_value(jose_slice value, apr_pool_t *pool)
{
    char *raw = apr_pstrmemdup(pool, value.data, value.len);
    unsigned char *out;
    apr_size_t len = 0;
    apr_size_t i = 0;

    if (!memchr(raw, '%', value.len)) {
        return raw;
    }
    out = apr_palloc(pool, value.len + 1);
    while (i < value.len) {
        if (raw[i] == '%') {
            int byte = clerk_encoding_percent_decode(raw + i, value.len - i);

            if (byte <= 0) {
                return raw;
            }
            out[len++] = (unsigned char)byte;
            i += 3;
        } else {
            out[len++] = (unsigned char)raw[i++];
        }
    }
    out[len] = '\0';
    for (i = 0; i < len;) {
        apr_size_t sequence = clerk_encoding_utf8_sequence(out + i, len - i);

        if (sequence == 0) {
            return raw;
        }
        i += sequence;
    }
    return (const char *)out;
}

const char *clerk_cookie_header_find(const char *header, const char *name, apr_pool_t *pool)
{
    apr_size_t len = strlen(name);
    clerk_raw_cookie cookie;

    while (header && clerk_cookie_header_next(&cookie, &header)) {
        if (cookie.name.len == len && !memcmp(cookie.name.data, name, len)) {
            return cookie.value.len > 0 ? clerk_cookie_header_value(cookie.value, pool) : NULL;
        }
    }
    return NULL;
}

static int is_credential(const char *name, size_t len)
{
    static const char *const names[] = {CLERK_COOKIE_SESSION, CLERK_COOKIE_REFRESH, CLERK_COOKIE_DEV_BROWSER,
                                        CLERK_COOKIE_HANDSHAKE, CLERK_COOKIE_HANDSHAKE_NONCE};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t known = strlen(names[i]);

        if (len >= known && !memcmp(name, names[i], known) && (len == known || name[known] == '_')) {
            return 1;
        }
    }
    return 0;
}

const char *clerk_cookie_header_strip(const char *header, apr_pool_t *pool)
{
    const char *piece = header, *start = header;
    char *out = NULL;
    size_t kept = 0;

    /*
     * Not clerk_cookie_header_next(): what stays must stay byte for byte, a comma is a separator here too, and a
     * credential is also removed if it has no '='. A piece is the text between two separators. It is kept or removed
     * together with the separator before it, at `start`.
     */
    for (;;) {
        const char *name = piece + strspn(piece, " \t");
        const char *end = piece + strcspn(piece, ";,");

        if (is_credential(name, strcspn(name, "=;, \t"))) {
            if (!out) {
                out = apr_palloc(pool, strlen(header) + 1);
                kept = (size_t)(start - header);
                memcpy(out, header, kept);
            }
        } else if (out) {
            memcpy(out + kept, start, (size_t)(end - start));
            kept += (size_t)(end - start);
        }
        if (!*end) {
            break;
        }
        start = end;
        piece = end + 1;
    }
    if (!out) {
        return header;
    }
    out[kept] = '\0';
    out += strspn(out, ";, \t");
    return *out ? out : NULL;
}
