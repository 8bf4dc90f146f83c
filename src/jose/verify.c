/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/key_private.h"

#include "jose/keyset.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "jose/json.h"

/* r followed by s (RFC 7518, 3.4) */
#define ES256_RAW_BYTES 64
/* Two INTEGERs of at most 33 bytes in a SEQUENCE, each of the three with a header of two bytes. */
#define ES256_DER_MAX (2 + 2 * (2 + JOSE_P256_BYTES + 1))

const jose_algorithm *jose_verify_find_algorithm(const char *name)
{
    static const jose_algorithm algorithms[] = {
        {"RS256", "SHA256", JOSE_FAMILY_RSA, 0},
        {"RS384", "SHA384", JOSE_FAMILY_RSA, 1},
        {"RS512", "SHA512", JOSE_FAMILY_RSA, 2},
        {"ES256", "SHA256", JOSE_FAMILY_EC, 0},
    };

    for (size_t i = 0; name && i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (!strcmp(name, algorithms[i].name)) {
            return &algorithms[i];
        }
    }
    return NULL;
}

jose_status jose_verify_check_algorithm(const jose_jws *jws)
{
    return jose_verify_find_algorithm(jose_json_string(jws->header, "alg")) ? JOSE_OK : JOSE_BAD_ALGORITHM;
}

/* OpenSSL accepts ECDSA signatures only as DER (RFC 3279, 2.2.3). */
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
    if (len <= 0) {
        return JOSE_INTERNAL;
    }
    *plen = (size_t)len;
    return JOSE_OK;
}

void jose_verify_clear(jose_verifier *verifier)
{
    EVP_MD_CTX_free(verifier->digest);
    EVP_PKEY_CTX_free(verifier->pkey);
    verifier->digest = NULL;
    verifier->pkey = NULL;
}

/* Fill an empty verifier. If that fails it stays empty. */
static jose_status verifier_fill(jose_verifier *verifier, EVP_PKEY *pkey, const jose_algorithm *algorithm)
{
    EVP_MD *md = EVP_MD_fetch(NULL, algorithm->digest, NULL);
    int filled;

    verifier->digest = EVP_MD_CTX_new();
    verifier->pkey = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    filled = md && verifier->digest && verifier->pkey && EVP_DigestInit_ex2(verifier->digest, md, NULL) == 1
             && EVP_PKEY_verify_init(verifier->pkey) == 1 && EVP_PKEY_CTX_set_signature_md(verifier->pkey, md) == 1
             && (algorithm->family != JOSE_FAMILY_RSA
                 || EVP_PKEY_CTX_set_rsa_padding(verifier->pkey, RSA_PKCS1_PADDING) == 1);
    EVP_MD_free(md);
    if (!filled) {
        jose_verify_clear(verifier);
    }
    return filled ? JOSE_OK : JOSE_INTERNAL;
}

/*
 * Take a verifier for exclusive use. Never waits: if all kept ones are taken, it is @a spare. A verifier that another
 * thread had taken when the process forked stays taken in the child for ever, which only costs speed.
 */
static jose_verifier *verifier_take(const jose_key *key, const jose_algorithm *algorithm, jose_verifier *spare)
{
    jose_verifier *kept = key->verifiers[algorithm->variant];

    for (unsigned int i = 0; i < JOSE_VERIFIERS; i++) {
        if (!atomic_load_explicit(&kept[i].taken, memory_order_relaxed)
            && !atomic_exchange_explicit(&kept[i].taken, true, memory_order_acquire)) {
            return &kept[i];
        }
    }
    return spare;
}

/* @return JOSE_INTERNAL for a lack of memory, as far as OpenSSL tells */
static jose_status verify_digest(jose_verifier *verifier, const unsigned char *signature, size_t len,
                                 const unsigned char *digest, unsigned int digest_len)
{
    /* Whether there are errors of others in the thread's queue. */
    int foreign = ERR_peek_error() != 0;
    unsigned long error;

    if (EVP_PKEY_verify(verifier->pkey, signature, len, digest, digest_len) == 1) {
        return JOSE_OK;
    }
    /* It fails with the same value for a bad signature and for a lack of memory. Then that is the first error; those
     * after it only say who passed it on. */
    error = foreign ? ERR_peek_last_error() : ERR_peek_error();
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? JOSE_INTERNAL : JOSE_BAD_SIGNATURE;
}

static jose_status verifier_run(jose_verifier *verifier, const jose_algorithm *algorithm, const jose_jws *jws,
                                const unsigned char *signature, size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_len;
    jose_status status;

    /* The same digest as before only resets the context. */
    if (EVP_DigestInit_ex2(verifier->digest, EVP_MD_CTX_get0_md(verifier->digest), NULL) != 1
        || EVP_DigestUpdate(verifier->digest, jws->signing_input.data, jws->signing_input.len) != 1
        || EVP_DigestFinal_ex(verifier->digest, digest, &digest_len) != 1) {
        return JOSE_INTERNAL;
    }
    status = verify_digest(verifier, signature, len, digest, digest_len);
    if (status == JOSE_BAD_SIGNATURE && algorithm->family == JOSE_FAMILY_EC) {
        /* OpenSSL 3.5 hides a lack of memory here. Such signatures are rare, so to be sure costs nothing. */
        status = verify_digest(verifier, signature, len, digest, digest_len);
    }
    return status;
}

static jose_status verify_signature(const jose_jws *jws, const jose_key *key, const jose_algorithm *algorithm,
                                    const unsigned char *signature, size_t len)
{
    jose_verifier spare = {0}, *verifier = verifier_take(key, algorithm, &spare);
    jose_status status = verifier->pkey ? JOSE_OK : verifier_fill(verifier, key->pkey, algorithm);

    if (status == JOSE_OK) {
        status = verifier_run(verifier, algorithm, jws, signature, len);
    }
    if (verifier == &spare || status == JOSE_INTERNAL) {
        jose_verify_clear(verifier);
    }
    if (verifier != &spare) {
        atomic_store_explicit(&verifier->taken, false, memory_order_release);
    }
    return status;
}

jose_status jose_verify(const jose_jws *jws, const jose_key *key)
{
    const jose_algorithm *algorithm = jose_verify_find_algorithm(jose_json_string(jws->header, "alg"));
    const unsigned char *signature = jws->signature;
    size_t len = jws->signature_len;
    unsigned char der[ES256_DER_MAX];
    jose_status status = JOSE_OK;

    if (!algorithm) {
        return JOSE_BAD_ALGORITHM;
    }
    if (json_object_get(jws->header, "crit")) {
        return JOSE_CRITICAL;
    }
    if (key->family != JOSE_FAMILY_OTHER && key->family != algorithm->family) {
        return JOSE_BAD_ALGORITHM;
    }
    if (!key->pkey || (key->only && key->only != algorithm)) {
        return JOSE_KEY_UNUSABLE;
    }
    if (len == 0) {
        return JOSE_BAD_SIGNATURE;
    }

    /* Errors left in the thread's error queue would be taken for errors of a TLS connection. */
    ERR_set_mark();
    if (algorithm->family == JOSE_FAMILY_EC) {
        status = len == ES256_RAW_BYTES ? es256_to_der(der, &len, signature) : JOSE_BAD_SIGNATURE;
        signature = der;
    }
    if (status == JOSE_OK) {
        status = verify_signature(jws, key, algorithm, signature, len);
    }
    ERR_pop_to_mark();
    return status;
}
