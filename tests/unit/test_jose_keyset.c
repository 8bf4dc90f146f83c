/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

/* RFC 7517, A.1, in full. */
#define RFC7517_A1                                                                                                     \
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":\"4"     \
    "Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"use\":\"enc\",\"kid\":\"1\"},{\"kty\":\"RSA\",\"n\":\"0vx7ago"     \
    "ebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"     \
    "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qM"     \
    "QvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8aw"     \
    "apJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}]}"

#define XY "\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\""
#define RSA_KEY(members) "{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"" RFC7515_A2_N "\"" members "}"
#define EC_KEY(members) "{\"kty\":\"EC\",\"kid\":\"k\"" members "}"

static void reads_rfc7517(void **state)
{
    jose_keyset *set = parse_jwks(RFC7517_A1, *state);
    const jose_key *key;

    assert_int_equal(jose_keyset_count(set), 2);
    key = jose_keyset_find(set, "1");
    assert_false(jose_key_usable(key));
    assert_string_equal(jose_key_description(key), "unusable: not for signatures (use or key_ops)");
    key = jose_keyset_find(set, "2011-04-29");
    assert_true(jose_key_usable(key));
    assert_string_equal(jose_key_description(key), "RSA 2048");
    assert_string_equal(jose_key_id(key), "2011-04-29");
    assert_ptr_equal(jose_keyset_at(set, 0), jose_keyset_find(set, "1"));
    assert_ptr_equal(jose_keyset_at(set, 1), key);
    assert_null(jose_keyset_find(set, "2"));
    assert_null(jose_keyset_find(set, ""));
    assert_null(jose_keyset_find(set, NULL));
}

