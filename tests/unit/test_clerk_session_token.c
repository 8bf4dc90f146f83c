/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include "clerk/session/session_token.h"

#define NOW APR_INT64_C(1700000000)
#define SKEW apr_time_from_sec(5)
#define HEADER "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"ins_1\"}"
#define PAYLOAD "{\"sub\":\"user_1\",\"sid\":\"sess_1\",\"exp\":1700000060}"

/* Made once, because making RSA keys is slow. */
static apr_pool_t *group_pool;
static EVP_PKEY *key_1, *key_2, *ec_key;
static jose_keyset *set_1;     /* ins_1: key_1; ins_ec: EC; ins_enc: `use` enc; ins_512: `alg` RS512 */
static jose_keyset *set_2;     /* ins_1 with key_2, and ins_2: key_2 */
static jose_keyset *set_other; /* ins_other only */
static jose_keyset *set_pem;   /* key_1 for any kid */

static int keys_setup(void **state)
{
    char *pem, *jwks;

    if (jose_fixture_group_setup(state) != 0 || apr_pool_create(&group_pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    key_1 = make_rsa(2048, group_pool);
    key_2 = make_rsa(2048, group_pool);
    ec_key = make_ec("P-256", group_pool);
    jwks = apr_pstrcat(group_pool, make_jwk(key_1, "ins_1", ",\"alg\":\"RS256\",\"use\":\"sig\"", group_pool), ",",
                       make_jwk(ec_key, "ins_ec", "", group_pool), ",",
                       make_jwk(key_1, "ins_enc", ",\"use\":\"enc\"", group_pool), ",",
                       make_jwk(key_1, "ins_512", ",\"alg\":\"RS512\"", group_pool), ",",
                       make_jwk(key_1, "ins_any", "", group_pool), NULL);
    set_1 = parse_jwks(make_jwks(jwks, group_pool), group_pool);
    jwks = apr_pstrcat(group_pool, make_jwk(key_2, "ins_1", "", group_pool), ",",
                       make_jwk(key_2, "ins_2", "", group_pool), NULL);
    set_2 = parse_jwks(make_jwks(jwks, group_pool), group_pool);
    set_other = parse_jwks(make_jwks(make_jwk(key_2, "ins_other", "", group_pool), group_pool), group_pool);
    pem = public_pem(key_1, group_pool);
    return jose_pem_keyset(&set_pem, pem, strlen(pem), NULL, group_pool) == JOSE_OK ? 0 : -1;
}

static int keys_teardown(void **state)
{
    apr_pool_destroy(group_pool);
    return jose_fixture_group_teardown(state);
}

/* The n-th result of the fake key store, and the expected arguments of the call. */
typedef struct answer {
    clerk_keys_want want;
    clerk_keys_status status;
    jose_keyset **set;
} answer;

typedef struct fake_keys {
    const answer *answers;
    int count;
    int asked;
    int pinned;
} fake_keys;

static clerk_keys_status fake_acquire(void *baton, clerk_keys_pin *pin, clerk_keys_want want, apr_uint32_t seen,
                                      apr_pool_t *pool)
{
    fake_keys *fake = baton;
    const answer *next = &fake->answers[fake->asked];

    assert_non_null(pool);
    assert_true(fake->asked < fake->count);
    assert_int_equal(fake->pinned, 0);
    assert_int_equal(want, next->want);
    assert_int_equal(seen, fake->asked ? 40 + fake->asked : 0);
    fake->asked++;
    if (next->status == CLERK_KEYS_OK) {
        pin->set = *next->set;
        pin->generation = 40 + (apr_uint32_t)fake->asked;
        fake->pinned++;
    }
    return next->status;
}

static void fake_release(void *baton, clerk_keys_pin *pin)
{
    ((fake_keys *)baton)->pinned--;
    memset(pin, 0xff, sizeof(*pin));
}

static clerk_services fake_services(fake_keys *fake)
{
    return (clerk_services){
        .baton = fake, .now = apr_time_from_sec(NOW), .acquire_keys = fake_acquire, .release_keys = fake_release};
}

#define assert_reason(actual, expected, name) check_reason(actual, expected, name, __FILE__, __LINE__)

static void check_reason(clerk_reason actual, clerk_reason expected, const char *name, const char *file, int line)
{
    if (actual != expected) {
        print_error("case '%s': got '%s', expected '%s'\n", name, clerk_reason_text(actual),
                    clerk_reason_text(expected));
        _fail(file, line);
    }
}

static clerk_reason verify_signature(const char *token, const answer *answers, int count, apr_pool_t *pool)
{
    fake_keys fake = {answers, count, 0, 0};
    clerk_services services = fake_services(&fake);
    clerk_reason reason
        = clerk_session_token_verify_signature(NULL, decode_token(token, pool), CLERK_TOKEN_SESSION, &services, pool);

    assert_int_equal(fake.pinned, 0);
    assert_int_equal(fake.asked, count);
    return reason;
}

/* Header members, as an object. Tokens are signed by key_1; one answer: set_1, or the PEM key. */
static void judges_by_header_and_key(void **state)
{
    static const struct {
        const char *header;
        const char *digest;
        clerk_reason jwks, pem;
    } cases[] = {
        {HEADER, "SHA256", CLERK_REASON_NONE, CLERK_REASON_NONE},
        {"{\"alg\":\"RS256\",\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_NONE, CLERK_REASON_NONE},
        {"{\"alg\":\"RS256\",\"kid\":\"ins_any\",\"cat\":7,\"x\":[]}", "SHA256", CLERK_REASON_NONE, CLERK_REASON_NONE},
        {"{\"alg\":\"RS256\"}", "SHA256", CLERK_REASON_JWK_KID_MISMATCH, CLERK_REASON_NONE},
        {"{\"alg\":\"RS512\",\"kid\":\"ins_any\"}", "SHA512", CLERK_REASON_NONE,
         CLERK_REASON_TOKEN_VERIFICATION_FAILED},
        {"{\"alg\":\"RS512\",\"kid\":\"ins_512\"}", "SHA512", CLERK_REASON_NONE,
         CLERK_REASON_TOKEN_VERIFICATION_FAILED},
        {"{\"alg\":\"RS512\",\"kid\":\"ins_1\"}", "SHA512", CLERK_REASON_TOKEN_VERIFICATION_FAILED,
         CLERK_REASON_TOKEN_VERIFICATION_FAILED},
        {"{\"alg\":\"RS256\",\"kid\":\"ins_enc\"}", "SHA256", CLERK_REASON_TOKEN_VERIFICATION_FAILED,
         CLERK_REASON_NONE},
        {"{\"alg\":\"RS256\",\"kid\":\"ins_ec\"}", "SHA256", CLERK_REASON_TOKEN_INVALID_ALGORITHM, CLERK_REASON_NONE},
        {"{\"alg\":\"ES256\",\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_TOKEN_INVALID_ALGORITHM,
         CLERK_REASON_TOKEN_INVALID_ALGORITHM},
        {"{\"alg\":\"HS256\",\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_TOKEN_INVALID_ALGORITHM,
         CLERK_REASON_TOKEN_INVALID_ALGORITHM},
        {"{\"alg\":\"none\",\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_TOKEN_INVALID_ALGORITHM,
         CLERK_REASON_TOKEN_INVALID_ALGORITHM},
        {"{\"alg\":null,\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_TOKEN_INVALID_ALGORITHM,
         CLERK_REASON_TOKEN_INVALID_ALGORITHM},
        {"{\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_TOKEN_INVALID_ALGORITHM, CLERK_REASON_TOKEN_INVALID_ALGORITHM},
        {"{\"alg\":\"RS256\",\"typ\":\"jwt\",\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_TOKEN_INVALID,
         CLERK_REASON_TOKEN_INVALID},
        {"{\"alg\":\"RS256\",\"typ\":null,\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_TOKEN_INVALID,
         CLERK_REASON_TOKEN_INVALID},
        {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_TOKEN_INVALID,
         CLERK_REASON_TOKEN_INVALID},
        /* `typ` comes before `alg`. */
        {"{\"alg\":\"none\",\"typ\":\"jwt\",\"kid\":\"ins_1\"}", "SHA256", CLERK_REASON_TOKEN_INVALID,
         CLERK_REASON_TOKEN_INVALID},
        /* An unknown key, but no newer set could change the result: only one call. */
        {"{\"alg\":\"none\",\"kid\":\"ins_2\"}", "SHA256", CLERK_REASON_JWK_KID_MISMATCH,
         CLERK_REASON_TOKEN_INVALID_ALGORITHM},
        {"{\"alg\":\"RS256\",\"typ\":\"jwt\",\"kid\":\"ins_2\"}", "SHA256", CLERK_REASON_JWK_KID_MISMATCH,
         CLERK_REASON_TOKEN_INVALID},
    };
    static const answer jwks = {CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1},
                        pem = {CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_pem};

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *token = make_token(key_1, cases[i].digest, cases[i].header, PAYLOAD, *state);

        assert_reason(verify_signature(token, &jwks, 1, *state), cases[i].jwks, cases[i].header);
        assert_reason(verify_signature(token, &pem, 1, *state), cases[i].pem, cases[i].header);
    }
}

static void refuses_some_headers_before_asking_for_keys(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"RS256\",\"kid\":7}",
        "{\"alg\":\"RS256\",\"kid\":null}",
        "{\"alg\":\"RS256\",\"kid\":[\"ins_1\"]}",
        "{\"alg\":\"RS256\",\"kid\":\"ins_1\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"none\",\"kid\":\"ins_2\",\"crit\":null}",
    };

    for (size_t i = 0; i < COUNT(headers); i++) {
        char *token = make_token(key_1, "SHA256", headers[i], PAYLOAD, *state);

        assert_reason(verify_signature(token, NULL, 0, *state), CLERK_REASON_TOKEN_INVALID, headers[i]);
    }
}

static void verifies_elliptic_curve_signatures(void **state)
{
    static const answer jwks = {CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1};
    char *token = make_token(ec_key, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"ins_ec\"}", PAYLOAD, *state);

    assert_reason(verify_signature(token, &jwks, 1, *state), CLERK_REASON_NONE, "ES256");
}

static void asks_for_newer_keys_at_most_once(void **state)
{
    static const char header_2[] = "{\"alg\":\"RS256\",\"kid\":\"ins_2\"}";
    static const struct {
        const char *name;
        const char *header;
        EVP_PKEY **signer;
        answer answers[2];
        int count;
        clerk_reason expected;
    } cases[] = {
        {"no keys",
         HEADER,
         &key_1,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_UNAVAILABLE, NULL}},
         1,
         CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD},
        {"no keys for us",
         HEADER,
         &key_1,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_REFUSED, NULL}},
         1,
         CLERK_REASON_SECRET_KEY_INVALID},
        {"no keys, odd answer",
         HEADER,
         &key_1,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_UNCHANGED, NULL}},
         1,
         CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD},
        {"new kid",
         header_2,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_UNKNOWN_KID, CLERK_KEYS_OK, &set_2}},
         2,
         CLERK_REASON_NONE},
        {"new kid, bad signature",
         header_2,
         &key_1,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_UNKNOWN_KID, CLERK_KEYS_OK, &set_2}},
         2,
         CLERK_REASON_TOKEN_INVALID_SIGNATURE},
        {"kid unknown twice",
         header_2,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_UNKNOWN_KID, CLERK_KEYS_OK, &set_other}},
         2,
         CLERK_REASON_JWK_KID_MISMATCH},
        {"unknown kid, nothing newer",
         header_2,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_UNKNOWN_KID, CLERK_KEYS_UNCHANGED, NULL}},
         2,
         CLERK_REASON_JWK_KID_MISMATCH},
        {"unknown kid, then no keys",
         header_2,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_UNKNOWN_KID, CLERK_KEYS_UNAVAILABLE, NULL}},
         2,
         CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD},
        {"unknown kid, then refused",
         header_2,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_UNKNOWN_KID, CLERK_KEYS_REFUSED, NULL}},
         2,
         CLERK_REASON_SECRET_KEY_INVALID},
        {"rotated under the same kid",
         HEADER,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_BAD_SIGNATURE, CLERK_KEYS_OK, &set_2}},
         2,
         CLERK_REASON_NONE},
        {"forged",
         HEADER,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_BAD_SIGNATURE, CLERK_KEYS_OK, &set_1}},
         2,
         CLERK_REASON_TOKEN_INVALID_SIGNATURE},
        {"forged, nothing newer",
         HEADER,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_BAD_SIGNATURE, CLERK_KEYS_UNCHANGED, NULL}},
         2,
         CLERK_REASON_TOKEN_INVALID_SIGNATURE},
        {"forged, then no keys",
         HEADER,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_BAD_SIGNATURE, CLERK_KEYS_UNAVAILABLE, NULL}},
         2,
         CLERK_REASON_TOKEN_INVALID_SIGNATURE},
        {"forged, then refused",
         HEADER,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_BAD_SIGNATURE, CLERK_KEYS_REFUSED, NULL}},
         2,
         CLERK_REASON_TOKEN_INVALID_SIGNATURE},
        {"key withdrawn",
         HEADER,
         &key_2,
         {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_BAD_SIGNATURE, CLERK_KEYS_OK, &set_other}},
         2,
         CLERK_REASON_JWK_KID_MISMATCH},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *token = make_token(*cases[i].signer, "SHA256", cases[i].header, PAYLOAD, *state);

        assert_reason(verify_signature(token, cases[i].answers, cases[i].count, *state), cases[i].expected,
                      cases[i].name);
    }
}

