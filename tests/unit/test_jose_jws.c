/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include "jose/json.h"

#define H "eyJhbGciOiJSUzI1NiJ9" /* {"alg":"RS256"} */
#define E "e30"                  /* {} */

static const struct {
    const char *name, *token;
    jose_status status;
} cases[] = {
    {"RFC 7515 A.2", RFC7515_A2_TOKEN, JOSE_OK},
    {"RFC 7515 A.3", RFC7515_A3_TOKEN, JOSE_OK},
    {"empty objects",
     E "." E "."
       "AA",
     JOSE_OK},
    {"empty signature", H "." E ".", JOSE_OK},
    {"empty", "", JOSE_MALFORMED},
    {"one part", H, JOSE_MALFORMED},
    {"two parts", H "." E, JOSE_MALFORMED},
    {"four parts", H "." E ".AA.AA", JOSE_MALFORMED},
    {"four parts, last empty", H "." E ".AA.", JOSE_MALFORMED},
    {"five parts", H "." E ".AA.AA.AA", JOSE_MALFORMED},
    {"only dots", "..", JOSE_MALFORMED},
    {"one dot", ".", JOSE_MALFORMED},
    {"empty header", "." E ".AA", JOSE_MALFORMED},
    {"empty payload", H "..AA", JOSE_MALFORMED},
    {"leading dot", "." H "." E ".AA", JOSE_MALFORMED},
    {"header null", "bnVsbA." E ".AA", JOSE_MALFORMED},
    {"payload null", H ".bnVsbA.AA", JOSE_MALFORMED},
    {"header array", "W10." E ".AA", JOSE_MALFORMED},
    {"payload array", H ".W10.AA", JOSE_MALFORMED},
    {"payload number", H ".MQ.AA", JOSE_MALFORMED},
    {"payload string", H ".Inh5Ig.AA", JOSE_MALFORMED},
    {"payload text (RFC 7520, 4.1)", H ".SXTigJlz.AA", JOSE_MALFORMED},
    {"payload with BOM", H ".77u_e30.AA", JOSE_MALFORMED},
    {"padded header", H "=." E ".AA", JOSE_MALFORMED},
    {"padded payload", H ".e30=.AA", JOSE_MALFORMED},
    {"padded signature", H "." E ".AA==", JOSE_MALFORMED},
    {"left-over bits in the payload", H ".e31.AA", JOSE_MALFORMED},
    {"left-over bits in the signature", H "." E ".AB", JOSE_MALFORMED},
    {"standard alphabet in the signature", H "." E ".++//", JOSE_MALFORMED},
    {"leading space", " " H "." E ".AA", JOSE_MALFORMED},
    {"trailing space", H "." E ".AA ", JOSE_MALFORMED},
    {"line break", H ".\n" E ".AA", JOSE_MALFORMED},
    {"quoted", "\"" H "." E ".AA\"", JOSE_MALFORMED},
    {"duplicate header names", "eyJhbGciOiJub25lIiwiYWxnIjoiUlMyNTYifQ." E ".AA", JOSE_MALFORMED},
    {"garbage", "garbage", JOSE_MALFORMED},
    {"a.b.c", "a.b.c", JOSE_MALFORMED},
};

static void decodes_strictly(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        jose_jws *jws;

        assert_status(jose_jws_decode(&jws, slice(cases[i].token), *state), cases[i].status, cases[i].name);
        assert_int_equal(jws != NULL, cases[i].status == JOSE_OK);
    }
}

static void refuses_a_nul(void **state)
{
    static const char token[] = H "." E ".AA\0AA";
    jose_jws *jws;

    assert_int_equal(jose_jws_decode(&jws, (jose_slice){token, sizeof(token) - 1}, *state), JOSE_MALFORMED);
}

static void gives_what_the_rfc_says(void **state)
{
    const char *token = RFC7515_A2_TOKEN;
    jose_jws *jws = decode_token(token, *state);

    assert_string_equal(jose_json_string(jws->header, "alg"), "RS256");
    assert_string_equal(jose_json_string(jws->payload, "iss"), "joe");
    assert_int_equal(json_integer_value(json_object_get(jws->payload, "exp")), 1300819380);
    assert_true(json_is_true(json_object_get(jws->payload, "http://example.com/is_root")));
    assert_ptr_equal(jws->signing_input.data, token);
    assert_int_equal(jws->signing_input.len, strlen("eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD));
    assert_int_equal(jws->signature_len, 256);
    /* The first and last bytes of the signature in RFC 7515, A.2.1. */
    assert_memory_equal(jws->signature, "\x70\x2e\x21", 3);
    assert_memory_equal(jws->signature + 253, "\xee\xfb\x47", 3);
}

static void needs_no_nul_behind_the_token(void **state)
{
    const char text[] = H "." E ".AAtrailing";
    jose_jws *jws;

    assert_int_equal(jose_jws_decode(&jws, (jose_slice){text, strlen(H "." E ".AA")}, *state), JOSE_OK);
    assert_int_equal(jws->signature_len, 1);
}

/* A token of exactly `total` characters: the payload is an object with one long string. */
static char *long_token(size_t total, apr_pool_t *pool)
{
    size_t signature = 4, payload = total - strlen(H) - 2 - signature;

    while (payload % 4 == 1) {
        signature--;
        payload++;
    }
    assert_true(signature % 4 != 1);
    {
        size_t bytes = payload / 4 * 3 + (payload % 4 ? payload % 4 - 1 : 0);
        char *filler = apr_palloc(pool, bytes), *json;

        memset(filler, 'x', bytes);
        filler[bytes - strlen("{'a':''}")] = '\0';
        json = apr_pstrcat(pool, "{\"a\":\"", filler, "\"}", NULL);
        return apr_pstrcat(pool, H ".", jose_base64url_encode(json, bytes, pool), ".",
                           apr_pstrmemdup(pool, "AAAA", signature), NULL);
    }
}

static void bounds_the_length(void **state)
{
    char *fits = long_token(JOSE_JWS_MAX_LENGTH, *state), *over = long_token(JOSE_JWS_MAX_LENGTH + 1, *state);
    jose_jws *jws;

    assert_int_equal(strlen(fits), JOSE_JWS_MAX_LENGTH);
    assert_int_equal(strlen(over), JOSE_JWS_MAX_LENGTH + 1);
    assert_status(jose_jws_decode(&jws, slice(fits), *state), JOSE_OK, "16384 bytes");
    assert_status(jose_jws_decode(&jws, slice(over), *state), JOSE_TOO_LARGE, "16385 bytes");
}

static void bounds_the_nesting(void **state)
{
    const char *deep = "{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}";
    char *payload = apr_pstrcat(*state, make_signing_input("{}", deep, *state), ".", NULL);
    char *header = apr_pstrcat(*state, make_signing_input(deep, "{}", *state), ".", NULL);
    jose_jws *jws;

    assert_int_equal(jose_jws_decode(&jws, slice(payload), *state), JOSE_TOO_LARGE);
    assert_int_equal(jose_jws_decode(&jws, slice(header), *state), JOSE_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(decodes_strictly),        fixture_test(refuses_a_nul),
        fixture_test(gives_what_the_rfc_says), fixture_test(needs_no_nul_behind_the_token),
        fixture_test(bounds_the_length),       fixture_test(bounds_the_nesting),
    };

    return cmocka_run_group_tests_name("jose_jws", tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
