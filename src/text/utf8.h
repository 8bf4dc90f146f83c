/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stddef.h>

/**
 * The length of the UTF-8 sequence at the beginning of a text; 0 if there is none (RFC 3629: no surrogates, none that
 * is longer than it need be). A NUL counts as a sequence, and as the end of an incomplete one.
 */
static inline size_t clerk_utf8_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned int least = 0x80, most = 0xbf;
    size_t more;

    if (at[0] < 0x80) {
        return 1;
    }
    if (at[0] < 0xc2 || at[0] > 0xf4) {
        return 0;
    }
    more = at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
    least = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : least;
    most = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : most;
    if (at[1] < least || at[1] > most) {
        return 0;
    }
    for (size_t i = 2; i <= more; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf) {
            return 0;
        }
    }
    return more + 1;
}

#endif
