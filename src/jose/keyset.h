/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOSE_KEYSET_H
#define JOSE_KEYSET_H

#include "jose/jose.h"
#include "jose/jws.h"

/** The smallest RSA modulus, in bits, that may verify a signature (RFC 7518, 3.3). */
#define JOSE_RSA_MIN_BITS 2048
/** The largest one, in bits: a huge modulus would make each verification very slow. */
#define JOSE_RSA_MAX_BITS 8192
/** The most keys a set may have; more is JOSE_TOO_LARGE. */
#define JOSE_KEYSET_MAX_KEYS 128

/**
 * Parse a JWK set (RFC 7517, section 5). Keys with a `kid` that cannot be used (other `kty` or curve, `use` other
 * than `sig`, weak or broken key data) stay in the set, so that a token with such a `kid` gets JOSE_KEY_UNUSABLE and
 * not JOSE_NO_KEY; keys without a `kid` are left out. Private members are never read. Supported: RSA (2048 to 8192
 * bits, odd exponent of at least 3) and EC P-256. Of keys with one `kid`, only the first usable one is kept (the first
 * one if none is usable).
 * @param pset the set, from @a pool; the EVP_PKEYs are freed by a cleanup of the pool
 * @return JOSE_OK; JOSE_MALFORMED (not a JWK set at all, or no usable key in it); JOSE_TOO_LARGE; JOSE_INTERNAL
 */
jose_status jose_keyset_parse(jose_keyset **pset, const char *json, apr_size_t len, apr_pool_t *pool);

/**
 * Make a set with one key, which every `kid` finds, from a PEM public key (SPKI) or an X.509 certificate, whose
 * validity period is ignored. Also accepted: bare base64 without the BEGIN/END lines, CRLF, literal `\n` sequences
 * instead of line breaks, leading and trailing white space. More than one key or certificate is JOSE_MALFORMED. An RSA
 * key verifies RS256 only, an EC P-256 key ES256 only (protocol.md 5.5).
 * @param pwhy if not NULL: on failure, a static text that says what is wrong
 * @return JOSE_OK, JOSE_MALFORMED, JOSE_KEY_UNUSABLE (weak, of an unsupported type, or a private key), JOSE_INTERNAL
 */
jose_status jose_pem_keyset(jose_keyset **pset, const char *pem, apr_size_t len, const char **pwhy, apr_pool_t *pool);

/**
 * The canonical text of a JWK set: compact, with sorted names, and with only the public members that matter (`kid kty
 * alg use n e crv x y`; null if such a member is not a string). One key for each `kid`, sorted by `kid`; keys without
 * `kid` are left out. Equivalent documents give the same text, and parsing the text gives the same keys.
 * Fails as jose_keyset_parse() does.
 */
jose_status jose_keyset_canonical(char **ptext, apr_size_t *plen, const char *json, apr_size_t len, apr_pool_t *pool);

/** The number of keys in the set, unusable ones included. */
unsigned int jose_keyset_count(const jose_keyset *set);
/** The i-th key, 0 <= i < count. */
const jose_key *jose_keyset_at(const jose_keyset *set, unsigned int i);
/** The key of that `kid`, or NULL. A set made from PEM has the same key for every `kid`, also for NULL. */
const jose_key *jose_keyset_find(const jose_keyset *set, const char *kid);

/** The key's `kid`, or NULL for a PEM key. */
const char *jose_key_id(const jose_key *key);
/** What the key is, such as "RSA 2048" or "EC P-256", or why it is unusable. For the status page; never NULL. */
const char *jose_key_description(const jose_key *key);
/** Whether the key is usable. */
int jose_key_usable(const jose_key *key);

/** JOSE_OK if the token's `alg` is RS256, RS384, RS512 or ES256; else JOSE_BAD_ALGORITHM. */
jose_status jose_verify_check_algorithm(const jose_jws *jws);

/**
 * Verify the signature (RFC 7515, 5.2; RFC 8725, 3.1): the algorithm must be supported and fit the key's type
 * (JOSE_BAD_ALGORITHM), the key must be usable and its `alg`, if it has one, must be the token's (JOSE_KEY_UNUSABLE).
 * ES256 signatures are the raw 64 bytes of RFC 7518, 3.4.
 * @return JOSE_OK, JOSE_BAD_ALGORITHM, JOSE_CRITICAL, JOSE_KEY_UNUSABLE, JOSE_BAD_SIGNATURE, JOSE_INTERNAL
 */
jose_status jose_verify(const jose_jws *jws, const jose_key *key);

#endif
