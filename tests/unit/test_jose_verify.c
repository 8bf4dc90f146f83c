/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include <openssl/ec.h>
#include <openssl/err.h>

/* RFC 7520, 3.4 and 4.1. The payload is not JSON, so the token is no JWT, but its signature is good. */
#define RFC7520_N                                                                                                      \
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2w"     \
    "qVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bT"     \
    "wJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5"     \
    "iaiQkqgc5gHdrNP5zw"
#define RFC7520_INPUT                                                                                                  \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXN"     \
    "zLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXI"     \
    "gZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
#define RFC7520_SIGNATURE                                                                                              \
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDk"     \
    "oBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9Uzp"     \
    "ERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogo"     \
    "ree7vjbU5y18kDquDg"

#define PAYLOAD "{\"sub\":\"user_1\",\"exp\":1}"

static jose_status verify(const char *token, const jose_key *key, apr_pool_t *pool)
{
    return jose_verify(decode_token(token, pool), key);
}

static void verifies_the_rfc_vectors(void **state)
{
    const jose_key *rsa = parse_jwk(RFC7515_A2_JWK, *state), *ec = parse_jwk(RFC7515_A3_JWK, *state);
    const jose_key *hobbit = parse_jwk("{\"kty\":\"RSA\",\"kid\":\"bilbo.baggins@hobbiton.example\",\"use\":\"sig\","
                                       "\"n\":\"" RFC7520_N "\",\"e\":\"AQAB\"}",
                                       *state);
    jose_jws cookbook = {0};
    unsigned char *bytes;

    assert_status(verify(RFC7515_A2_TOKEN, rsa, *state), JOSE_OK, "RFC 7515 A.2");
    assert_status(verify(RFC7515_A3_TOKEN, ec, *state), JOSE_OK, "RFC 7515 A.3");
    assert_status(verify(RFC7515_A2_TOKEN, hobbit, *state), JOSE_BAD_SIGNATURE, "A.2 with another key");

    assert_int_equal(jose_base64url_decode(&bytes, &cookbook.signature_len, slice(RFC7520_SIGNATURE), *state), JOSE_OK);
    cookbook.signature = bytes;
    cookbook.signing_input = slice(RFC7520_INPUT);
    cookbook.header = json_pack("{s:s}", "alg", "RS256");
    assert_status(jose_verify(&cookbook, hobbit), JOSE_OK, "RFC 7520 4.1");
    assert_status(jose_verify(&cookbook, rsa), JOSE_BAD_SIGNATURE, "RFC 7520 4.1 with another key");
    json_decref(cookbook.header);
}

static void verifies_every_supported_algorithm(void **state)
{
    static const char *const digests[][2] = {{"RS256", "SHA256"}, {"RS384", "SHA384"}, {"RS512", "SHA512"}};
    EVP_PKEY *rsa = make_rsa(2048, *state), *large = make_rsa(3072, *state), *ec = make_ec("P-256", *state);
    const jose_key *rsa_key = parse_jwk(make_jwk(rsa, "r", "", *state), *state);
    const jose_key *large_key = parse_jwk(make_jwk(large, "l", "", *state), *state);
    const jose_key *ec_key = parse_jwk(make_jwk(ec, "e", "", *state), *state);

    for (size_t i = 0; i < COUNT(digests); i++) {
        char *header = apr_psprintf(*state, "{\"alg\":\"%s\"}", digests[i][0]);

        assert_status(verify(make_token(rsa, digests[i][1], header, PAYLOAD, *state), rsa_key, *state), JOSE_OK,
                      header);
        assert_status(verify(make_token(large, digests[i][1], header, PAYLOAD, *state), large_key, *state), JOSE_OK,
                      header);
        assert_status(verify(make_token(large, digests[i][1], header, PAYLOAD, *state), rsa_key, *state),
                      JOSE_BAD_SIGNATURE, header);
        /* the hash is the one named in the header */
        assert_status(verify(make_token(rsa, digests[(i + 1) % 3][1], header, PAYLOAD, *state), rsa_key, *state),
                      JOSE_BAD_SIGNATURE, header);
    }
    /* sometimes r and s have leading zeros, which DER leaves out */
    for (size_t i = 0; i < 300; i++) {
        assert_status(verify(make_token(ec, "SHA256", "{\"alg\":\"ES256\"}", PAYLOAD, *state), ec_key, *state), JOSE_OK,
                      "ES256");
    }
}

