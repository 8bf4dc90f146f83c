/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/key_private.h"

#include "jose/keyset.h"

#include <limits.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>

/*
 * The BEGIN and END lines are read here and not by PEM_read_bio(), because administrators paste keys into places that
 * lose line breaks. In the base64 text between these lines, all white space is ignored.
 */

#define DASHES "-----"
#define BEGIN DASHES "BEGIN "
#define END DASHES "END "

static jose_status refuse(const char **pwhy, const char *why, jose_status status)
{
    *pwhy = why;
    return status;
}

static int is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A copy that ends in a NUL, with line breaks instead of the two characters `\n` or `\r`. */
static char *unescape(const char *text, apr_size_t len, apr_pool_t *pool)
{
    char *copy = apr_palloc(pool, len + 1), *out = copy;

    for (apr_size_t i = 0; i < len; i++) {
        if (text[i] == '\\' && i + 1 < len && (text[i + 1] == 'n' || text[i + 1] == 'r')) {
            *out++ = '\n';
            i++;
        } else {
            *out++ = text[i];
        }
    }
    *out = '\0';
    return copy;
}

/* Find the text between the BEGIN and END lines. Text before and after, as from `openssl x509 -text`, is skipped. */
static jose_status unframe(char **pbody, char *text, const char **pwhy, apr_pool_t *pool)
{
    char *label = strstr(text, BEGIN), *body, *end;
    const char *end_line;

    if (strstr(text, "PRIVATE KEY" DASHES)) {
        return refuse(pwhy, "this is a private key; give the public key, and keep the private one off this server",
                      JOSE_KEY_UNUSABLE);
    }
    if (!label) {
        *pbody = text;
        return JOSE_OK;
    }
    label += strlen(BEGIN);
    body = strstr(label, DASHES);
    if (!body) {
        return refuse(pwhy, "the BEGIN line is not complete", JOSE_MALFORMED);
    }
    *body = '\0';
    body += strlen(DASHES);
    if (!strcmp(label, "RSA PUBLIC KEY")) {
        return refuse(pwhy, "a PKCS #1 key; convert it with 'openssl rsa -RSAPublicKey_in -pubout'", JOSE_MALFORMED);
    }
    if (strcmp(label, "PUBLIC KEY") && strcmp(label, "CERTIFICATE")) {
        return refuse(pwhy, "neither a PUBLIC KEY nor a CERTIFICATE", JOSE_MALFORMED);
    }

    end_line = apr_pstrcat(pool, END, label, DASHES, NULL);
    end = strstr(body, end_line);
    if (!end) {
        return refuse(pwhy, "the END line is missing or of another kind than the BEGIN line", JOSE_MALFORMED);
    }
    if (strstr(body, BEGIN)) {
        return refuse(pwhy, "more than one key or certificate", JOSE_MALFORMED);
    }
    *end = '\0';
    *pbody = body;
    return JOSE_OK;
}

/* Decode base64 with white space anywhere in it. NULL if it is not base64. */
static const unsigned char *decode(char *body, apr_size_t *plen, apr_pool_t *pool)
{
    char *in, *out = body;

    for (in = body; *in; in++) {
        if (!is_space(*in)) {
            *out++ = *in;
        }
    }
    *out = '\0';
    if (out == body) {
        return NULL;
    }
    return apr_pdecode_base64_binary(pool, body, out - body, APR_ENCODE_NONE, plen);
}

static jose_status rsa_from_pkey(jose_key *key, const EVP_PKEY *pkey, apr_pool_t *pool)
{
    BIGNUM *n = NULL, *e = NULL;
    jose_status status = JOSE_KEY_UNUSABLE;

    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1
        && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
        status = jose_key_set_rsa(key, n, e, pool);
    }
    BN_free(n);
    BN_free(e);
    return status;
}