static void tells_other_token_types(void **state)
{
    static const struct {
        const char *header, *payload;
        int other;
        int unsigned_too; /* whether it is one without a signature too */
    } cases[] = {
        {"{}", "{\"sub\":\"user_1\",\"sid\":\"sess_1\"}", 0, 0},
        {"{\"cat\":\"" CLERK_CAT_SESSION "\"}", "{}", 0, 0},
        {"{\"cat\":\"" CLERK_CAT_IGNORE "\"}", "{\"sub\":7}", 0, 0},
        {"{\"cat\":\"" CLERK_CAT_TEMPLATE "\"}", "{}", 1, 1},
        {"{\"cat\":\"" CLERK_CAT_M2M "\"}", "{}", 1, 1},
        {"{\"cat\":\"\"}", "{}", 1, 1},
        {"{\"cat\":null}", "{}", 1, 1},
        {"{\"cat\":[\"" CLERK_CAT_SESSION "\"]}", "{}", 1, 1},
        {"{\"cat\":\"cl_X\"}", "{}", 1, 1},
        {"{\"typ\":\"JWT\"}", "{}", 0, 0},
        {"{\"typ\":\"AT+JWT\"}", "{}", 0, 0},
        {"{\"typ\":\"at+jwt\"}", "{}", 1, 0},
        {"{\"typ\":\"application/at+jwt\"}", "{}", 1, 0},
        {"{}", "{\"sub\":\"mch_\"}", 1, 0},
        {"{}", "{\"sub\":\"mch_1\"}", 1, 0},
        {"{}", "{\"sub\":\"mch\"}", 0, 0},
        {"{}", "{\"sub\":\"xmch_1\"}", 0, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int is_signed = 0; is_signed < 2; is_signed++) {
            char *token = apr_pstrcat(*state, make_signing_input(cases[i].header, cases[i].payload, *state),
                                      is_signed ? ".AA" : ".", NULL);

            if (clerk_session_token_is_other_type(decode_token(token, *state))
                != (is_signed ? cases[i].other : cases[i].unsigned_too)) {
                fail_msg("%s %s, %s", cases[i].header, cases[i].payload, is_signed ? "signed" : "unsigned");
            }
        }
    }
}

