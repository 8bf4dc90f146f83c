/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOSE_KEY_PRIVATE_H
#define JOSE_KEY_PRIVATE_H

/* What the files behind keyset.h share. Nobody else includes this but their tests. */

#include <stdatomic.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "jose/jose.h"

/** How many bytes a coordinate of P-256 has, and each half of an ES256 signature. */
#define JOSE_P256_BYTES 32

/** How many algorithms the larger family has. */
#define JOSE_FAMILY_ALGORITHMS 3
/** How many verifications with one key and algorithm may go on at once before further ones make their own context. */
#define JOSE_VERIFIERS 8

/** The family an algorithm needs and a key has. Confusing the two is the classic attack (RFC 8725, 2.1). */
typedef enum jose_family {
    JOSE_FAMILY_OTHER = 0,
    JOSE_FAMILY_RSA,
    JOSE_FAMILY_EC
} jose_family;

/** A signature algorithm of RFC 7518, 3.1. */
typedef struct jose_algorithm {
    const char *name;   /**< the `alg` value */
    const char *digest; /**< OpenSSL's name of the hash */
    jose_family family;
    unsigned int variant; /**< its number within the family, below JOSE_FAMILY_ALGORITHMS */
} jose_algorithm;

/**
 * OpenSSL's contexts for one key and algorithm, both NULL until they are first needed. Making them takes a good part of
 * the time of a verification, so they are kept. Only the thread that has set `taken` may touch the other members.
 */
typedef struct jose_verifier {
    EVP_MD_CTX *digest;
    EVP_PKEY_CTX *pkey;
    atomic_bool taken;
} jose_verifier;

struct jose_key {
    const char *kid;            /* NULL for a PEM key */
    const char *description;    /* never NULL once the key has been filled in */
    const jose_algorithm *only; /* the one algorithm the key is for, or NULL for every one of its family */
    EVP_PKEY *pkey;             /* NULL where the key is unusable */
    jose_verifier (*verifiers)[JOSE_VERIFIERS]; /* a row for each variant; NULL where the key is unusable */
    unsigned int position;                      /* index in the document's `keys` */
    jose_family family;
};

struct jose_keyset {
    jose_key *keys;
    unsigned int count;
    int any_kid; /* one key, found by whatever `kid` */
};

/** The supported algorithm of that exact name, or NULL. */
const jose_algorithm *jose_verify_find_algorithm(const char *name);

/** Free what @a verifier holds, so that it can be filled anew. */
void jose_verify_clear(jose_verifier *verifier);

/**
 * Give @a key the RSA public key of modulus @a n and exponent @a e. Leaves it unusable, with the reason as its
 * description, where it is too weak, too large or not an RSA key at all.
 * @return JOSE_OK, JOSE_KEY_UNUSABLE or JOSE_INTERNAL
 */
jose_status jose_key_set_rsa(jose_key *key, const BIGNUM *n, const BIGNUM *e, apr_pool_t *pool);

/**
 * Give @a key the P-256 public key of those coordinates, big endian, which must be a point of the curve.
 * @return JOSE_OK, JOSE_KEY_UNUSABLE or JOSE_INTERNAL
 */
jose_status jose_key_set_p256(jose_key *key, const unsigned char x[JOSE_P256_BYTES],
                              const unsigned char y[JOSE_P256_BYTES], apr_pool_t *pool);

/** Set the description of a key that stays unusable. @return JOSE_KEY_UNUSABLE */
jose_status jose_key_refuse(jose_key *key, const char *why);

/**
 * Fill @a key from a JWK (RFC 7517, section 4; RFC 7518, 6.2.1 and 6.3.1). The caller has set `kid`.
 * @return JOSE_OK, JOSE_KEY_UNUSABLE or JOSE_INTERNAL
 */
jose_status jose_jwk_read(jose_key *key, const json_t *jwk, apr_pool_t *pool);

#endif
