/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws.h"

#include <string.h>

#include "jose/base64url.h"
#include "jose/json.h"

/* Decode a base64url part that contains a JSON object. */
static jose_status decode_object(json_t **pobject, jose_slice part, apr_pool_t *pool)
{
    unsigned char *text;
    apr_size_t len;
    jose_status status = jose_base64url_decode(&text, &len, part, pool);

    if (status != JOSE_OK) {
        return status;
    }
    return jose_json_parse_object(pobject, (const char *)text, len, JOSE_JSON_MAX_DEPTH, pool);
}

jose_status jose_jws_decode(jose_jws **pjws, jose_slice token, apr_pool_t *pool)
{
    const char *end, *dot1, *dot2;
    jose_slice header, payload, signature;
    unsigned char *bytes;
    jose_jws *jws;
    jose_status status;

    *pjws = NULL;
    if (token.len > JOSE_JWS_MAX_LENGTH) {
        return JOSE_TOO_LARGE;
    }
    if (token.len == 0) {
        return JOSE_MALFORMED;
    }

    end = token.data + token.len;
    dot1 = memchr(token.data, '.', token.len);
    if (!dot1) {
        return JOSE_MALFORMED;
    }
    dot2 = memchr(dot1 + 1, '.', (apr_size_t)(end - dot1 - 1));
    if (!dot2) {
        return JOSE_MALFORMED;
    }
    header = (jose_slice){token.data, (apr_size_t)(dot1 - token.data)};
    payload = (jose_slice){dot1 + 1, (apr_size_t)(dot2 - dot1 - 1)};
    /* If there is a third dot it is in the signature part, where base64url does not allow it. */
    signature = (jose_slice){dot2 + 1, (apr_size_t)(end - dot2 - 1)};

    jws = apr_pcalloc(pool, sizeof(*jws));
    jws->signing_input = (jose_slice){token.data, (apr_size_t)(dot2 - token.data)};
    status = decode_object(&jws->header, header, pool);
    if (status != JOSE_OK) {
        return status;
    }
    status = decode_object(&jws->payload, payload, pool);
    if (status != JOSE_OK) {
        return status;
    }
    status = jose_base64url_decode(&bytes, &jws->signature_len, signature, pool);
    if (status != JOSE_OK) {
        return status;
    }
    jws->signature = bytes;
    *pjws = jws;
    return JOSE_OK;
}