/* HS256 with the public key, which attackers know, as the secret. */
static char *hmac_token(const char *header, const char *secret, apr_pool_t *pool)
{
    char *input = make_signing_input(header, PAYLOAD, pool);
    unsigned char mac[64];
    size_t len = 0;

    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, secret, strlen(secret), (unsigned char *)input,
                              strlen(input), mac, sizeof(mac), &len));
    return apr_pstrcat(pool, input, ".", jose_base64url_encode(mac, len, pool), NULL);
}

static void refuses_algorithm_confusion(void **state)
{
    EVP_PKEY *rsa = make_rsa(2048, *state), *ec = make_ec("P-256", *state);
    const jose_key *rsa_key = parse_jwk(make_jwk(rsa, "r", "", *state), *state);
    const jose_key *ec_key = parse_jwk(make_jwk(ec, "e", "", *state), *state);
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",    "{\"alg\":\"None\"}",
        "{\"alg\":\"\"}",        "{}",
        "{\"alg\":null}",        "{\"alg\":1}",
        "{\"alg\":[\"RS256\"]}", "{\"alg\":true}",
        "{\"alg\":\"HS256\"}",   "{\"alg\":\"rs256\"}",
        "{\"alg\":\"Rs256\"}",   "{\"alg\":\"RS256 \"}",
        "{\"alg\":\" RS256\"}",  "{\"alg\":\"RS2567\"}",
        "{\"alg\":\"RS25\"}",    "{\"alg\":\"PS256\"}",
        "{\"alg\":\"ES384\"}",   "{\"alg\":\"ES512\"}",
        "{\"alg\":\"ES256K\"}",  "{\"alg\":\"es256\"}",
        "{\"alg\":\"EdDSA\"}",   "{\"alg\":\"RSA-OAEP\"}",
        "{\"alg\":\"dir\"}",     "{\"ALG\":\"RS256\"}",
    };
    char *token;

    for (size_t i = 0; i < COUNT(headers); i++) {
        /* whether the signature is good or missing */
        token = make_token(rsa, "SHA256", headers[i], PAYLOAD, *state);
        assert_status(verify(token, rsa_key, *state), JOSE_BAD_ALGORITHM, headers[i]);
        assert_status(jose_verify_check_algorithm(decode_token(token, *state)), JOSE_BAD_ALGORITHM, headers[i]);
        token = make_token(ec, "SHA256", headers[i], PAYLOAD, *state);
        assert_status(verify(token, ec_key, *state), JOSE_BAD_ALGORITHM, headers[i]);
        token = apr_pstrcat(*state, make_signing_input(headers[i], PAYLOAD, *state), ".", NULL);
        assert_status(verify(token, rsa_key, *state), JOSE_BAD_ALGORITHM, headers[i]);
        assert_status(verify(token, ec_key, *state), JOSE_BAD_ALGORITHM, headers[i]);
    }

    token = hmac_token("{\"alg\":\"HS256\"}", public_pem(rsa, *state), *state);
    assert_status(verify(token, rsa_key, *state), JOSE_BAD_ALGORITHM, "HS256 with the PEM key");
    token = hmac_token("{\"alg\":\"RS256\"}", public_pem(rsa, *state), *state);
    assert_status(verify(token, rsa_key, *state), JOSE_BAD_SIGNATURE, "HMAC labelled RS256");

    token = make_token(ec, "SHA256", "{\"alg\":\"ES256\"}", PAYLOAD, *state);
    assert_status(verify(token, rsa_key, *state), JOSE_BAD_ALGORITHM, "ES256 token, RSA key");
    token = make_token(rsa, "SHA256", "{\"alg\":\"RS256\"}", PAYLOAD, *state);
    assert_status(verify(token, ec_key, *state), JOSE_BAD_ALGORITHM, "RS256 token, EC key");
    token = make_token(ec, "SHA256", "{\"alg\":\"RS256\"}", PAYLOAD, *state);
    assert_status(verify(token, ec_key, *state), JOSE_BAD_ALGORITHM, "EC signature labelled RS256, EC key");
    token = make_token(rsa, "SHA256", "{\"alg\":\"ES256\"}", PAYLOAD, *state);
    assert_status(verify(token, rsa_key, *state), JOSE_BAD_ALGORITHM, "RSA signature labelled ES256, RSA key");
    assert_status(verify(token, ec_key, *state), JOSE_BAD_SIGNATURE, "RSA signature labelled ES256, EC key");
}

