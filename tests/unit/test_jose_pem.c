/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include <openssl/core_names.h>

#define PAYLOAD "{\"sub\":\"user_1\"}"

static char *replace(const char *text, const char *what, const char *with, apr_pool_t *pool)
{
    char *out = apr_pstrdup(pool, ""), *rest = apr_pstrdup(pool, text), *hit;

    while ((hit = strstr(rest, what))) {
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, rest, (apr_size_t)(hit - rest)), with, NULL);
        rest = hit + strlen(what);
    }
    return apr_pstrcat(pool, out, rest, NULL);
}

/* The text between the BEGIN and END lines. */
static char *bare(const char *pem, apr_pool_t *pool)
{
    const char *start = strchr(pem, '\n') + 1;

    return apr_pstrmemdup(pool, start, (apr_size_t)(strstr(start, "-----END") - start));
}

static const jose_key *expect_key(const char *pem, const char *description, const char *name, apr_pool_t *pool)
{
    const char *why = "unset";
    jose_keyset *set;
    const jose_key *key;

    assert_status(jose_pem_keyset(&set, pem, strlen(pem), &why, pool), JOSE_OK, name);
    assert_null(why);
    assert_int_equal(jose_keyset_count(set), 1);
    key = jose_keyset_at(set, 0);
    assert_true(jose_key_usable(key));
    assert_null(jose_key_id(key));
    assert_string_equal(jose_key_description(key), description);
    assert_ptr_equal(jose_keyset_find(set, "anything"), key);
    assert_ptr_equal(jose_keyset_find(set, ""), key);
    assert_ptr_equal(jose_keyset_find(set, NULL), key);
    return key;
}

static void expect_refusal(const char *pem, jose_status status, const char *reason, const char *name, apr_pool_t *pool)
{
    const char *why = NULL;
    jose_keyset *set;

    assert_status(jose_pem_keyset(&set, pem, strlen(pem), &why, pool), status, name);
    assert_null(set);
    assert_non_null(why);
    if (!strstr(why, reason)) {
        print_error("case '%s': reason '%s'\n", name, why);
    }
    assert_non_null(strstr(why, reason));
    assert_status(jose_pem_keyset(&set, pem, strlen(pem), NULL, pool), status, name);
}

/* In every form, the key verifies its tokens. */
static void takes_every_form(EVP_PKEY *pkey, const char *token, const char *description, apr_pool_t *pool)
{
    const char *spki = public_pem(pkey, pool), *cert = certificate_pem(pkey, pool);
    const struct {
        const char *name, *pem;
    } forms[] = {
        {"SPKI", spki},
        {"certificate", cert},
        {"bare SPKI", bare(spki, pool)},
        {"bare SPKI in one line", replace(bare(spki, pool), "\n", "", pool)},
        {"bare certificate", bare(cert, pool)},
        {"CRLF", replace(spki, "\n", "\r\n", pool)},
        {"CR", replace(spki, "\n", "\r", pool)},
        {"literal \\n", replace(spki, "\n", "\\n", pool)},
        {"literal \\r\\n", replace(spki, "\n", "\\r\\n", pool)},
        {"literal \\n, bare", replace(bare(spki, pool), "\n", "\\n", pool)},
        {"literal \\n, certificate", replace(cert, "\n", "\\n", pool)},
        {"spaces for line breaks", replace(spki, "\n", " ", pool)},
        {"no line breaks", replace(spki, "\n", "", pool)},
        {"white space around", apr_pstrcat(pool, " \t\r\n\n", spki, " \n\t ", NULL)},
        {"white space around, bare", apr_pstrcat(pool, "\n ", bare(spki, pool), "\n\n", NULL)},
        {"indented", replace(spki, "\n", "\n    ", pool)},
        {"explanatory text", apr_pstrcat(pool, "Certificate:\n    Data: ...\n", cert, NULL)},
    };

    for (size_t i = 0; i < COUNT(forms); i++) {
        const jose_key *key = expect_key(forms[i].pem, description, forms[i].name, pool);

        assert_status(jose_verify(decode_token(token, pool), key), JOSE_OK, forms[i].name);
    }
}

static void takes_rsa(void **state)
{
    EVP_PKEY *pkey = make_rsa(2048, *state);
    const char *token = make_token(pkey, "SHA256", "{\"alg\":\"RS256\",\"kid\":\"ins_1\"}", PAYLOAD, *state);

    takes_every_form(pkey, token, "RSA 2048", *state);
}

