/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/cookies/cookie_strip.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/cookies/cookies.h"

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

const char *clerk_cookies_strip(const char *header, apr_pool_t *pool)
{
    const char *piece = header, *start = header;
    char *out = NULL;
    size_t kept = 0;

    /* A piece is what stands between two separators; the separator before it, where it starts, goes with it. */
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
