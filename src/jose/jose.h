/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOSE_JOSE_H
#define JOSE_JOSE_H

/*
 * The types that all files of src/jose share. This layer implements JSON Web Signature, Key, Algorithms and Token (RFC
 * 7515 to 7519, RFC 8725). It knows nothing of Clerk, httpd or processes.
 */

#include <apr_pools.h>

/** A text given by pointer and length, which need not end in a NUL. It does not own the memory. */
typedef struct jose_slice {
    const char *data;
    apr_size_t len;
} jose_slice;

/** The result of decoding or verifying a token, a key or a key set. JOSE_OK is 0. */
typedef enum jose_status {
    JOSE_OK = 0,
    JOSE_MALFORMED,     /**< not strict base64url, JSON, compact JWS, JWK set or PEM */
    JOSE_TOO_LARGE,     /**< larger or deeper than the bound */
    JOSE_BAD_TYPE,      /**< `typ` is present and is not what was asked for */
    JOSE_BAD_ALGORITHM, /**< `alg` is absent, not supported, or of another family than the key */
    JOSE_CRITICAL,      /**< `crit` is present; this library understands no extension (RFC 7515, 4.1.11) */
    JOSE_NO_KEY,        /**< no key of that `kid` */
    JOSE_KEY_UNUSABLE,  /**< the key exists but may not or cannot verify this (`use`, `alg`, size, key data) */
    JOSE_BAD_SIGNATURE, /**< the signature was not made with that key */
    JOSE_INTERNAL       /**< memory or the crypto library failed */
} jose_status;

/** A short English text for a status, for logs. Never NULL. */
const char *jose_status_text(jose_status status);

/** One key. Immutable; may be used by several threads at once. */
typedef struct jose_key jose_key;

/** A parsed set of public keys. Immutable once made; may be used by several threads at once. */
typedef struct jose_keyset jose_keyset;

#endif