/* One JWK each, with `kid` k. */
static const struct {
    const char *name, *jwk;
    int usable;
} keys[] = {
    {"RSA", RSA_KEY(",\"e\":\"AQAB\""), 1},
    {"RSA with use and alg", RSA_KEY(",\"e\":\"AQAB\",\"use\":\"sig\",\"alg\":\"RS256\""), 1},
    /* RFC 7517, 4.3 */
    {"RSA, key_ops verify", RSA_KEY(",\"e\":\"AQAB\",\"key_ops\":[\"verify\"]"), 1},
    {"RSA, key_ops verify among others", RSA_KEY(",\"e\":\"AQAB\",\"key_ops\":[7,\"sign\",\"verify\"]"), 1},
    {"RSA, key_ops sign only", RSA_KEY(",\"e\":\"AQAB\",\"key_ops\":[\"sign\"]"), 0},
    {"RSA, key_ops of encryption", RSA_KEY(",\"e\":\"AQAB\",\"use\":\"sig\",\"key_ops\":[\"encrypt\",\"wrapKey\"]"), 0},
    {"RSA, key_ops empty", RSA_KEY(",\"e\":\"AQAB\",\"key_ops\":[]"), 0},
    {"RSA, key_ops a text", RSA_KEY(",\"e\":\"AQAB\",\"key_ops\":\"verify\""), 0},
    {"RSA, key_ops null", RSA_KEY(",\"e\":\"AQAB\",\"key_ops\":null"), 0},
    {"RSA, key_ops in another case", RSA_KEY(",\"e\":\"AQAB\",\"key_ops\":[\"Verify\"]"), 0},
    {"RSA, e = 3", RSA_KEY(",\"e\":\"Aw\""), 1},
    {"RSA, e of 64 bits", RSA_KEY(",\"e\":\"gAAAAAAAAAE\""), 1},
    {"RSA, unknown members", RSA_KEY(",\"e\":\"AQAB\",\"x5c\":[1],\"oth\":{}"), 1},
    {"RSA, private members are not read",
     RSA_KEY(",\"e\":\"AQAB\",\"d\":1,\"p\":null,\"q\":[],\"dp\":\"++\",\"qi\":{}"), 1},
    {"RSA, e = 1", RSA_KEY(",\"e\":\"AQ\""), 0},
    {"RSA, e = 0", RSA_KEY(",\"e\":\"AA\""), 0},
    {"RSA, e empty", RSA_KEY(",\"e\":\"\""), 0},
    {"RSA, e = 2", RSA_KEY(",\"e\":\"Ag\""), 0},
    {"RSA, e = 65536", RSA_KEY(",\"e\":\"AQAA\""), 0},
    {"RSA, e of 65 bits", RSA_KEY(",\"e\":\"AQAAAAAAAAAB\""), 0},
    {"RSA, e = n", RSA_KEY(",\"e\":\"" RFC7515_A2_N "\""), 0},
    {"RSA, e a number", RSA_KEY(",\"e\":65537"), 0},
    {"RSA, e padded", RSA_KEY(",\"e\":\"AQAB====\""), 0},
    {"RSA, e not canonical", RSA_KEY(",\"e\":\"Az\""), 0},
    {"RSA, no e", RSA_KEY(""), 0},
    {"RSA, no n", "{\"kty\":\"RSA\",\"kid\":\"k\",\"e\":\"AQAB\"}", 0},
    {"RSA, n empty", "{\"kty\":\"RSA\",\"kid\":\"k\",\"e\":\"AQAB\",\"n\":\"\"}", 0},
    {"RSA, n of one byte", "{\"kty\":\"RSA\",\"kid\":\"k\",\"e\":\"AQAB\",\"n\":\"Aw\"}", 0},
    {"RSA, n even", "{\"kty\":\"RSA\",\"kid\":\"k\",\"e\":\"AQAB\",\"n\":\"" RFC7515_A2_N "AA\"}", 0},
    {"RSA, n of standard base64", "{\"kty\":\"RSA\",\"kid\":\"k\",\"e\":\"AQAB\",\"n\":\"++//\"}", 0},
    {"use enc", RSA_KEY(",\"e\":\"AQAB\",\"use\":\"enc\""), 0},
    {"use SIG", RSA_KEY(",\"e\":\"AQAB\",\"use\":\"SIG\""), 0},
    {"use empty", RSA_KEY(",\"e\":\"AQAB\",\"use\":\"\""), 0},
    {"use null", RSA_KEY(",\"e\":\"AQAB\",\"use\":null"), 0},
    {"use array", RSA_KEY(",\"e\":\"AQAB\",\"use\":[\"sig\"]"), 0},
    {"alg PS256", RSA_KEY(",\"e\":\"AQAB\",\"alg\":\"PS256\""), 0},
    {"alg RSA-OAEP", RSA_KEY(",\"e\":\"AQAB\",\"alg\":\"RSA-OAEP\""), 0},
    {"alg rs256", RSA_KEY(",\"e\":\"AQAB\",\"alg\":\"rs256\""), 0},
    {"alg none", RSA_KEY(",\"e\":\"AQAB\",\"alg\":\"none\""), 0},
    {"alg null", RSA_KEY(",\"e\":\"AQAB\",\"alg\":null"), 0},
    {"alg 256", RSA_KEY(",\"e\":\"AQAB\",\"alg\":256"), 0},
    {"alg of the other family", RSA_KEY(",\"e\":\"AQAB\",\"alg\":\"ES256\""), 0},
    {"EC", EC_KEY(",\"crv\":\"P-256\"," XY), 1},
    {"EC with use and alg", EC_KEY(",\"crv\":\"P-256\",\"use\":\"sig\",\"alg\":\"ES256\"," XY), 1},
    {"EC, private member is not read", EC_KEY(",\"crv\":\"P-256\",\"d\":false," XY), 1},
    {"EC, alg of the other family", EC_KEY(",\"crv\":\"P-256\",\"alg\":\"RS256\"," XY), 0},
    {"EC, alg ES384", EC_KEY(",\"crv\":\"P-256\",\"alg\":\"ES384\"," XY), 0},
    {"EC, no crv", EC_KEY("," XY), 0},
    {"EC, P-384", EC_KEY(",\"crv\":\"P-384\"," XY), 0},
    {"EC, secp256k1", EC_KEY(",\"crv\":\"secp256k1\"," XY), 0},
    {"EC, crv p-256", EC_KEY(",\"crv\":\"p-256\"," XY), 0},
    {"EC, swapped: not on the curve",
     EC_KEY(",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_Y "\",\"y\":\"" RFC7515_A3_X "\""), 0},
    {"EC, zero",
     EC_KEY(",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
            "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""),
     0},
    {"EC, x above p",
     EC_KEY(",\"crv\":\"P-256\",\"x\":\"__________________________________________8\",\"y\":\"" RFC7515_A3_Y "\""), 0},
    {"EC, no y", EC_KEY(",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\""), 0},
    {"EC, no x", EC_KEY(",\"crv\":\"P-256\",\"y\":\"" RFC7515_A3_Y "\""), 0},
    {"EC, x of 31 bytes",
     EC_KEY(",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"" RFC7515_A3_Y "\""), 0},
    {"EC, x of 33 bytes", EC_KEY(",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "A\",\"y\":\"" RFC7515_A3_Y "\""), 0},
    {"OKP", "{\"kty\":\"OKP\",\"kid\":\"k\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
     0},
    {"oct", "{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T\"}", 0},
    {"kty rsa", "{\"kty\":\"rsa\",\"kid\":\"k\",\"e\":\"AQAB\",\"n\":\"" RFC7515_A2_N "\"}", 0},
    {"kty missing", "{\"kid\":\"k\",\"e\":\"AQAB\",\"n\":\"" RFC7515_A2_N "\"}", 0},
    {"kty null", "{\"kty\":null,\"kid\":\"k\"}", 0},
    {"nothing but a kid", "{\"kid\":\"k\"}", 0},
};

static void tells_usable_from_unusable(void **state)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        char *both = make_jwks(apr_pstrcat(*state, keys[i].jwk, "," RFC7515_A2_JWK, NULL), *state);
        char *alone = make_jwks(keys[i].jwk, *state);
        jose_keyset *set = parse_jwks(both, *state);
        const jose_key *key = jose_keyset_find(set, "k");

        assert_non_null(key);
        if (jose_key_usable(key) != keys[i].usable) {
            print_error("case '%s': %s\n", keys[i].name, jose_key_description(key));
        }
        assert_int_equal(jose_key_usable(key), keys[i].usable);
        assert_int_equal(!strncmp(jose_key_description(key), "unusable: ", 10), !keys[i].usable);
        assert_int_equal(jose_keyset_count(set), 2);
        /* a set with an unusable key only */
        assert_status(jose_keyset_parse(&set, alone, strlen(alone), *state), keys[i].usable ? JOSE_OK : JOSE_MALFORMED,
                      keys[i].name);
        assert_int_equal(set != NULL, keys[i].usable);
    }
}