static void checks_the_algorithm_alone(void **state)
{
    static const char *const good[] = {"RS256", "RS384", "RS512", "ES256"};

    for (size_t i = 0; i < COUNT(good); i++) {
        char *header = apr_psprintf(*state, "{\"alg\":\"%s\"}", good[i]);
        char *token = apr_pstrcat(*state, make_signing_input(header, "{}", *state), ".", NULL);

        assert_status(jose_verify_check_algorithm(decode_token(token, *state)), JOSE_OK, good[i]);
    }
}

static void honours_the_alg_of_the_key(void **state)
{
    EVP_PKEY *rsa = make_rsa(2048, *state);
    const jose_key *key = parse_jwk(make_jwk(rsa, "r", ",\"alg\":\"RS256\",\"use\":\"sig\"", *state), *state);
    const jose_key *other = parse_jwk(make_jwk(rsa, "r", ",\"alg\":\"RS512\"", *state), *state);

    assert_status(verify(make_token(rsa, "SHA256", "{\"alg\":\"RS256\"}", PAYLOAD, *state), key, *state), JOSE_OK,
                  "RS256, RS256");
    assert_status(verify(make_token(rsa, "SHA512", "{\"alg\":\"RS512\"}", PAYLOAD, *state), key, *state),
                  JOSE_KEY_UNUSABLE, "RS512, RS256");
    assert_status(verify(make_token(rsa, "SHA512", "{\"alg\":\"RS512\"}", PAYLOAD, *state), other, *state), JOSE_OK,
                  "RS512, RS512");
    assert_status(verify(make_token(rsa, "SHA256", "{\"alg\":\"RS256\"}", PAYLOAD, *state), other, *state),
                  JOSE_KEY_UNUSABLE, "RS256, RS512");
}

static void refuses_crit(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"RS256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"RS256\",\"crit\":[]}",
        "{\"alg\":\"RS256\",\"crit\":null}",
        "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}",
    };
    /* unknown members that are not critical */
    static const char *const harmless = "{\"alg\":\"RS256\",\"cat\":\"x\",\"oiat\":1}";
    EVP_PKEY *rsa = make_rsa(2048, *state);
    const jose_key *key = parse_jwk(make_jwk(rsa, "r", "", *state), *state);

    for (size_t i = 0; i < COUNT(headers); i++) {
        assert_status(verify(make_token(rsa, "SHA256", headers[i], PAYLOAD, *state), key, *state), JOSE_CRITICAL,
                      headers[i]);
    }
    assert_status(verify(make_token(rsa, "SHA256", harmless, PAYLOAD, *state), key, *state), JOSE_OK, harmless);
}

/* No bit of the signature or of the signing input can be changed. */
static void notices_every_change(void **state, const char *token, const jose_key *key)
{
    jose_jws *jws = decode_token(token, *state);
    unsigned char *signature = apr_pmemdup(*state, jws->signature, jws->signature_len);
    char *input = apr_pmemdup(*state, jws->signing_input.data, jws->signing_input.len);

    jws->signature = signature;
    jws->signing_input.data = input;
    assert_int_equal(jose_verify(jws, key), JOSE_OK);
    for (size_t i = 0; i < jws->signature_len; i++) {
        signature[i] ^= (unsigned char)(1 << i % 8);
        assert_int_equal(jose_verify(jws, key), JOSE_BAD_SIGNATURE);
        signature[i] ^= (unsigned char)(1 << i % 8);
    }
    for (size_t i = 0; i < jws->signing_input.len; i++) {
        input[i] ^= 1;
        assert_int_equal(jose_verify(jws, key), JOSE_BAD_SIGNATURE);
        input[i] ^= 1;
    }
    for (size_t i = 0; i < jws->signature_len; i++) {
        apr_size_t whole = jws->signature_len;

        jws->signature_len = i;
        assert_int_equal(jose_verify(jws, key), JOSE_BAD_SIGNATURE);
        jws->signature_len = whole;
    }
    signature = apr_pcalloc(*state, jws->signature_len + 300);
    memcpy(signature, jws->signature, jws->signature_len);
    for (size_t i = 1; i <= 300; i++) {
        jose_jws longer = *jws;

        longer.signature = signature;
        longer.signature_len += i;
        assert_int_equal(jose_verify(&longer, key), JOSE_BAD_SIGNATURE);
    }
    assert_int_equal(jose_verify(jws, key), JOSE_OK);
}

