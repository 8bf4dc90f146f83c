/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

int jose_fixture_group_setup(void **state)
{
    (void)state;
    return apr_initialize() == APR_SUCCESS ? 0 : -1;
}

int jose_fixture_group_teardown(void **state)
{
    (void)state;
    apr_terminate();
    return 0;
}

int jose_fixture_setup(void **state)
{
    return apr_pool_create((apr_pool_t **)state, NULL) == APR_SUCCESS ? 0 : -1;
}

int jose_fixture_teardown(void **state)
{
    /* An error left in the queue would be taken for an error of a TLS connection in the same thread. */
    unsigned long leftover = ERR_peek_error();

    apr_pool_destroy(*state);
    return leftover == 0 ? 0 : -1;
}

void jose_fixture_assert_status(jose_status actual, jose_status expected, const char *name, const char *file, int line)
{
    if (actual != expected) {
        print_error("case '%s': got '%s', expected '%s'\n", name, jose_status_text(actual), jose_status_text(expected));
        _fail(file, line);
    }
}

jose_slice slice(const char *text)
{
    return (jose_slice){text, strlen(text)};
}

static apr_status_t jose_fixture_free_pkey(void *pkey)
{
    EVP_PKEY_free(pkey);
    return APR_SUCCESS;
}

EVP_PKEY *jose_fixture_keep(EVP_PKEY *pkey, apr_pool_t *pool)
{
    assert_non_null(pkey);
    apr_pool_cleanup_register(pool, pkey, jose_fixture_free_pkey, apr_pool_cleanup_null);
    return pkey;
}

EVP_PKEY *make_rsa(size_t bits, apr_pool_t *pool)
{
    return jose_fixture_keep(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits), pool);
}

EVP_PKEY *make_ec(const char *curve, apr_pool_t *pool)
{
    return jose_fixture_keep(EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve), pool);
}

/* A number of a key, in base64url, at least `width` bytes wide. */
static char *key_number(EVP_PKEY *pkey, const char *name, int width, apr_pool_t *pool)
{
    BIGNUM *bn = NULL;
    unsigned char bytes[2048];
    int len;

    assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &bn), 1);
    len = BN_num_bytes(bn) > width ? BN_num_bytes(bn) : width;
    assert_int_equal(BN_bn2binpad(bn, bytes, len), len);
    BN_free(bn);
    return jose_base64url_encode(bytes, (apr_size_t)len, pool);
}

char *make_jwk(EVP_PKEY *pkey, const char *kid, const char *more, apr_pool_t *pool)
{
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        return apr_psprintf(pool, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"%s}", kid,
                            key_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0, pool),
                            key_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0, pool), more);
    }
    return apr_psprintf(pool, "{\"kty\":\"EC\",\"kid\":\"%s\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"%s}", kid,
                        key_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, 32, pool),
                        key_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, 32, pool), more);
}

char *make_jwks(const char *jwk, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "{\"keys\":[", jwk, "]}", NULL);
}

jose_keyset *parse_jwks(const char *text, apr_pool_t *pool)
{
    jose_keyset *set;

    assert_status(jose_keyset_parse(&set, text, strlen(text), pool), JOSE_OK, text);
    return set;
}

const jose_key *parse_jwk(const char *jwk, apr_pool_t *pool)
{
    return jose_keyset_at(parse_jwks(make_jwks(jwk, pool), pool), 0);
}

char *make_signing_input(const char *header, const char *payload, apr_pool_t *pool)
{
    return apr_pstrcat(pool, jose_base64url_encode(header, strlen(header), pool), ".",
                       jose_base64url_encode(payload, strlen(payload), pool), NULL);
}

/* Convert an ECDSA signature from DER to the 64 bytes of RFC 7518, 3.4. */
static void raw_ecdsa(unsigned char raw[64], const unsigned char *der, size_t len)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);

    assert_non_null(sig);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32), 32);
    ECDSA_SIG_free(sig);
}

char *make_token(EVP_PKEY *pkey, const char *digest, const char *header, const char *payload, apr_pool_t *pool)
{
    char *input = make_signing_input(header, payload, pool);
    unsigned char signature[1024], raw[64];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, pkey, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &len, (unsigned char *)input, strlen(input)), 1);
    EVP_MD_CTX_free(ctx);
    if (EVP_PKEY_is_a(pkey, "EC")) {
        raw_ecdsa(raw, signature, len);
        return apr_pstrcat(pool, input, ".", jose_base64url_encode(raw, sizeof(raw), pool), NULL);
    }
    return apr_pstrcat(pool, input, ".", jose_base64url_encode(signature, len, pool), NULL);
}

jose_jws *decode_token(const char *token, apr_pool_t *pool)
{
    jose_jws *jws;

    assert_status(jose_jws_decode(&jws, slice(token), pool), JOSE_OK, token);
    return jws;
}

char *bio_text(BIO *bio, apr_pool_t *pool)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = apr_pstrmemdup(pool, data, (apr_size_t)len);

    BIO_free(bio);
    return text;
}

char *public_pem(EVP_PKEY *pkey, apr_pool_t *pool)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    return bio_text(bio, pool);
}

char *private_pem(EVP_PKEY *pkey, apr_pool_t *pool)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    return bio_text(bio, pool);
}

char *certificate_pem(EVP_PKEY *pkey, apr_pool_t *pool)
{
    BIO *bio = BIO_new(BIO_s_mem());
    X509 *x509 = X509_new();
    X509_NAME *name;

    assert_non_null(x509);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), 3600));
    assert_int_equal(X509_set_pubkey(x509, pkey), 1);
    name = X509_get_subject_name(x509);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0), 1);
    assert_int_equal(X509_set_issuer_name(x509, name), 1);
    assert_true(X509_sign(x509, pkey, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
    X509_free(x509);
    return bio_text(bio, pool);
}
