/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_ASCII_H
#define CLERK_URL_ASCII_H

/* Character classes of ASCII, whatever locale the process runs in. */

static inline int clerk_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline int clerk_is_alnum(char c)
{
    return clerk_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char clerk_to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/** Whether a text is printable ASCII without spaces: what a URL or a key may consist of. */
static inline int clerk_is_graphic(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text >= 0x7f) {
            return 0;
        }
    }
    return 1;
}

#endif