static void takes_larger_rsa(void **state)
{
    EVP_PKEY *pkey = make_rsa(3072, *state);

    takes_every_form(pkey, make_token(pkey, "SHA256", "{\"alg\":\"RS256\"}", PAYLOAD, *state), "RSA 3072", *state);
}

static void takes_p256(void **state)
{
    EVP_PKEY *pkey = make_ec("P-256", *state);

    takes_every_form(pkey, make_token(pkey, "SHA256", "{\"alg\":\"ES256\"}", PAYLOAD, *state), "EC P-256", *state);
}

static void is_for_one_algorithm_only(void **state)
{
    EVP_PKEY *rsa = make_rsa(2048, *state), *ec = make_ec("P-256", *state);
    const jose_key *rsa_key = expect_key(public_pem(rsa, *state), "RSA 2048", "rsa", *state);
    const jose_key *ec_key = expect_key(public_pem(ec, *state), "EC P-256", "ec", *state);
    const struct {
        EVP_PKEY *pkey;
        const char *alg, *digest;
        const jose_key *key;
        jose_status status;
    } cases[] = {
        {rsa, "RS256", "SHA256", rsa_key, JOSE_OK},
        {rsa, "RS384", "SHA384", rsa_key, JOSE_KEY_UNUSABLE},
        {rsa, "RS512", "SHA512", rsa_key, JOSE_KEY_UNUSABLE},
        {rsa, "ES256", "SHA256", rsa_key, JOSE_BAD_ALGORITHM},
        {ec, "ES256", "SHA256", ec_key, JOSE_OK},
        {ec, "RS256", "SHA256", ec_key, JOSE_BAD_ALGORITHM},
        {ec, "ES256", "SHA256", rsa_key, JOSE_BAD_ALGORITHM},
        {rsa, "RS256", "SHA256", ec_key, JOSE_BAD_ALGORITHM},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *header = apr_psprintf(*state, "{\"alg\":\"%s\"}", cases[i].alg);
        char *token = make_token(cases[i].pkey, cases[i].digest, header, PAYLOAD, *state);

        assert_status(jose_verify(decode_token(token, *state), cases[i].key), cases[i].status, header);
    }
}

static void refuses_private_keys(void **state)
{
    EVP_PKEY *rsa = make_rsa(2048, *state), *ec = make_ec("P-256", *state);
    const char *text = private_pem(rsa, *state);
    char *traditional = replace(text, " PRIVATE", " RSA PRIVATE", *state);

    expect_refusal(text, JOSE_KEY_UNUSABLE, "private key", "PKCS #8", *state);
    expect_refusal(traditional, JOSE_KEY_UNUSABLE, "private key", "RSA PRIVATE KEY", *state);
    expect_refusal(replace(text, " PRIVATE", " ENCRYPTED PRIVATE", *state), JOSE_KEY_UNUSABLE, "private key",
                   "encrypted", *state);
    expect_refusal(bare(text, *state), JOSE_KEY_UNUSABLE, "private key", "bare PKCS #8", *state);
    expect_refusal(replace(text, "\n", "\\n", *state), JOSE_KEY_UNUSABLE, "private key", "literal \\n", *state);
    expect_refusal(private_pem(ec, *state), JOSE_KEY_UNUSABLE, "private key", "EC", *state);
    expect_refusal(bare(private_pem(ec, *state), *state), JOSE_KEY_UNUSABLE, "private key", "bare EC", *state);
    expect_refusal(apr_pstrcat(*state, public_pem(rsa, *state), text, NULL), JOSE_KEY_UNUSABLE, "private key",
                   "public and private key in one file", *state);
    expect_refusal(replace(text, " PRIVATE KEY", " PUBLIC KEY", *state), JOSE_KEY_UNUSABLE, "private key",
                   "private key labelled as a public one", *state);
}

static void refuses_weak_and_foreign_keys(void **state)
{
    EVP_PKEY *ed25519 = jose_fixture_keep(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *state);
    EVP_PKEY *weak = make_rsa(1024, *state);

    expect_refusal(public_pem(weak, *state), JOSE_KEY_UNUSABLE, "2048", "RSA 1024", *state);
    expect_refusal(certificate_pem(weak, *state), JOSE_KEY_UNUSABLE, "2048", "RSA 1024 certificate", *state);
    expect_refusal(public_pem(make_ec("P-384", *state), *state), JOSE_KEY_UNUSABLE, "P-256", "P-384", *state);
    expect_refusal(public_pem(make_ec("secp256k1", *state), *state), JOSE_KEY_UNUSABLE, "P-256", "secp256k1", *state);
    expect_refusal(public_pem(ed25519, *state), JOSE_KEY_UNUSABLE, "RSA and EC", "Ed25519", *state);
}

