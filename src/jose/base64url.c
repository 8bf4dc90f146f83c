/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/base64url.h"

#include <apr_encode.h>

/*
 * An own decoder, because apr_decode_base64_binary() takes both alphabets, padding and left-over bits, and proving
 * afterwards that none of these was there costs as much as decoding.
 */

#define X 0xff /* not in the alphabet; no sextet has its top bits set */

static const unsigned char sextets[256] = {
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0x00 */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0x10 */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  62, X,  X,  /* 0x20: '-' */
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X,  X,  X,  X,  X,  X,  /* 0x30: '0' to '9' */
    X,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, /* 0x40: 'A' to 'O' */
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X,  X,  X,  X,  63, /* 0x50: 'P' to 'Z', '_' */
    X,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, /* 0x60: 'a' to 'o' */
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X,  X,  X,  X,  X,  /* 0x70: 'p' to 'z' */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0x80 */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0x90 */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0xa0 */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0xb0 */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0xc0 */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0xd0 */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0xe0 */
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  /* 0xf0 */
};

#undef X

jose_status jose_base64url_decode(unsigned char **pdata, apr_size_t *plen, jose_slice text, apr_pool_t *pool)
{
    const unsigned char *in = (const unsigned char *)text.data;
    apr_size_t tail = text.len % 4, quads = text.len / 4, i;
    unsigned char *data, *out;
    unsigned int bad = 0;

    *pdata = NULL;
    *plen = 0;
    if (tail == 1)
        return JOSE_MALFORMED;

    out = data = apr_palloc(pool, quads * 3 + 3);
    for (i = 0; i < quads; i++, in += 4) {
        unsigned char a = sextets[in[0]], b = sextets[in[1]], c = sextets[in[2]], d = sextets[in[3]];

        bad |= (unsigned int)(a | b | c | d);
        *out++ = (unsigned char)(a << 2 | b >> 4);
        *out++ = (unsigned char)(b << 4 | c >> 2);
        *out++ = (unsigned char)(c << 6 | d);
    }
    if (tail) {
        unsigned char a = sextets[in[0]], b = sextets[in[1]], c = tail == 3 ? sextets[in[2]] : 0;

        bad |= (unsigned int)(a | b | c);
        *out++ = (unsigned char)(a << 2 | b >> 4);
        if (tail == 3)
            *out++ = (unsigned char)(b << 4 | c >> 2);
        /* Bits of the last character that no byte takes must be zero, or two texts would mean the same bytes. */
        if (tail == 3 ? c & 0x03 : b & 0x0f)
            return JOSE_MALFORMED;
    }
    if (bad & 0xc0)
        return JOSE_MALFORMED;

    *out = '\0';
    *pdata = data;
    *plen = (apr_size_t)(out - data);
    return JOSE_OK;
}

char *jose_base64url_encode(const void *data, apr_size_t len, apr_pool_t *pool)
{
    /* APR takes a NULL source for "measure only" and gives no text for it. */
    const unsigned char *source = data ? data : (const unsigned char *)"";

    return (char *)apr_pencode_base64_binary(pool, source, (apr_ssize_t)len, APR_ENCODE_BASE64URL, NULL);
}