static jose_status ec_from_pkey(jose_key *key, const EVP_PKEY *pkey, apr_pool_t *pool)
{
    unsigned char x_bytes[JOSE_P256_BYTES], y_bytes[JOSE_P256_BYTES];
    char group[32];
    BIGNUM *x = NULL, *y = NULL;
    jose_status status = JOSE_KEY_UNUSABLE;

    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) != 1
        || strcmp(group, "prime256v1")) {
        return jose_key_refuse(key, "an EC key of another curve than P-256");
    }
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1
        && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1
        && BN_bn2binpad(x, x_bytes, sizeof(x_bytes)) == (int)sizeof(x_bytes)
        && BN_bn2binpad(y, y_bytes, sizeof(y_bytes)) == (int)sizeof(y_bytes)) {
        status = jose_key_set_p256(key, x_bytes, y_bytes, pool);
    }
    BN_free(x);
    BN_free(y);
    return status;
}

/*
 * Read DER: SPKI, or a certificate, whose validity period is ignored because the administrator configured this key. A
 * private key is recognised only to say so.
 */
static EVP_PKEY *pkey_from_der(const unsigned char *der, long len, const char **pwhy, jose_status *pstatus)
{
    const unsigned char *at = der;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, len);

    if (!pkey) {
        X509 *certificate;

        at = der;
        certificate = d2i_X509(NULL, &at, len);
        pkey = X509_get_pubkey(certificate);
        X509_free(certificate);
    }
    if (pkey && at == der + len) {
        return pkey;
    }

    EVP_PKEY_free(pkey);
    at = der;
    pkey = d2i_AutoPrivateKey(NULL, &at, len);
    if (pkey) {
        *pstatus = refuse(pwhy, "this is a private key; give the public key, and keep the private one off this server",
                          JOSE_KEY_UNUSABLE);
    } else {
        *pstatus = refuse(pwhy, "not the data of a public key (SPKI) or an X.509 certificate", JOSE_MALFORMED);
    }
    EVP_PKEY_free(pkey);
    return NULL;
}

static jose_status key_from_der(jose_key *key, const unsigned char *der, apr_size_t len, const char **pwhy,
                                apr_pool_t *pool)
{
    jose_status status = JOSE_MALFORMED;
    EVP_PKEY *pkey;

    ERR_set_mark();
    pkey = pkey_from_der(der, (long)len, pwhy, &status);
    if (pkey) {
        if (EVP_PKEY_is_a(pkey, "RSA")) {
            key->only = jose_verify_find_algorithm("RS256");
            status = rsa_from_pkey(key, pkey, pool);
        } else if (EVP_PKEY_is_a(pkey, "EC")) {
            key->only = jose_verify_find_algorithm("ES256");
            status = ec_from_pkey(key, pkey, pool);
        } else {
            status = jose_key_refuse(key, "a key type other than RSA and EC");
        }
        if (status != JOSE_OK) {
            *pwhy = key->description ? key->description : "unusable: key data could not be read";
        }
    }
    EVP_PKEY_free(pkey);
    ERR_pop_to_mark();
    return status;
}

jose_status jose_pem_keyset(jose_keyset **pset, const char *pem, apr_size_t len, const char **pwhy, apr_pool_t *pool)
{
    const char *unheard;
    const unsigned char *der;
    jose_keyset *set;
    apr_size_t der_len;
    char *body;
    jose_status status;

    *pset = NULL;
    if (!pwhy) {
        pwhy = &unheard;
    }
    *pwhy = NULL;
    if (len == 0 || memchr(pem, '\0', len)) {
        return refuse(pwhy, "empty, or not a text", JOSE_MALFORMED);
    }
    status = unframe(&body, unescape(pem, len, pool), pwhy, pool);
    if (status != JOSE_OK) {
        return status;
    }
    der = decode(body, &der_len, pool);
    if (!der || der_len > LONG_MAX) {
        return refuse(pwhy, "not base64", JOSE_MALFORMED);
    }

    set = apr_pcalloc(pool, sizeof(*set));
    set->keys = apr_pcalloc(pool, sizeof(*set->keys));
    set->count = 1;
    set->any_kid = 1;
    status = key_from_der(&set->keys[0], der, der_len, pwhy, pool);
    if (status == JOSE_OK) {
        *pset = set;
    }
    return status;
}