#define OK CLERK_REASON_NONE

static void verifies_session_tokens(void **state)
{
    static const struct {
        const char *header, *payload;
        int signer_2;  /* signed by key_2: a bad signature */
        int questions; /* calls of the key store */
        clerk_reason expected;
    } cases[] = {
        {HEADER, PAYLOAD, 0, 1, OK},
        {"{\"alg\":\"RS256\",\"kid\":\"ins_1\",\"cat\":\"" CLERK_CAT_TEMPLATE "\"}", PAYLOAD, 0, 0,
         CLERK_REASON_TOKEN_TYPE_MISMATCH},
        {"{\"alg\":\"RS256\",\"kid\":\"ins_1\",\"cat\":\"" CLERK_CAT_M2M "\"}", PAYLOAD, 0, 0,
         CLERK_REASON_TOKEN_TYPE_MISMATCH},
        {HEADER, "{\"sub\":\"user_1\",\"sid\":\"sess_1\",\"exp\":1}", 0, 1, CLERK_REASON_TOKEN_EXPIRED},
        {HEADER, "{\"sub\":\"\",\"exp\":1700000060}", 0, 1, CLERK_REASON_TOKEN_INVALID},
        /* The signature is checked before the claims: the reason tells the sender of a forged token nothing. */
        {HEADER, "{\"sub\":\"user_1\",\"sid\":\"sess_1\",\"exp\":1}", 1, 2, CLERK_REASON_TOKEN_INVALID_SIGNATURE},
    };
    static const answer answers[]
        = {{CLERK_KEYS_CURRENT, CLERK_KEYS_OK, &set_1}, {CLERK_KEYS_BAD_SIGNATURE, CLERK_KEYS_UNCHANGED, NULL}};
    clerk_instance instance = {0};
    clerk_policy policy = {.clock_skew = apr_time_from_sec(1000000000)};

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *token
            = make_token(cases[i].signer_2 ? key_2 : key_1, "SHA256", cases[i].header, cases[i].payload, *state);
        fake_keys fake = {answers, cases[i].questions, 0, 0};
        clerk_services services = fake_services(&fake);
        clerk_identity *identity = (clerk_identity *)&fake;

        assert_reason(clerk_session_token_verify(
                          &identity, clerk_session_token_read((jose_slice){token, strlen(token)}, &services, *state),
                          &instance, &policy, SKEW, &services, *state),
                      cases[i].expected, cases[i].payload);
        assert_int_equal(fake.asked, cases[i].questions);
        assert_int_equal(fake.pinned, 0);
        if (cases[i].expected == OK) {
            assert_string_equal(identity->user_id, "user_1");
        } else {
            assert_null(identity);
        }
    }
}

