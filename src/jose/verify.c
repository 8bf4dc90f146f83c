/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/key_private.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>

/* r and s, one behind the other (RFC 7518, 3.4) */
#define ES256_RAW_BYTES 64
/* Two INTEGERs of at most 33 bytes with two bytes of head each, in a SEQUENCE with two bytes of head. */
#define ES256_DER_MAX (2 + 2 * (2 + JOSE_P256_BYTES + 1))

const jose_algorithm *jose_algorithm_find(const char *name)
{
    static const jose_algorithm algorithms[] = {
        {"RS256", "SHA256", JOSE_FAMILY_RSA},
        {"RS384", "SHA384", JOSE_FAMILY_RSA},
        {"RS512", "SHA512", JOSE_FAMILY_RSA},
        {"ES256", "SHA256", JOSE_FAMILY_EC},
    };
    size_t i;

    for (i = 0; name && i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (strcmp(name, algorithms[i].name) == 0)
            return &algorithms[i];
    }
    return NULL;
}

jose_status jose_algorithm_check(const jose_jws *jws)
{
    return jose_algorithm_find(jose_json_string(jws->header, "alg")) ? JOSE_OK : JOSE_BAD_ALGORITHM;
}

/* OpenSSL takes ECDSA signatures as DER (RFC 3279, 2.2.3) only. */
static jose_status es256_to_der(unsigned char der[ES256_DER_MAX], size_t *plen, const unsigned char *raw)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, JOSE_P256_BYTES, NULL), *s = BN_bin2bn(raw + JOSE_P256_BYTES, JOSE_P256_BYTES, NULL);
    unsigned char *end = der;
    int len;

    if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        return JOSE_INTERNAL;
    }
    len = i2d_ECDSA_SIG(sig, &end);
    ECDSA_SIG_free(sig);
    if (len <= 0)
        return JOSE_INTERNAL;
    *plen = (size_t)len;
    return JOSE_OK;
}

static jose_status verify_signature(const jose_jws *jws, EVP_PKEY *pkey, const char *digest,
                                    const unsigned char *signature, size_t len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    jose_status status = JOSE_INTERNAL;

    if (ctx && EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, pkey, NULL) == 1) {
        /* RSA's default padding is PKCS #1 v1.5, which is what RS256 to RS512 are. */
        status = EVP_DigestVerify(ctx, signature, len, (const unsigned char *)jws->signing_input.data,
                                  jws->signing_input.len) == 1 ? JOSE_OK : JOSE_BAD_SIGNATURE;
    }
    EVP_MD_CTX_free(ctx);
    return status;
}

jose_status jose_verify(const jose_jws *jws, const jose_key *key)
{
    const jose_algorithm *algorithm = jose_algorithm_find(jose_json_string(jws->header, "alg"));
    const unsigned char *signature = jws->signature;
    size_t len = jws->signature_len;
    unsigned char der[ES256_DER_MAX];
    jose_status status = JOSE_OK;

    if (!algorithm)
        return JOSE_BAD_ALGORITHM;
    if (json_object_get(jws->header, "crit"))
        return JOSE_CRITICAL;
    if (key->family != JOSE_FAMILY_OTHER && key->family != algorithm->family)
        return JOSE_BAD_ALGORITHM;
    if (!key->pkey || (key->only && key->only != algorithm))
        return JOSE_KEY_UNUSABLE;
    if (len == 0)
        return JOSE_BAD_SIGNATURE;

    /* Errors left in the thread's queue would be mistaken for those of a TLS connection. */
    ERR_set_mark();
    if (algorithm->family == JOSE_FAMILY_EC) {
        status = len == ES256_RAW_BYTES ? es256_to_der(der, &len, signature) : JOSE_BAD_SIGNATURE;
        signature = der;
    }
    if (status == JOSE_OK)
        status = verify_signature(jws, key->pkey, algorithm->digest, signature, len);
    ERR_pop_to_mark();
    return status;
}