/* An RSA key whose modulus is odd and has that many bits. It need not be the product of two primes. */
static const char *rsa_of(int bits, apr_pool_t *pool)
{
    int len = (bits + 7) / 8;
    unsigned char *n = apr_palloc(pool, (apr_size_t)len);

    memset(n, 0x55, (size_t)len);
    n[0] = (unsigned char)(1 << (bits - 1) % 8);
    return apr_psprintf(pool, "{\"kty\":\"RSA\",\"kid\":\"%d\",\"e\":\"AQAB\",\"n\":\"%s\"}", bits,
                        jose_base64url_encode(n, (apr_size_t)len, pool));
}

static void bounds_the_modulus(void **state)
{
    static const struct {
        int bits, usable;
    } sizes[] = {{512, 0},  {1024, 0}, {2040, 0}, {2047, 0}, {2048, 1},  {2049, 1}, {3072, 1},
                 {4096, 1}, {8192, 1}, {8193, 0}, {8200, 0}, {16384, 0}, {65536, 0}};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *text = make_jwks(apr_pstrcat(*state, rsa_of(sizes[i].bits, *state), "," RFC7515_A2_JWK, NULL), *state);
        const jose_key *key = jose_keyset_at(parse_jwks(text, *state), 0);

        assert_string_equal(jose_key_id(key), apr_itoa(*state, sizes[i].bits));
        assert_int_equal(jose_key_usable(key), sizes[i].usable);
        if (sizes[i].usable) {
            assert_string_equal(jose_key_description(key), apr_psprintf(*state, "RSA %d", sizes[i].bits));
        }
    }
}