static void notices_every_change_rs256(void **state)
{
    notices_every_change(state, RFC7515_A2_TOKEN, parse_jwk(RFC7515_A2_JWK, *state));
}

static void notices_every_change_es256(void **state)
{
    notices_every_change(state, RFC7515_A3_TOKEN, parse_jwk(RFC7515_A3_JWK, *state));
}

static void refuses_odd_ecdsa_signatures(void **state)
{
    EVP_PKEY *ec = make_ec("P-256", *state);
    const jose_key *key = parse_jwk(make_jwk(ec, "e", "", *state), *state);
    jose_jws *jws = decode_token(make_token(ec, "SHA256", "{\"alg\":\"ES256\"}", PAYLOAD, *state), *state);
    unsigned char signature[80] = {0}, der[80], *end = der;
    const unsigned char *raw = jws->signature;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    int len;

    assert_int_equal(jose_verify(jws, key), JOSE_OK);
    /* DER instead of the raw form */
    ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
    len = i2d_ECDSA_SIG(sig, &end);
    ECDSA_SIG_free(sig);
    jws->signature = der;
    jws->signature_len = (apr_size_t)len;
    assert_int_equal(jose_verify(jws, key), JOSE_BAD_SIGNATURE);
    /* r = s = 0 (CVE-2022-21449), r = s = 2^256 - 1, one byte too many */
    jws->signature = signature;
    jws->signature_len = 64;
    assert_int_equal(jose_verify(jws, key), JOSE_BAD_SIGNATURE);
    memset(signature, 0xff, sizeof(signature));
    assert_int_equal(jose_verify(jws, key), JOSE_BAD_SIGNATURE);
    memcpy(signature, raw, 64);
    jws->signature_len = 65;
    assert_int_equal(jose_verify(jws, key), JOSE_BAD_SIGNATURE);
    jws->signature_len = 64;
    assert_int_equal(jose_verify(jws, key), JOSE_OK);
}

static void says_why_a_key_is_unusable(void **state)
{
    EVP_PKEY *weak = make_rsa(1024, *state);
    char *keys = apr_pstrcat(*state, make_jwk(weak, "weak", "", *state), ",{\"kty\":\"OKP\",\"kid\":\"okp\"}",
                             ",{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"p384\",\"x\":\"AA\",\"y\":\"AA\"},",
                             RFC7515_A2_JWK, NULL);
    jose_keyset *set = parse_jwks(make_jwks(keys, *state), *state);
    char *rs256 = make_token(weak, "SHA256", "{\"alg\":\"RS256\"}", PAYLOAD, *state);

    assert_status(verify(rs256, jose_keyset_find(set, "weak"), *state), JOSE_KEY_UNUSABLE, "RSA 1024");
    assert_status(verify(rs256, jose_keyset_find(set, "okp"), *state), JOSE_KEY_UNUSABLE, "OKP");
    assert_status(verify(RFC7515_A3_TOKEN, jose_keyset_find(set, "p384"), *state), JOSE_KEY_UNUSABLE, "P-384");
    assert_status(verify(rs256, jose_keyset_find(set, "p384"), *state), JOSE_BAD_ALGORITHM, "P-384, RS256");
    assert_status(verify(RFC7515_A3_TOKEN, jose_keyset_find(set, "weak"), *state), JOSE_BAD_ALGORITHM, "weak, ES256");
}

/* A failed verification must neither add to OpenSSL's error queue nor remove older errors. */
static void leaves_the_error_queue_alone(void **state)
{
    jose_jws *jws = decode_token(RFC7515_A2_TOKEN, *state);
    const jose_key *key = parse_jwk(RFC7515_A2_JWK, *state);

    ERR_raise(ERR_LIB_USER, 42);
    jws->signature_len = 255;
    assert_int_equal(jose_verify(jws, key), JOSE_BAD_SIGNATURE);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_get_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(verifies_the_rfc_vectors),     fixture_test(verifies_every_supported_algorithm),
        fixture_test(refuses_algorithm_confusion),  fixture_test(checks_the_algorithm_alone),
        fixture_test(honours_the_alg_of_the_key),   fixture_test(refuses_crit),
        fixture_test(notices_every_change_rs256),   fixture_test(notices_every_change_es256),
        fixture_test(refuses_odd_ecdsa_signatures), fixture_test(says_why_a_key_is_unusable),
        fixture_test(leaves_the_error_queue_alone),
    };

    return cmocka_run_group_tests_name("jose_verify", tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
