/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/scoped_names.h"

#include <string.h>

#include <apr_strings.h>

#include "jose/jose.h"

/*
 * The length of the white space character at the beginning of the text, or 0: WhiteSpace and LineTerminator of
 * ECMA-262, 12.2 and 12.3, in UTF-8. All that the SDK trims must be trimmed here: permission masks are found by the
 * position of valid elements (protocol.md 11.3).
 */
static apr_size_t space_length(const char *text, apr_size_t len)
{
    static const char *const spaces[] = {
        " ",
        "\t",
        "\n",
        "\v",
        "\f",
        "\r",
        "\xC2\xA0",
        "\xE1\x9A\x80",
        "\xE2\x80\x80",
        "\xE2\x80\x81",
        "\xE2\x80\x82",
        "\xE2\x80\x83",
        "\xE2\x80\x84",
        "\xE2\x80\x85",
        "\xE2\x80\x86",
        "\xE2\x80\x87",
        "\xE2\x80\x88",
        "\xE2\x80\x89",
        "\xE2\x80\x8A",
        "\xE2\x80\xA8",
        "\xE2\x80\xA9",
        "\xE2\x80\xAF",
        "\xE2\x81\x9F",
        "\xE3\x80\x80",
        "\xEF\xBB\xBF",
    };

    /* The usual case: an ASCII character that is no space. */
    if (len == 0 || ((unsigned char)*text > ' ' && (unsigned char)*text < 0x7f)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        apr_size_t space = strlen(spaces[i]);

        if (space <= len && !memcmp(text, spaces[i], space)) {
            return space;
        }
    }
    return 0;
}

/* The length of the text without white space at its end. White space characters have up to three bytes in UTF-8. */
static apr_size_t trimmed_length(const char *text, apr_size_t len)
{
    apr_size_t width = 1;

    while (width <= 3 && width <= len) {
        if (width > 1 && (unsigned char)text[len - 1] < 0x80) {
            break;
        }
        if (space_length(text + len - width, width) == width) {
            len -= width;
            width = 1;
        } else {
            width++;
        }
    }
    return len;
}

/* Read the next element, trimmed, and move @a ptext behind it. @return 0 if there is none */
static int next_element(jose_slice *element, const char **ptext)
{
    const char *text = *ptext, *comma;
    apr_size_t space;

    if (!text) {
        return 0;
    }
    comma = strchr(text, ',');
    *ptext = comma ? comma + 1 : NULL;
    element->len = comma ? (apr_size_t)(comma - text) : strlen(text);
    while ((space = space_length(text, element->len)) > 0) {
        text += space;
        element->len -= space;
    }
    element->data = text;
    element->len = trimmed_length(text, element->len);
    return 1;
}

apr_array_header_t *clerk_scoped_names_split(const char *text, apr_pool_t *pool)
{
    apr_array_header_t *elements = apr_array_make(pool, 8, sizeof(const char *));
    jose_slice element;

    while (next_element(&element, &text)) {
        APR_ARRAY_PUSH(elements, const char *) = apr_pstrmemdup(pool, element.data, element.len);
    }
    return elements;
}

/* The scopes of an element. @param plen the length of the text up to the colon, colon included */
static unsigned int parse_scopes(apr_size_t *plen, const char *text, apr_size_t len)
{
    static const struct {
        const char *prefix;
        apr_size_t len;
        unsigned int scopes;
    } table[] = {
        {"o:", 2, CLERK_SCOPE_ORG},
        {"u:", 2, CLERK_SCOPE_USER},
        {"ou:", 3, CLERK_SCOPE_ORG | CLERK_SCOPE_USER},
        {"uo:", 3, CLERK_SCOPE_ORG | CLERK_SCOPE_USER},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (len >= table[i].len && !memcmp(text, table[i].prefix, table[i].len)) {
            *plen = table[i].len;
            return table[i].scopes;
        }
    }
    return 0;
}

unsigned int clerk_scoped_names_parse_scope(const char **pname, const char *element)
{
    apr_size_t len;
    unsigned int scopes = parse_scopes(&len, element, strlen(element));

    if (scopes) {
        *pname = element + len;
    }
    return scopes;
}

int clerk_scoped_names_have(const char *list, unsigned int scopes, const char *name, apr_size_t len)
{
    jose_slice element;
    apr_size_t prefix;

    while (next_element(&element, &list)) {
        if ((parse_scopes(&prefix, element.data, element.len) & scopes) && element.len - prefix == len
            && !memcmp(element.data + prefix, name, len)) {
            return 1;
        }
    }
    return 0;
}
