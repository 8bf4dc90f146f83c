/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/key_private.h"

#include "jose/keyset.h"

#include <string.h>

#include "jose/base64url.h"
#include "jose/json.h"

/* Decode a base64url member, such as `n`. */
static jose_status member_bytes(unsigned char **pdata, apr_size_t *plen, const json_t *jwk, const char *name,
                                apr_pool_t *pool)
{
    const json_t *value = json_object_get(jwk, name);
    jose_slice text;

    if (!json_is_string(value)) {
        return JOSE_MALFORMED;
    }
    text.data = json_string_value(value);
    text.len = json_string_length(value);
    return jose_base64url_decode(pdata, plen, text, pool);
}

static jose_status rsa_from_jwk(jose_key *key, const json_t *jwk, apr_pool_t *pool)
{
    unsigned char *n_bytes, *e_bytes;
    apr_size_t n_len, e_len;
    BIGNUM *n, *e;
    jose_status status = JOSE_INTERNAL;

    if (member_bytes(&n_bytes, &n_len, jwk, "n", pool) != JOSE_OK
        || member_bytes(&e_bytes, &e_len, jwk, "e", pool) != JOSE_OK) {
        return jose_key_refuse(key, "unusable: RSA modulus or exponent is missing or not base64url");
    }
    /* Check the size before any computation: a JWK may contain numbers of any size. */
    if (n_len > JOSE_RSA_MAX_BITS / 8 || e_len > JOSE_RSA_MAX_BITS / 8) {
        return jose_key_refuse(key, "unusable: RSA modulus or exponent of more than 8192 bits");
    }

    n = BN_bin2bn(n_bytes, (int)n_len, NULL);
    e = BN_bin2bn(e_bytes, (int)e_len, NULL);
    if (n && e) {
        status = jose_key_set_rsa(key, n, e, pool);
    }
    BN_free(n);
    BN_free(e);
    return status;
}

static jose_status ec_from_jwk(jose_key *key, const json_t *jwk, apr_pool_t *pool)
{
    const char *crv = jose_json_string(jwk, "crv");
    unsigned char *x, *y;
    apr_size_t x_len, y_len;

    if (!crv || strcmp(crv, "P-256")) {
        return jose_key_refuse(key, "unusable: an EC curve other than P-256");
    }
    if (member_bytes(&x, &x_len, jwk, "x", pool) != JOSE_OK || x_len != JOSE_P256_BYTES
        || member_bytes(&y, &y_len, jwk, "y", pool) != JOSE_OK || y_len != JOSE_P256_BYTES) {
        return jose_key_refuse(key, "unusable: EC coordinates are missing or not 32 bytes of base64url");
    }
    return jose_key_set_p256(key, x, y, pool);
}

int jose_jwk_has_operation(const json_t *jwk, const char *operation)
{
    const json_t *operations = json_object_get(jwk, "key_ops");

    for (size_t i = 0; i < json_array_size(operations); i++) {
        const char *named = json_string_value(json_array_get(operations, i));

        if (named && !strcmp(named, operation)) {
            return 1;
        }
    }
    return 0;
}

/*
 * Whether a key may verify signatures (RFC 7517, 4.2 and 4.3). Either member may be absent; one that is there must say
 * so. A member of the wrong type says nothing.
 */
static int is_for_signatures(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use"), *operations = json_object_get(jwk, "key_ops");

    if (use && (!json_is_string(use) || strcmp(json_string_value(use), "sig"))) {
        return 0;
    }
    return !operations || jose_jwk_has_operation(jwk, "verify");
}

jose_status jose_jwk_read(jose_key *key, const json_t *jwk, apr_pool_t *pool)
{
    const char *kty = jose_json_string(jwk, "kty");
    const json_t *alg = json_object_get(jwk, "alg");

    /* Set the family even if the key is unusable: then a token of another family gets JOSE_BAD_ALGORITHM. */
    if (kty && !strcmp(kty, "RSA")) {
        key->family = JOSE_FAMILY_RSA;
    } else if (kty && !strcmp(kty, "EC")) {
        key->family = JOSE_FAMILY_EC;
    } else {
        return jose_key_refuse(key, "unusable: a key type other than RSA and EC");
    }

    if (!is_for_signatures(jwk)) {
        return jose_key_refuse(key, "unusable: not for signatures (use or key_ops)");
    }
    if (alg) {
        key->only = json_is_string(alg) ? jose_verify_find_algorithm(json_string_value(alg)) : NULL;
        if (!key->only || key->only->family != key->family) {
            return jose_key_refuse(key, "unusable: for an algorithm that is not supported (alg)");
        }
    }
    return key->family == JOSE_FAMILY_RSA ? rsa_from_jwk(key, jwk, pool) : ec_from_jwk(key, jwk, pool);
}
