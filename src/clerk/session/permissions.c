/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/permissions.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/session/scoped_names.h"

#define LIMB_DIGITS 9
#define LIMB_BASE 1000000000u
#define WORD_BITS 32

/* Decimal masks, with working memory to convert one of them to bits. */
typedef struct mask_reader {
    const apr_array_header_t *masks;
    apr_uint32_t *limbs; /* digits of base 10^9, the most significant first; enough for the longest mask */
    int words;           /* enough for one bit a permission */
} mask_reader;

static void reader_init(mask_reader *reader, const char *fpm, int permissions, apr_pool_t *pool)
{
    size_t longest = 0;

    reader->masks = clerk_scoped_names_split(fpm, pool);
    for (int i = 0; i < reader->masks->nelts; i++) {
        size_t len = strlen(APR_ARRAY_IDX(reader->masks, i, const char *));

        longest = len > longest ? len : longest;
    }
    reader->limbs = apr_palloc(pool, (longest / LIMB_DIGITS + 1) * sizeof(*reader->limbs));
    reader->words = (permissions + WORD_BITS - 1) / WORD_BITS;
}

static size_t limbs_parse(apr_uint32_t *limbs, const char *digits, size_t len)
{
    size_t i, count = 0;

    for (i = 0; i < len; i++) {
        if (i == 0 || (len - i) % LIMB_DIGITS == 0) {
            limbs[count++] = 0;
        }
        limbs[count - 1] = limbs[count - 1] * 10 + (apr_uint32_t)(digits[i] - '0');
    }
    return count;
}

/*
 * Convert the lowest bits of the i-th mask, bit 0 first; all 0 if there is no such mask or it is no number. Each
 * division of the whole number by 2^32 gives one word as its remainder.
 */
static void reader_bits(apr_uint32_t *bits, const mask_reader *reader, int i)
{
    const char *digits = i < reader->masks->nelts ? APR_ARRAY_IDX(reader->masks, i, const char *) : "";
    size_t len = strlen(digits), count, limb;

    count = strspn(digits, "0123456789") == len ? limbs_parse(reader->limbs, digits, len) : 0;
    for (int word = 0; word < reader->words; word++) {
        apr_uint64_t remainder = 0;

        for (limb = 0; limb < count; limb++) {
            apr_uint64_t value = remainder * LIMB_BASE + reader->limbs[limb];

            reader->limbs[limb] = (apr_uint32_t)(value >> WORD_BITS);
            remainder = value & 0xffffffffu;
        }
        bits[word] = (apr_uint32_t)remainder;
    }
}

static void add_permissions(apr_array_header_t *result, const char *feature, const apr_array_header_t *permissions,
                            const apr_uint32_t *bits)
{
    for (int i = 0; i < permissions->nelts; i++) {
        if (bits[i / WORD_BITS] >> (i % WORD_BITS) & 1u) {
            APR_ARRAY_PUSH(result, const char *)
                = apr_pstrcat(result->pool, "org:", feature, ":", APR_ARRAY_IDX(permissions, i, const char *), NULL);
        }
    }
}

apr_array_header_t *clerk_permissions_decode(int *pambiguous, const apr_array_header_t *features, const char *per,
                                             const char *fpm, apr_pool_t *pool)
{
    apr_array_header_t *result = apr_array_make(pool, 8, sizeof(const char *)), *permissions;
    apr_uint32_t *bits, *other;
    mask_reader reader;
    int i, word, org_index = 0;

    *pambiguous = 0;
    if (!per || !*per || !fpm || !*fpm) {
        return result;
    }
    permissions = clerk_scoped_names_split(per, pool);
    reader_init(&reader, fpm, permissions->nelts, pool);
    bits = apr_palloc(pool, (apr_size_t)reader.words * sizeof(*bits));
    other = apr_palloc(pool, (apr_size_t)reader.words * sizeof(*other));

    for (i = 0; i < features->nelts; i++) {
        const char *name;

        if (!(clerk_scoped_names_parse_scope(&name, APR_ARRAY_IDX(features, i, const char *)) & CLERK_SCOPE_ORG)) {
            continue;
        }
        reader_bits(bits, &reader, org_index);
        if (org_index != i) {
            *pambiguous = 1;
            reader_bits(other, &reader, i);
            for (word = 0; word < reader.words; word++) {
                bits[word] &= other[word];
            }
        }
        add_permissions(result, name, permissions, bits);
        org_index++;
    }
    return result;
}
