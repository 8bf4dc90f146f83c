/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include <jansson.h>

#include "jose/jose.h"

/** The longest compact JWS that is decoded, in bytes. */
#define JOSE_JWS_MAX_LENGTH 16384

/** A decoded compact JWS. Nothing in it has been verified. Everything lives as long as the pool it came from. */
typedef struct jose_jws {
    jose_slice signing_input; /**< `header.payload` as received; points into the token's own text */
    json_t *header;           /**< always an object */
    json_t *payload;          /**< always an object */
    const unsigned char *signature;
    apr_size_t signature_len; /**< in bytes; may be 0 */
} jose_jws;

/**
 * Decode a compact JWS whose payload is a JSON object (RFC 7515, 7.1; RFC 7519): exactly three parts, each
 * canonical base64url, header and payload strict JSON objects. The token's text must outlive the result.
 * @param pjws the decoded token, from @a pool; NULL unless JOSE_OK
 * @return JOSE_OK, JOSE_MALFORMED or JOSE_TOO_LARGE (over JOSE_JWS_MAX_LENGTH bytes, or nested too deep)
 */
jose_status jose_jws_decode(jose_jws **pjws, jose_slice token, apr_pool_t *pool);

#endif
