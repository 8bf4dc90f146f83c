/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOSE_KEY_PRIVATE_H
#define JOSE_KEY_PRIVATE_H

/* What the files that implement keyset.h share. Included only by them and by their tests. */

#include <stdatomic.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "jose/jose.h"

/** Bytes of a P-256 coordinate, and of each half of an ES256 signature. */
#define JOSE_P256_BYTES 32

/** The largest number of algorithms in a family. */
#define JOSE_FAMILY_ALGORITHMS 3
/** How many contexts are kept for a key and algorithm. More verifications at the same time make their own. */
#define JOSE_VERIFIERS 8

/** The key type. Using a key of one type with an algorithm for another is a classic attack (RFC 8725, 2.1). */
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
    unsigned int variant; /**< its index in the family, below JOSE_FAMILY_ALGORITHMS */
} jose_algorithm;

/**
 * OpenSSL's contexts for one key and algorithm, both NULL until first used. They are kept because creating them takes a
 * large part of the time of a verification. Only the thread that has set `taken` may use the other members.
 */
typedef struct jose_verifier {
    EVP_MD_CTX *digest;
    EVP_PKEY_CTX *pkey;
    atomic_bool taken;
} jose_verifier;

struct jose_key {
    const char *kid;            /* NULL for a PEM key */
    const char *description;    /* never NULL once the key has been filled in */
    const jose_algorithm *only; /* the only algorithm allowed for the key, or NULL for all of its family */
    EVP_PKEY *pkey;             /* NULL if the key is unusable */
    jose_verifier (*verifiers)[JOSE_VERIFIERS]; /* a row for each variant; NULL if the key is unusable */
    unsigned int position;                      /* index in the document's `keys` */
    jose_family family;
};

struct jose_keyset {
    jose_key *keys;
    unsigned int count;
    int any_kid; /* there is one key, which every `kid` finds */
};

/** The supported algorithm of that exact name, or NULL. */
const jose_algorithm *jose_verify_find_algorithm(const char *name);

/** Free the contexts of @a verifier, so that it can be filled again. */
void jose_verify_clear(jose_verifier *verifier);

/**
 * Set @a key to the RSA public key of modulus @a n and exponent @a e. A key that is too weak, too large or no RSA key
 * stays unusable, with the reason as its description.
 * @return JOSE_OK, JOSE_KEY_UNUSABLE or JOSE_INTERNAL
 */
jose_status jose_key_set_rsa(jose_key *key, const BIGNUM *n, const BIGNUM *e, apr_pool_t *pool);

/**
 * Set @a key to the P-256 public key of these coordinates, big endian, which must be a point of the curve.
 * @return JOSE_OK, JOSE_KEY_UNUSABLE or JOSE_INTERNAL
 */
jose_status jose_key_set_p256(jose_key *key, const unsigned char x[JOSE_P256_BYTES],
                              const unsigned char y[JOSE_P256_BYTES], apr_pool_t *pool);

/** Set the description of a key that stays unusable. @return JOSE_KEY_UNUSABLE */
jose_status jose_key_refuse(jose_key *key, const char *why);

/** Whether the `key_ops` of a JWK (RFC 7517, 4.3) are a list that has this operation. */
int jose_jwk_has_operation(const json_t *jwk, const char *operation);

/**
 * Fill @a key from a JWK (RFC 7517, section 4; RFC 7518, 6.2.1 and 6.3.1). The caller has set `kid`.
 * @return JOSE_OK, JOSE_KEY_UNUSABLE or JOSE_INTERNAL
 */
jose_status jose_jwk_read(jose_key *key, const json_t *jwk, apr_pool_t *pool);

#endif