static const struct {
    const char *name, *text;
    jose_status status;
} documents[] = {
    {"empty", "", JOSE_MALFORMED},
    {"not JSON", "<html></html>", JOSE_MALFORMED},
    {"null", "null", JOSE_MALFORMED},
    {"an array", "[" RFC7515_A2_JWK "]", JOSE_MALFORMED},
    {"a bare JWK", RFC7515_A2_JWK, JOSE_MALFORMED},
    {"no keys member", "{}", JOSE_MALFORMED},
    {"keys null", "{\"keys\":null}", JOSE_MALFORMED},
    {"keys object", "{\"keys\":{\"a\":" RFC7515_A2_JWK "}}", JOSE_MALFORMED},
    {"keys string", "{\"keys\":\"x\"}", JOSE_MALFORMED},
    {"no key", "{\"keys\":[]}", JOSE_MALFORMED},
    {"an error body", "{\"errors\":[{\"code\":\"clerk_key_invalid\"}]}", JOSE_MALFORMED},
    {"duplicate keys member", "{\"keys\":[],\"keys\":[" RFC7515_A2_JWK "]}", JOSE_MALFORMED},
    {"duplicate names in a key", "{\"keys\":[{\"kid\":\"a\",\"kid\":\"b\",\"kty\":\"RSA\"}]}", JOSE_MALFORMED},
    {"trailing data", "{\"keys\":[" RFC7515_A2_JWK "]}x", JOSE_MALFORMED},
    {"cut off", "{\"keys\":[" RFC7515_A2_JWK, JOSE_MALFORMED},
    {"only kid-less keys", "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RFC7515_A2_N "\"}]}", JOSE_MALFORMED},
    {"kid a number", "{\"keys\":[{\"kid\":1,\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RFC7515_A2_N "\"}]}",
     JOSE_MALFORMED},
    {"kid null", "{\"keys\":[{\"kid\":null,\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RFC7515_A2_N "\"}]}",
     JOSE_MALFORMED},
    {"other things among the keys", "{\"keys\":[1,null,\"x\",[],{}," RFC7515_A2_JWK "]}", JOSE_OK},
    {"other members of the set", "{\"x\":[1],\"keys\":[" RFC7515_A2_JWK "],\"y\":null}", JOSE_OK},
    {"nested too deep", "{\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]],\"keys\":[" RFC7515_A2_JWK "]}", JOSE_TOO_LARGE},
};

static void judges_documents(void **state)
{
    for (size_t i = 0; i < COUNT(documents); i++) {
        const char *text = documents[i].text;
        jose_keyset *set;
        apr_size_t len;
        char *canonical;

        assert_status(jose_keyset_parse(&set, text, strlen(text), *state), documents[i].status, documents[i].name);
        assert_int_equal(set != NULL, documents[i].status == JOSE_OK);
        if (set) {
            assert_int_equal(jose_keyset_count(set), 1);
        }
        assert_status(jose_keyset_canonical(&canonical, &len, text, strlen(text), *state), documents[i].status,
                      documents[i].name);
        assert_int_equal(canonical != NULL, documents[i].status == JOSE_OK);
    }
}

static void bounds_the_number_of_keys(void **state)
{
    static const struct {
        int others;
        jose_status status;
    } cases[] = {{127, JOSE_OK}, {128, JOSE_TOO_LARGE}, {1000, JOSE_TOO_LARGE}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *list = RFC7515_A2_JWK, *text;
        jose_keyset *set;

        for (int n = 0; n < cases[i].others; n++) {
            list = apr_psprintf(*state, "%s,{\"kid\":\"k%d\"}", list, n);
        }
        text = make_jwks(list, *state);
        assert_status(jose_keyset_parse(&set, text, strlen(text), *state), cases[i].status, "number of keys");
        if (set) {
            assert_int_equal(jose_keyset_count(set), cases[i].others + 1);
        }
    }
}

