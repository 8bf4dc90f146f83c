/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/scoped_names.h"

#include <string.h>

#include <apr_strings.h>

/*
 * The length of the white space that the text begins with, 0 for none: WhiteSpace and LineTerminator of ECMA-262, 12.2
 * and 12.3, in UTF-8. Less than the SDK trims would shift the positions that permission masks are found by (11.3).
 */
static apr_size_t space_length(const char *text, apr_size_t len)
{
    static const char *const spaces[] = {
        " ", "\t", "\n", "\v", "\f", "\r", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82",
        "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89",
        "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF",
    };
    size_t i;

    for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        apr_size_t space = strlen(spaces[i]);

        if (space <= len && memcmp(text, spaces[i], space) == 0)
            return space;
    }
    return 0;
}

/* The length of the text without the white space at its end; UTF-8 of up to three bytes a character. */
static apr_size_t trimmed_length(const char *text, apr_size_t len)
{
    apr_size_t width = 1;

    while (width <= 3 && width <= len) {
        if (space_length(text + len - width, width) == width) {
            len -= width;
            width = 1;
        } else {
            width++;
        }
    }
    return len;
}

static const char *trim(const char *text, apr_size_t len, apr_pool_t *pool)
{
    apr_size_t space;

    while ((space = space_length(text, len)) > 0) {
        text += space;
        len -= space;
    }
    return apr_pstrmemdup(pool, text, trimmed_length(text, len));
}

apr_array_header_t *clerk_list_split(const char *text, apr_pool_t *pool)
{
    apr_array_header_t *elements = apr_array_make(pool, 8, sizeof(const char *));

    while (text) {
        const char *comma = strchr(text, ',');
        apr_size_t len = comma ? (apr_size_t)(comma - text) : strlen(text);

        APR_ARRAY_PUSH(elements, const char *) = trim(text, len, pool);
        text = comma ? comma + 1 : NULL;
    }
    return elements;
}

unsigned int clerk_scope_parse(const char **pname, const char *element)
{
    static const struct {
        const char *prefix;
        unsigned int scopes;
    } table[] = {
        {"o:", CLERK_SCOPE_ORG},
        {"u:", CLERK_SCOPE_USER},
        {"ou:", CLERK_SCOPE_ORG | CLERK_SCOPE_USER},
        {"uo:", CLERK_SCOPE_ORG | CLERK_SCOPE_USER},
    };
    size_t i;

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t len = strlen(table[i].prefix);

        if (strncmp(element, table[i].prefix, len) == 0) {
            *pname = element + len;
            return table[i].scopes;
        }
    }
    return 0;
}

void clerk_scoped_names_fill(clerk_scoped_names *names, const apr_array_header_t *elements, apr_pool_t *pool)
{
    int i;

    names->org = apr_array_make(pool, elements->nelts, sizeof(const char *));
    names->user = apr_array_make(pool, elements->nelts, sizeof(const char *));
    for (i = 0; i < elements->nelts; i++) {
        const char *name;
        unsigned int scopes = clerk_scope_parse(&name, APR_ARRAY_IDX(elements, i, const char *));

        if (scopes & CLERK_SCOPE_ORG)
            APR_ARRAY_PUSH(names->org, const char *) = name;
        if (scopes & CLERK_SCOPE_USER)
            APR_ARRAY_PUSH(names->user, const char *) = name;
    }
}
