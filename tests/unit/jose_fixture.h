/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOSE_FIXTURE_H
#define JOSE_FIXTURE_H

/* Keys and tokens for unit tests. Keys are made at run time. All results live as long as the pool. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <openssl/evp.h>

#include "jose/base64url.h"
#include "jose/jose.h"
#include "jose/jws.h"
#include "jose/keyset.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The payload of RFC 7515, appendix A, in base64url. */
#define RFC7515_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
/* RFC 7515, A.2. */
#define RFC7515_A2_N                                                                                                   \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-p"  \
    "CgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg" \
    "665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FR" \
    "WyuXpoQ"
#define RFC7515_A2_TOKEN                                                                                               \
    "eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD "."                                                                        \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7"  \
    "t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12" \
    "jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUP" \
    "QGe77Rw"
#define RFC7515_A2_JWK "{\"kty\":\"RSA\",\"kid\":\"a2\",\"n\":\"" RFC7515_A2_N "\",\"e\":\"AQAB\"}"
/* RFC 7515, A.3. */
#define RFC7515_A3_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define RFC7515_A3_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define RFC7515_A3_TOKEN                                                                                               \
    "eyJhbGciOiJFUzI1NiJ9." RFC7515_PAYLOAD "."                                                                        \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define RFC7515_A3_JWK                                                                                                 \
    "{\"kty\":\"EC\",\"kid\":\"a3\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\"}"

/* For cmocka_run_group_tests(). */
int jose_fixture_group_setup(void **state);
int jose_fixture_group_teardown(void **state);

/* A test whose state is a pool, and that must leave no error in OpenSSL's error queue. */
int jose_fixture_setup(void **state);
int jose_fixture_teardown(void **state);
#define fixture_test(function) cmocka_unit_test_setup_teardown(function, jose_fixture_setup, jose_fixture_teardown)

/* Compare two statuses; the message of a failure has the name of the case. */
#define assert_status(actual, expected, name) jose_fixture_assert_status(actual, expected, name, __FILE__, __LINE__)

void jose_fixture_assert_status(jose_status actual, jose_status expected, const char *name, const char *file, int line);

/* A text as a slice. */
jose_slice slice(const char *text);

/* Free a key with the pool. @return the key */
EVP_PKEY *jose_fixture_keep(EVP_PKEY *pkey, apr_pool_t *pool);

/* Make a key. */
EVP_PKEY *make_rsa(size_t bits, apr_pool_t *pool);
EVP_PKEY *make_ec(const char *curve, apr_pool_t *pool);

/* A JWK. `more` is further members with a leading comma, or "". */
char *make_jwk(EVP_PKEY *pkey, const char *kid, const char *more, apr_pool_t *pool);

/* A JWK set with one JWK. */
char *make_jwks(const char *jwk, apr_pool_t *pool);

/* Parse a JWK set, which must be good. */
jose_keyset *parse_jwks(const char *text, apr_pool_t *pool);

/* The key of a set with one JWK. */
const jose_key *parse_jwk(const char *jwk, apr_pool_t *pool);

/* The first two parts of a token: base64url(header).base64url(payload). */
char *make_signing_input(const char *header, const char *payload, apr_pool_t *pool);

/* A token signed with a digest, whatever `alg` the header has. EC signatures are raw (RFC 7518, 3.4). */
char *make_token(EVP_PKEY *pkey, const char *digest, const char *header, const char *payload, apr_pool_t *pool);

/* Decode a token, which must be well formed. */
jose_jws *decode_token(const char *token, apr_pool_t *pool);

/* The text in a BIO, which is freed. */
char *bio_text(BIO *bio, apr_pool_t *pool);

/* PEM forms of a key. The certificate is self-signed. */
char *public_pem(EVP_PKEY *pkey, apr_pool_t *pool);
char *private_pem(EVP_PKEY *pkey, apr_pool_t *pool);
char *certificate_pem(EVP_PKEY *pkey, apr_pool_t *pool);

#endif
