/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEXT_TEXT_H
#define TEXT_TEXT_H

#include <string.h>

/* ASCII characters and texts, independent of the locale. */

static inline int clerk_text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline int clerk_text_is_alnum(char c)
{
    return clerk_text_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char clerk_text_to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/** The value of a hexadecimal digit of either case, or -1. */
static inline int clerk_text_hex_digit(char c)
{
    c = clerk_text_to_lower(c);
    return clerk_text_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** Whether a character is a control character: C0 and DEL. */
static inline int clerk_text_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/** Whether a UTF-8 text continues with a control character beyond ASCII (C1), U+2028 or U+2029: line breaks to some. */
static inline int clerk_text_begins_with_wide_control(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    return (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) || (c[0] == 0xe2 && c[1] == 0x80 && (c[2] & 0xfe) == 0xa8);
}

/** Whether a text has no control character and no line break, so that it is safe in a header, a variable or a log. */
static inline int clerk_text_is_clean(const char *text)
{
    while (*text && !clerk_text_is_control(*text) && !clerk_text_begins_with_wide_control(text)) {
        text++;
    }
    return !*text;
}

static inline int clerk_text_begins_with(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static inline int clerk_text_ends_with(const char *text, const char *suffix)
{
    size_t text_len = strlen(text), len = strlen(suffix);

    return text_len >= len && !strcmp(text + text_len - len, suffix);
}

/** Whether a text has only letters, digits, `_` and `-`, as ids of Clerk do: it needs no escaping in a URL. */
static inline int clerk_text_is_id(const char *text)
{
    const char *at = text;

    while (clerk_text_is_alnum(*at) || *at == '_' || *at == '-') {
        at++;
    }
    return at != text && !*at;
}

/** Whether a text is printable ASCII without spaces: what a URL or a key may consist of. */
static inline int clerk_text_is_graphic(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text >= 0x7f) {
            return 0;
        }
    }
    return 1;
}

#endif