static void refuses_what_is_no_token(void **state)
{
    const char *input = make_signing_input(HEADER, PAYLOAD, *state);
    const char *const tokens[] = {
        "",
        "a.b.c",
        "mt_x",
        input,
        apr_pstrcat(*state, input, ".AA.AA", NULL),
        apr_pstrcat(*state, input, ".A+/=", NULL),
        apr_pstrcat(*state, make_signing_input(HEADER, "null", *state), ".AA", NULL),
        apr_pstrcat(*state, make_signing_input("null", PAYLOAD, *state), ".AA", NULL),
        apr_pstrcat(*state, make_signing_input(HEADER, "{\"sub\":\"a\",\"sub\":\"b\"}", *state), ".AA", NULL),
        apr_pstrcat(*state, make_signing_input(HEADER, "{\"sub\":\"a\\u0000b\"}", *state), ".AA", NULL),
        apr_pstrcat(*state, make_signing_input(HEADER, "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", *state), ".AA",
                    NULL),
    };
    clerk_instance instance = {0};
    clerk_policy policy = {0};
    fake_keys fake = {0};
    clerk_services services = fake_services(&fake);
    clerk_identity *identity;

    for (size_t i = 0; i < COUNT(tokens); i++) {
        assert_reason(clerk_session_token_verify(
                          &identity,
                          clerk_session_token_read((jose_slice){tokens[i], strlen(tokens[i])}, &services, *state),
                          &instance, &policy, SKEW, &services, *state),
                      CLERK_REASON_TOKEN_INVALID, tokens[i]);
        assert_null(identity);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(judges_by_header_and_key),
        fixture_test(refuses_some_headers_before_asking_for_keys),
        fixture_test(verifies_elliptic_curve_signatures),
        fixture_test(asks_for_newer_keys_at_most_once),
        fixture_test(tells_other_token_types),
        fixture_test(verifies_session_tokens),
        fixture_test(refuses_what_is_no_token),
    };

    return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