static void refuses_weak_exponents(void **state)
{
    static const unsigned long exponents[] = {1, 2, 65536};
    EVP_PKEY *rsa = make_rsa(2048, *state);

    for (size_t i = 0; i < COUNT(exponents); i++) {
        BIGNUM *n = NULL, *e = BN_new();
        unsigned char *n_bytes, e_bytes[4];
        OSSL_PARAM params[3];
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        EVP_PKEY *pkey = NULL;

        BN_set_word(e, exponents[i]);
        assert_int_equal(EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_N, &n), 1);
        n_bytes = apr_palloc(*state, 256);
        BN_bn2nativepad(n, n_bytes, 256);
        BN_bn2nativepad(e, e_bytes, 4);
        params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n_bytes, 256);
        params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e_bytes, 4);
        params[2] = OSSL_PARAM_construct_end();
        assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
        assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
        expect_refusal(public_pem(pkey, *state), JOSE_KEY_UNUSABLE, "exponent", "weak exponent", *state);
        EVP_PKEY_free(pkey);
        EVP_PKEY_CTX_free(ctx);
        BN_free(n);
        BN_free(e);
    }
}

static void refuses_a_point_off_the_curve(void **state)
{
    char *body = replace(bare(public_pem(make_ec("P-256", *state), *state), *state), "\n", "", *state);

    /* overwrite the last four bytes of y; it is all but impossible that they are the same */
    memcpy(body + strlen(body) - 8, "AAAAAA==", 9);
    expect_refusal(body, JOSE_MALFORMED, "SPKI", "off the curve", *state);
}

static void refuses_garbage(void **state)
{
    const char *spki = public_pem(make_rsa(2048, *state), *state);
    const char *ec = public_pem(make_ec("P-256", *state), *state);
    const struct {
        const char *name, *pem;
    } cases[] = {
        {"white space", " \n\t"},
        {"a word", "garbage"},
        {"a sentence", "this is not a key!"},
        {"a path", "/etc/apache2/clerk.pem"},
        {"base64 of nothing", "AAAA"},
        {"frame only", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"},
        {"BEGIN line only", "-----BEGIN PUBLIC KEY-----\n"},
        {"broken BEGIN line", "-----BEGIN PUBLIC KEY"},
        {"no END line", replace(spki, "-----END PUBLIC KEY-----", "", *state)},
        {"another END line", replace(spki, "END PUBLIC KEY", "END CERTIFICATE", *state)},
        {"another label", replace(spki, "PUBLIC KEY", "SOMETHING", *state)},
        {"label PKCS #1", replace(spki, "PUBLIC KEY", "RSA PUBLIC KEY", *state)},
        {"two keys", apr_pstrcat(*state, spki, ec, NULL)},
        {"two equal keys", apr_pstrcat(*state, spki, spki, NULL)},
        {"a character that is not base64", replace(spki, "MIIB", "MI*B", *state)},
        {"an escape that is none", replace(spki, "\n", "\\t", *state)},
        {"cut off", apr_pstrmemdup(*state, bare(spki, *state), 200)},
        {"data behind the key", replace(replace(bare(ec, *state), "\n", "", *state), "==", "AA", *state)},
        {"a JWK", RFC7515_A2_JWK},
    };
    jose_keyset *set;

    for (size_t i = 0; i < COUNT(cases); i++) {
        expect_refusal(cases[i].pem, JOSE_MALFORMED, "", cases[i].name, *state);
    }
    expect_refusal("", JOSE_MALFORMED, "empty", "empty", *state);
    assert_int_equal(jose_pem_keyset(&set, "MIIB\0IjAN", 9, NULL, *state), JOSE_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(takes_rsa),
        fixture_test(takes_larger_rsa),
        fixture_test(takes_p256),
        fixture_test(is_for_one_algorithm_only),
        fixture_test(refuses_private_keys),
        fixture_test(refuses_weak_and_foreign_keys),
        fixture_test(refuses_weak_exponents),
        fixture_test(refuses_a_point_off_the_curve),
        fixture_test(refuses_garbage),
    };

    return cmocka_run_group_tests_name("jose_pem", tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
