/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A compact JWS from outside: decode it, and verify it with the keys of RFC 7515, appendix A. The seeds have tokens
 * these keys signed, so mutations start behind the signature check.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "jose/jws.h"
#include "jose/keyset.h"

#define KEYS                                                                                                           \
    "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rsa\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPd"     \
    "dxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"     \
    "bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aG"     \
    "hyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"},{\"kty\":\"EC\",\"k"     \
    "id\":\"ec\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_t"     \
    "ue659LNpXW6pCyStikYjKIWI5a0\"}]}"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (apr_initialize() != APR_SUCCESS) {
        abort();
    }
    return 0;
}

static void verify(const jose_jws *jws, apr_pool_t *pool)
{
    jose_status check = jose_verify_check_algorithm(jws);
    jose_keyset *set;
    unsigned int i;

    if (jose_keyset_parse(&set, KEYS, strlen(KEYS), pool) != JOSE_OK) {
        abort();
    }
    for (i = 0; i < jose_keyset_count(set); i++) {
        jose_status status = jose_verify(jws, jose_keyset_at(set, i));

        /* Without an algorithm there is no other verdict. */
        if (check != JOSE_OK && status != JOSE_BAD_ALGORITHM) {
            abort();
        }
        if (status == JOSE_OK && json_object_get(jws->header, "crit")) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    jose_slice token = {(const char *)data, size};
    apr_pool_t *pool;
    jose_jws *jws;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        abort();
    }
    if (jose_jws_decode(&jws, token, pool) == JOSE_OK) {
        if (!json_is_object(jws->header) || !json_is_object(jws->payload) || size > JOSE_JWS_MAX_LENGTH) {
            abort();
        }
        verify(jws, pool);
    } else if (jws) {
        abort();
    }
    apr_pool_destroy(pool);
    return 0;
}
