/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/base64url.h"

#include <string.h>

#include <apr_encode.h>

/*
 * An own decoder, because apr_decode_base64_binary() takes both alphabets, padding and left-over bits, and proving
 * afterwards that none of these was there costs as much as decoding.
 */

/* What a character means in each of the four places of a quad: a mark of its own for being one, and its six bits. */
#define SEXTET(c, value, place) [c] = 1u << (24 + (place)) | (value) << (18 - 6 * (place)),
#define PLACE(place) \
    { \
        SEXTET('A', 0u, place) SEXTET('B', 1u, place) SEXTET('C', 2u, place) SEXTET('D', 3u, place) \
        SEXTET('E', 4u, place) SEXTET('F', 5u, place) SEXTET('G', 6u, place) SEXTET('H', 7u, place) \
        SEXTET('I', 8u, place) SEXTET('J', 9u, place) SEXTET('K', 10u, place) SEXTET('L', 11u, place) \
        SEXTET('M', 12u, place) SEXTET('N', 13u, place) SEXTET('O', 14u, place) SEXTET('P', 15u, place) \
        SEXTET('Q', 16u, place) SEXTET('R', 17u, place) SEXTET('S', 18u, place) SEXTET('T', 19u, place) \
        SEXTET('U', 20u, place) SEXTET('V', 21u, place) SEXTET('W', 22u, place) SEXTET('X', 23u, place) \
        SEXTET('Y', 24u, place) SEXTET('Z', 25u, place) SEXTET('a', 26u, place) SEXTET('b', 27u, place) \
        SEXTET('c', 28u, place) SEXTET('d', 29u, place) SEXTET('e', 30u, place) SEXTET('f', 31u, place) \
        SEXTET('g', 32u, place) SEXTET('h', 33u, place) SEXTET('i', 34u, place) SEXTET('j', 35u, place) \
        SEXTET('k', 36u, place) SEXTET('l', 37u, place) SEXTET('m', 38u, place) SEXTET('n', 39u, place) \
        SEXTET('o', 40u, place) SEXTET('p', 41u, place) SEXTET('q', 42u, place) SEXTET('r', 43u, place) \
        SEXTET('s', 44u, place) SEXTET('t', 45u, place) SEXTET('u', 46u, place) SEXTET('v', 47u, place) \
        SEXTET('w', 48u, place) SEXTET('x', 49u, place) SEXTET('y', 50u, place) SEXTET('z', 51u, place) \
        SEXTET('0', 52u, place) SEXTET('1', 53u, place) SEXTET('2', 54u, place) SEXTET('3', 55u, place) \
        SEXTET('4', 56u, place) SEXTET('5', 57u, place) SEXTET('6', 58u, place) SEXTET('7', 59u, place) \
        SEXTET('8', 60u, place) SEXTET('9', 61u, place) SEXTET('-', 62u, place) SEXTET('_', 63u, place) \
    }

static const apr_uint32_t places[4][256] = {PLACE(0), PLACE(1), PLACE(2), PLACE(3)};

/* There when all four characters are of the alphabet. */
#define VALID 0x0f000000u

/* The three bytes of four characters in the low bits, and marks above them. */
static apr_uint32_t decode_quad(const unsigned char *in)
{
    return places[0][in[0]] | places[1][in[1]] | places[2][in[2]] | places[3][in[3]];
}

jose_status jose_base64url_decode(unsigned char **pdata, apr_size_t *plen, jose_slice text, apr_pool_t *pool)
{
    const unsigned char *in = (const unsigned char *)text.data;
    apr_size_t tail = text.len % 4, quads = text.len / 4, i;
    unsigned char *data, *out;
    apr_uint32_t marks = VALID, quad;

    *pdata = NULL;
    *plen = 0;
    if (tail == 1)
        return JOSE_MALFORMED;

    out = data = apr_palloc(pool, quads * 3 + 3);
    for (i = 0; i < quads; i++, in += 4, out += 3) {
        quad = decode_quad(in);
        marks &= quad;
        out[0] = (unsigned char)(quad >> 16);
        out[1] = (unsigned char)(quad >> 8);
        out[2] = (unsigned char)quad;
    }
    if (tail) {
        unsigned char last[4] = {'A', 'A', 'A', 'A'}; /* zero bits */

        memcpy(last, in, tail);
        quad = decode_quad(last);
        marks &= quad;
        /* Bits of the last character that no byte takes must be zero, or two texts would mean the same bytes. */
        if (quad & (tail == 3 ? 0xffu : 0xffffu))
            return JOSE_MALFORMED;
        out[0] = (unsigned char)(quad >> 16);
        out[1] = (unsigned char)(quad >> 8);
        out += tail - 1;
    }
    if (marks != VALID)
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