static void takes_the_first_usable_of_one_kid(void **state)
{
    static const char *const unusable = "{\"kty\":\"OKP\",\"kid\":\"a2\"}";
    char *other = make_jwk(make_ec("P-256", *state), "a2", "", *state);
    const struct {
        const char *list, *description;
    } cases[] = {
        {apr_pstrcat(*state, RFC7515_A2_JWK, ",", other, NULL), "RSA 2048"},
        {apr_pstrcat(*state, other, ",", RFC7515_A2_JWK, NULL), "EC P-256"},
        {apr_pstrcat(*state, unusable, ",", RFC7515_A2_JWK, ",", other, NULL), "RSA 2048"},
        {apr_pstrcat(*state, unusable, ",", other, ",", unusable, ",", RFC7515_A2_JWK, NULL), "EC P-256"},
        {apr_pstrcat(*state, RFC7515_A2_JWK, ",", unusable, NULL), "RSA 2048"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        jose_keyset *set = parse_jwks(make_jwks(cases[i].list, *state), *state);

        assert_int_equal(jose_keyset_count(set), 1);
        assert_string_equal(jose_key_description(jose_keyset_find(set, "a2")), cases[i].description);
    }
}

static char *canonical(const char *text, apr_pool_t *pool)
{
    char *out;
    apr_size_t len;

    assert_status(jose_keyset_canonical(&out, &len, text, strlen(text), pool), JOSE_OK, text);
    assert_int_equal(strlen(out), len);
    return out;
}

#define A2_CANONICAL "{\"e\":\"AQAB\",\"kid\":\"a2\",\"kty\":\"RSA\",\"n\":\"" RFC7515_A2_N "\"}"
#define A3_CANONICAL                                                                                                   \
    "{\"crv\":\"P-256\",\"kid\":\"a3\",\"kty\":\"EC\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\"}"
#define BOTH_CANONICAL "{\"keys\":[" A2_CANONICAL "," A3_CANONICAL "]}"

static void equal_meaning_gives_equal_text(void **state)
{
    static const char *const same[] = {
        "{\"keys\":[" RFC7515_A2_JWK "," RFC7515_A3_JWK "]}",
        "{\"keys\":[" RFC7515_A3_JWK "," RFC7515_A2_JWK "]}",
        " {\r\n \"keys\" : [ " RFC7515_A3_JWK " ,\n" RFC7515_A2_JWK "\t] , \"issued\" : 5 } ",
        "{\"keys\":[" RFC7515_A2_JWK "," RFC7515_A3_JWK "," RFC7515_A2_JWK ",{\"kty\":\"RSA\"},7]}",
        "{\"keys\":[{\"n\":\"" RFC7515_A2_N "\",\"e\":\"\\u0041QAB\",\"x5t\":\"z\",\"d\":\"secret\",\"p\":\"secret\","
        "\"kid\":\"a2\",\"kty\":\"RSA\"}," RFC7515_A3_JWK "]}",
        BOTH_CANONICAL,
    };
    static const char *const different[] = {
        "{\"keys\":[" RFC7515_A2_JWK "]}",
        "{\"keys\":[" RFC7515_A3_JWK "]}",
        "{\"keys\":[" RFC7515_A2_JWK "," RFC7515_A3_JWK ",{\"kid\":\"z\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a2\",\"use\":\"enc\",\"n\":\"" RFC7515_A2_N
        "\",\"e\":\"AQAB\"}," RFC7515_A3_JWK "]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a2\",\"alg\":\"RS256\",\"n\":\"" RFC7515_A2_N
        "\",\"e\":\"AQAB\"}," RFC7515_A3_JWK "]}",
    };

    for (size_t i = 0; i < COUNT(same); i++) {
        assert_string_equal(canonical(same[i], *state), BOTH_CANONICAL);
    }
    for (size_t i = 0; i < COUNT(different); i++) {
        assert_string_not_equal(canonical(different[i], *state), BOTH_CANONICAL);
    }
}

/* The canonical text is a JWK set with the same keys, usable or not as before, and is canonical itself. */
static void canonical_text_keeps_the_meaning(void **state)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        char *text = make_jwks(apr_pstrcat(*state, keys[i].jwk, "," RFC7515_A2_JWK, NULL), *state);
        char *first = canonical(text, *state);
        jose_keyset *set = parse_jwks(first, *state);

        assert_string_equal(canonical(first, *state), first);
        assert_int_equal(jose_keyset_count(set), 2);
        assert_int_equal(jose_key_usable(jose_keyset_find(set, "k")), keys[i].usable);
        assert_true(jose_key_usable(jose_keyset_find(set, "a2")));
        assert_null(strstr(first, "\"k\":"));
        assert_null(strstr(first, "\"d\":"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(reads_rfc7517),
        fixture_test(tells_usable_from_unusable),
        fixture_test(bounds_the_modulus),
        fixture_test(judges_documents),
        fixture_test(bounds_the_number_of_keys),
        fixture_test(takes_the_first_usable_of_one_kid),
        fixture_test(equal_meaning_gives_equal_text),
        fixture_test(canonical_text_keeps_the_meaning),
    };

    return cmocka_run_group_tests_name("jose_keyset", tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
