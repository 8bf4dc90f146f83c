/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/key_private.h"

#include "jose/keyset.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

/* A larger exponent adds no security and makes every verification slower. */
#define RSA_MAX_EXPONENT_BITS 64

jose_status jose_key_refuse(jose_key *key, const char *why)
{
    key->description = why;
    return JOSE_KEY_UNUSABLE;
}

static apr_status_t key_release(void *pkey)
{
    EVP_PKEY_free(pkey);
    return APR_SUCCESS;
}

static apr_status_t verifiers_release(void *data)
{
    jose_verifier(*verifiers)[JOSE_VERIFIERS] = data;
    unsigned int i, j;

    for (i = 0; i < JOSE_FAMILY_ALGORITHMS; i++) {
        for (j = 0; j < JOSE_VERIFIERS; j++) {
            jose_verify_clear(&verifiers[i][j]);
        }
    }
    return APR_SUCCESS;
}

/* Hand the EVP_PKEY over to the key and the pool. */
static void key_adopt(jose_key *key, EVP_PKEY *pkey, apr_pool_t *pool)
{
    key->pkey = pkey;
    key->verifiers = apr_pcalloc(pool, JOSE_FAMILY_ALGORITHMS * sizeof(*key->verifiers));
    apr_pool_cleanup_register(pool, pkey, key_release, apr_pool_cleanup_null);
    /* Cleanups run in reverse order, so the verifiers are freed before the key. */
    apr_pool_cleanup_register(pool, key->verifiers, verifiers_release, apr_pool_cleanup_null);
}

/* Build a public key from its parameters and, if @a check is set, check it. *ppkey is NULL if it is no valid key. */
static jose_status key_build(EVP_PKEY **ppkey, const char *type, OSSL_PARAM *params, int check)
{
    EVP_PKEY_CTX *builder = EVP_PKEY_CTX_new_from_name(NULL, type, NULL), *checker = NULL;
    EVP_PKEY *pkey = NULL;
    jose_status status = JOSE_INTERNAL;

    *ppkey = NULL;
    if (!builder || EVP_PKEY_fromdata_init(builder) != 1) {
        goto done;
    }
    status = JOSE_KEY_UNUSABLE;
    if (EVP_PKEY_fromdata(builder, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        goto done;
    }
    if (check) {
        checker = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
        if (!checker || EVP_PKEY_public_check(checker) != 1) {
            goto done;
        }
    }
    *ppkey = pkey;
    pkey = NULL;
    status = JOSE_OK;
done:
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(checker);
    EVP_PKEY_CTX_free(builder);
    return status;
}

jose_status jose_key_set_rsa(jose_key *key, const BIGNUM *n, const BIGNUM *e, apr_pool_t *pool)
{
    OSSL_PARAM_BLD *bld = NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;
    jose_status status = JOSE_INTERNAL;

    key->family = JOSE_FAMILY_RSA;
    if (BN_num_bits(n) < JOSE_RSA_MIN_BITS) {
        return jose_key_refuse(key, "unusable: RSA modulus of less than 2048 bits");
    }
    if (BN_num_bits(n) > JOSE_RSA_MAX_BITS) {
        return jose_key_refuse(key, "unusable: RSA modulus of more than 8192 bits");
    }
    if (!BN_is_odd(n)) {
        return jose_key_refuse(key, "unusable: RSA modulus is even");
    }
    if (!BN_is_odd(e) || BN_is_one(e)) {
        return jose_key_refuse(key, "unusable: RSA exponent is even or less than 3");
    }
    if (BN_num_bits(e) > RSA_MAX_EXPONENT_BITS) {
        return jose_key_refuse(key, "unusable: RSA exponent of more than 64 bits");
    }

    /* Errors left in the thread's error queue would be taken for errors of a TLS connection. */
    ERR_set_mark();
    bld = OSSL_PARAM_BLD_new();
    if (bld && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(bld);
    }
    if (params) {
        status = key_build(&pkey, "RSA", params, 0);
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    ERR_pop_to_mark();

    if (status == JOSE_OK) {
        key_adopt(key, pkey, pool);
        key->description = apr_psprintf(pool, "RSA %d", BN_num_bits(n));
        return JOSE_OK;
    }
    jose_key_refuse(key, "unusable: not an RSA key");
    return status;
}

jose_status jose_key_set_p256(jose_key *key, const unsigned char x[JOSE_P256_BYTES],
                              const unsigned char y[JOSE_P256_BYTES], apr_pool_t *pool)
{
    unsigned char point[1 + 2 * JOSE_P256_BYTES];
    char group[] = "prime256v1";
    OSSL_PARAM params[3];
    EVP_PKEY *pkey;
    jose_status status;

    key->family = JOSE_FAMILY_EC;
    point[0] = 0x04; /* uncompressed (SEC 1, 2.3.3) */
    memcpy(point + 1, x, JOSE_P256_BYTES);
    memcpy(point + 1 + JOSE_P256_BYTES, y, JOSE_P256_BYTES);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
    params[2] = OSSL_PARAM_construct_end();

    ERR_set_mark();
    status = key_build(&pkey, "EC", params, 1);
    ERR_pop_to_mark();

    if (status == JOSE_OK) {
        key_adopt(key, pkey, pool);
        key->description = "EC P-256";
        return JOSE_OK;
    }
    jose_key_refuse(key, "unusable: not a point on P-256");
    return status;
}

const char *jose_key_id(const jose_key *key)
{
    return key->kid;
}

const char *jose_key_description(const jose_key *key)
{
    return key->description;
}

int jose_key_usable(const jose_key *key)
{
    return key->pkey != NULL;
}
