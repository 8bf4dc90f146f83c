/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/encoding.h"

#include <string.h>

#include "text/text.h"

char *clerk_encoding_percent_encode(char *out, unsigned char byte)
{
    static const char hex[] = "0123456789ABCDEF";

    out[0] = '%';
    out[1] = hex[byte >> 4];
    out[2] = hex[byte & 15];
    return out + 3;
}

int clerk_encoding_percent_decode(const char *text, apr_size_t len)
{
    int high;
    int low;

    if (len < 3 || text[0] != '%') {
        return -1;
    }
    high = clerk_text_hex_digit(text[1]);
    low = clerk_text_hex_digit(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* The length of a sequence by its first byte, or 0, and the range of its second byte (Unicode 15, table 3-7). */
static apr_size_t utf8_shape(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *low = first == 0xe0 ? 0xa0 : 0x80;
        *high = first == 0xed ? 0x9f : 0xbf;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *low = first == 0xf0 ? 0x90 : 0x80;
        *high = first == 0xf4 ? 0x8f : 0xbf;
        return 4;
    }
    return 0;
}

/* Like clerk_encoding_utf8_sequence(). @param pbad if it is not valid: the number of bytes to replace by one U+FFFD */
static apr_size_t utf8_scan(const unsigned char *text, apr_size_t len, apr_size_t *pbad)
{
    unsigned char low;
    unsigned char high;
    apr_size_t want = utf8_shape(text[0], &low, &high);

    *pbad = 1;
    for (apr_size_t i = 1; i < want; i++) {
        if (i >= len || text[i] < low || text[i] > high) {
            *pbad = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return want;
}

apr_size_t clerk_encoding_utf8_sequence(const unsigned char *text, apr_size_t len)
{
    apr_size_t bad;

    return utf8_scan(text, len, &bad);
}

/* Replace what is not UTF-8 by U+FFFD, as browsers do. */
static char *valid_utf8(const char *text, apr_size_t len, apr_size_t *plen, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, len * 3 + 1);
    char *o = out;
    apr_size_t i = 0;

    while (i < len) {
        apr_size_t bad;
        apr_size_t good = utf8_scan((const unsigned char *)text + i, len - i, &bad);

        if (good > 0) {
            memcpy(o, text + i, good);
            o += good;
            i += good;
        } else {
            memcpy(o, "\xef\xbf\xbd", 3);
            o += 3;
            i += bad;
        }
    }
    *o = '\0';
    *plen = (apr_size_t)(o - out);
    return out;
}

const char *clerk_encoding_form_read(const char *text, apr_size_t len, apr_size_t *plen, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, len + 1);
    apr_size_t out_len = 0;
    apr_size_t i = 0;

    while (i < len) {
        int byte = clerk_encoding_percent_decode(text + i, len - i);

        if (byte >= 0) {
            out[out_len++] = (char)byte;
            i += 3;
        } else {
            out[out_len++] = (char)(text[i] == '+' ? ' ' : text[i]);
            i++;
        }
    }
    return valid_utf8(out, out_len, plen, pool);
}

char *clerk_encoding_form_write(char *out, const char *text, apr_size_t len)
{
    for (apr_size_t i = 0; i < len; i++) {
        char c = text[i];

        if (clerk_text_is_alnum(c) || c == '*' || c == '-' || c == '.' || c == '_') {
            *out++ = c;
        } else if (c == ' ') {
            *out++ = '+';
        } else {
            out = clerk_encoding_percent_encode(out, (unsigned char)c);
        }
    }
    return out;
}

const char *clerk_encoding_form(const char *value, apr_pool_t *pool)
{
    apr_size_t len = strlen(value);
    char *out = apr_palloc(pool, len * 3 + 1);

    *clerk_encoding_form_write(out, value, len) = '\0';
    return out;
}
