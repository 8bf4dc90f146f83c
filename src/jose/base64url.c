/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/base64url.h"

#include <string.h>

#include <apr_encode.h>

/*
 * A decoder of our own, because apr_decode_base64_binary() accepts both alphabets, padding and unused bits that are not
 * zero; to check afterwards that the text had none of these costs as much as decoding.
 */

/* The entry of a byte that is not in the alphabet: its high bits are set, which no sextet has. */
#define NONE 0xff

/* The sextet (six bits) of each character. */
/* clang-format off */
static const unsigned char sextets[256] = {
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,   62, NONE, NONE,
      52,   53,   54,   55,   56,   57,   58,   59,   60,   61, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE,    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,   10,   11,   12,   13,   14,
      15,   16,   17,   18,   19,   20,   21,   22,   23,   24,   25, NONE, NONE, NONE, NONE,   63,
    NONE,   26,   27,   28,   29,   30,   31,   32,   33,   34,   35,   36,   37,   38,   39,   40,
      41,   42,   43,   44,   45,   46,   47,   48,   49,   50,   51, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
};
/* clang-format on */

/*
 * Decode four characters to three bytes, in the low 24 bits.
 * @param seen the bits of all sextets so far are added to it, so that a single NONE shows at the end
 */
static apr_uint32_t decode_quad(const unsigned char *in, unsigned int *seen)
{
    const apr_uint32_t a = sextets[in[0]], b = sextets[in[1]], c = sextets[in[2]], d = sextets[in[3]];

    *seen |= a | b | c | d;
    return a << 18 | b << 12 | c << 6 | d;
}

jose_status jose_base64url_decode(unsigned char **pdata, apr_size_t *plen, jose_slice text, apr_pool_t *pool)
{
    const unsigned char *in = (const unsigned char *)text.data;
    apr_size_t tail = text.len % 4, quads = text.len / 4, i;
    unsigned char *data, *out;
    apr_uint32_t quad;
    unsigned int seen = 0;

    *pdata = NULL;
    *plen = 0;
    if (tail == 1) {
        return JOSE_MALFORMED;
    }

    out = data = apr_palloc(pool, quads * 3 + 3);
    for (i = 0; i < quads; i++, in += 4, out += 3) {
        quad = decode_quad(in, &seen);
        out[0] = (unsigned char)(quad >> 16);
        out[1] = (unsigned char)(quad >> 8);
        out[2] = (unsigned char)quad;
    }
    if (tail) {
        unsigned char last[4] = {'A', 'A', 'A', 'A'}; /* zero bits */

        memcpy(last, in, tail);
        quad = decode_quad(last, &seen);
        /* The unused bits of the last character must be zero, or two texts would decode to the same bytes. */
        if (quad & (tail == 3 ? 0xffu : 0xffffu)) {
            return JOSE_MALFORMED;
        }
        out[0] = (unsigned char)(quad >> 16);
        out[1] = (unsigned char)(quad >> 8);
        out += tail - 1;
    }
    if (seen > 63) {
        return JOSE_MALFORMED;
    }

    *out = '\0';
    *pdata = data;
    *plen = (apr_size_t)(out - data);
    return JOSE_OK;
}

char *jose_base64url_encode(const void *data, apr_size_t len, apr_pool_t *pool)
{
    /* With a NULL source APR only measures and returns no text. */
    const unsigned char *source = data ? data : (const unsigned char *)"";

    return (char *)apr_pencode_base64_binary(pool, source, (apr_ssize_t)len, APR_ENCODE_BASE64URL, NULL);
}
