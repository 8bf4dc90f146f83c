/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/forwarded.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "clerk/url/origin.h"
#include "text/text.h"

/* Characters of a token (RFC 9110, 5.6.2), and ':', '[' and ']', which proxies do not always quote. */
static int is_token_char(char c)
{
    return clerk_text_is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~:[]", c));
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* Read a token or a quoted string in lower case. @return the text behind it, or NULL if there is neither */
static const char *read_value(const char **pvalue, const char *p, apr_pool_t *pool)
{
    char *value = apr_palloc(pool, strlen(p) + 1);
    char *out = value;
    const int quoted = *p == '"';

    for (p += quoted; quoted ? *p && *p != '"' : is_token_char(*p); p++) {
        p += quoted && *p == '\\' && p[1];
        *out++ = clerk_text_to_lower(*p);
    }
    *out = '\0';
    *pvalue = value;
    if (quoted) {
        return *p == '"' ? p + 1 : NULL;
    }
    return out != value ? p : NULL;
}

/* Read `name=value` into @a said. @return the text behind it, or NULL if it is malformed or was there before */
static const char *read_pair(clerk_forwarded *said, const char *p, apr_pool_t *pool)
{
    const char *name, *value;
    const char **member = NULL;

    p = *p == '"' ? NULL : read_value(&name, p, pool);
    if (!p || *p != '=' || !(p = read_value(&value, p + 1, pool))) {
        return NULL;
    }
    if (!strcmp(name, "proto")) {
        member = &said->proto;
    } else if (!strcmp(name, "host")) {
        member = &said->host;
    }
    if (member) {
        if (*member) {
            return NULL;
        }
        *member = value;
    }
    return p;
}

clerk_forwarded clerk_forwarded_read(const char *field, apr_pool_t *pool)
{
    const clerk_forwarded nothing = {NULL, NULL, NULL};
    clerk_forwarded said = nothing;
    const char *p = skip_blanks(field);

    while (*p && *p != ',') {
        if (*p != ';') {
            p = read_pair(&said, p, pool);
            if (!p) {
                return nothing;
            }
            p = skip_blanks(p);
        }
        if (*p && *p != ',' && *p != ';') {
            return nothing;
        }
        p = skip_blanks(p + (*p == ';'));
    }
    return said;
}

static int has_port(const char *host)
{
    const char *bracket = strrchr(host, ']');

    return strchr(bracket ? bracket : host, ':') != NULL;
}

const char *clerk_forwarded_origin(const clerk_forwarded *said, const char *scheme, const char *host, apr_pool_t *pool)
{
    const clerk_url *origin = NULL;
    const char *others;

    if (said->proto && (!strcmp(said->proto, "http") || !strcmp(said->proto, "https"))) {
        scheme = said->proto;
    }
    host = said->host ? said->host : host;
    if (!host) {
        return NULL;
    }
    /* The port of the other scheme is the one of a connection between two proxies, not the browser's. */
    others = !strcmp(scheme, "https") ? "80" : "443";
    if (said->port && !has_port(host) && strcmp(said->port, others)) {
        origin = clerk_origin_of(scheme, apr_pstrcat(pool, host, ":", said->port, NULL), pool);
    }
    if (!origin) {
        origin = clerk_origin_of(scheme, host, pool);
    }
    return origin ? origin->origin : NULL;
}
