/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include "clerk/session/claims.h"
#include "jose/json.h"

#define NOW APR_INT64_C(1700000000)
#define SKEW apr_time_from_sec(5)

#define assert_reason(actual, expected, name) check_reason(actual, expected, name, __FILE__, __LINE__)

static void check_reason(clerk_reason actual, clerk_reason expected, const char *name, const char *file, int line)
{
    if (actual != expected) {
        print_error("case '%s': got '%s', expected '%s'\n", name, clerk_reason_text(actual),
                    clerk_reason_text(expected));
        _fail(file, line);
    }
}

static json_t *parse(const char *text, apr_pool_t *pool)
{
    json_t *object;

    assert_status(jose_json_parse_object(&object, text, strlen(text), JOSE_JSON_MAX_DEPTH, pool), JOSE_OK, text);
    return object;
}

static const clerk_claims *claims_of(const char *text, apr_pool_t *pool)
{
    clerk_claims *claims = apr_palloc(pool, sizeof(*claims));

    clerk_claims_read(claims, parse(text, pool), pool);
    return claims;
}

static const apr_array_header_t *list_of(const char *words, apr_pool_t *pool)
{
    apr_array_header_t *list;
    char *copy, *last, *word;

    if (!words) {
        return NULL;
    }
    list = apr_array_make(pool, 2, sizeof(const char *));
    copy = apr_pstrdup(pool, words);
    for (word = apr_strtok(copy, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(list, const char *) = !strcmp(word, "EMPTY") ? "" : word;
    }
    return list;
}

static const char *own_origin(void *baton)
{
    (void)baton;
    return "https://own.com";
}

#define OK CLERK_REASON_NONE
#define FAILED CLERK_REASON_TOKEN_VERIFICATION_FAILED
#define AZP CLERK_REASON_TOKEN_INVALID_AUTHORIZED_PARTIES
#define ISS CLERK_REASON_TOKEN_INVALID_ISSUER
#define EXPIRED CLERK_REASON_TOKEN_EXPIRED
#define GOOD "\"sub\":\"u\",\"sid\":\"sess_1\",\"exp\":1700000060"

static void checks_claims_in_order(void **state)
{
    static const struct {
        const char *claims; /* without the braces */
        const char *audience, *parties, *issuers;
        clerk_reason expected;
    } cases[] = {
        {GOOD, NULL, NULL, NULL, OK},
        /* differences.md row 30: the shape of an OIDC id_token is no session */
        {"\"sub\":\"u\",\"exp\":1700000060", NULL, NULL, NULL, CLERK_REASON_TOKEN_INVALID},
        {"\"sub\":\"u\",\"sid\":\"\",\"exp\":1700000060", NULL, NULL, NULL, CLERK_REASON_TOKEN_INVALID},
        {"\"sub\":\"u\",\"sid\":null,\"exp\":1700000060", NULL, NULL, NULL, CLERK_REASON_TOKEN_INVALID},
        {"\"sub\":\"u\",\"sid\":7,\"exp\":1700000060", NULL, NULL, NULL, CLERK_REASON_TOKEN_INVALID},
        {"\"sub\":\"u\",\"exp\":1", NULL, NULL, NULL, CLERK_REASON_TOKEN_INVALID},
        {"\"sub\":7,\"sid\":\"\",\"exp\":1", NULL, NULL, NULL, FAILED},
        {"\"exp\":1700000060", NULL, NULL, NULL, FAILED},
        {"\"sub\":null,\"exp\":1700000060", NULL, NULL, NULL, FAILED},
        {"\"sub\":7,\"exp\":1700000060", NULL, NULL, NULL, FAILED},
        {"\"sub\":\"\",\"exp\":1700000060", NULL, NULL, NULL, CLERK_REASON_TOKEN_INVALID},
        {"\"sub\":\"a\\u000ab\",\"exp\":1700000060", NULL, NULL, NULL, CLERK_REASON_TOKEN_INVALID},
        {"\"sub\":\"a\\u007f\",\"exp\":1700000060", NULL, NULL, NULL, CLERK_REASON_TOKEN_INVALID},
        /* aud */
        {GOOD ",\"aud\":\"a\"", NULL, NULL, NULL, OK},
        {GOOD ",\"aud\":7", "", NULL, NULL, OK},
        {GOOD, "EMPTY", NULL, NULL, OK},
        {GOOD ",\"aud\":\"a\"", "a b", NULL, NULL, OK},
        {GOOD ",\"aud\":\"b\"", "a b", NULL, NULL, OK},
        {GOOD ",\"aud\":\"c\"", "a b", NULL, NULL, FAILED},
        {GOOD ",\"aud\":\"A\"", "a b", NULL, NULL, FAILED},
        {GOOD ",\"aud\":[\"c\",\"b\"]", "a b", NULL, NULL, OK},
        {GOOD ",\"aud\":[\"\",\"b\"]", "EMPTY b", NULL, NULL, OK},
        {GOOD ",\"aud\":[\"c\",\"d\"]", "a b", NULL, NULL, FAILED},
        {GOOD ",\"aud\":[\"\"]", "EMPTY b", NULL, NULL, FAILED},
        {GOOD ",\"aud\":[\"a\",7]", "a b", NULL, NULL, FAILED},
        {GOOD ",\"aud\":[[\"a\"]]", "a b", NULL, NULL, FAILED},
        {GOOD, "a", NULL, NULL, FAILED},
        {GOOD ",\"aud\":\"\"", "EMPTY a", NULL, NULL, FAILED},
        {GOOD ",\"aud\":[]", "a", NULL, NULL, FAILED},
        {GOOD ",\"aud\":null", "a", NULL, NULL, FAILED},
        {GOOD ",\"aud\":7", "a", NULL, NULL, FAILED},
        {GOOD ",\"aud\":{\"a\":\"a\"}", "a", NULL, NULL, FAILED},
        /* azp */
        {GOOD, NULL, "", NULL, OK},
        {GOOD ",\"azp\":\"https://x.com\"", NULL, NULL, NULL, OK},
        {GOOD ",\"azp\":\"https://x.com\"", NULL, "https://y.com https://x.com", NULL, OK},
        {GOOD ",\"azp\":\"https://x.com/\"", NULL, "https://x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://X.com\"", NULL, "https://x.com", NULL, AZP},
        {GOOD, NULL, "https://x.com", NULL, AZP},
        {GOOD ",\"azp\":\"\"", NULL, "EMPTY https://x.com", NULL, AZP},
        {GOOD ",\"azp\":[\"https://x.com\"]", NULL, "https://x.com", NULL, AZP},
        {GOOD ",\"azp\":null", NULL, "https://x.com", NULL, AZP},
        /* azp: patterns, for one whole label, and this site */
        {GOOD ",\"azp\":\"https://a.x.com\"", NULL, "https://*.x.com", NULL, OK},
        {GOOD ",\"azp\":\"https://a-1.x.com:8443\"", NULL, "https://y.com https://*.x.com:8443", NULL, OK},
        {GOOD ",\"azp\":\"https://x.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://.x.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://a.b.x.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://evil-x.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://evil.com/.x.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://evil.com#.x.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://a.x.com.evil.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://a.x.com:8443\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"http://a.x.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://A.x.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://*.x.com\"", NULL, "https://*.x.com", NULL, AZP},
        {GOOD ",\"azp\":\"https://own.com\"", NULL, "https://x.com own", NULL, OK},
        {GOOD ",\"azp\":\"https://x.com\"", NULL, "own https://x.com", NULL, OK},
        {GOOD ",\"azp\":\"https://other.com\"", NULL, "own", NULL, AZP},
        {GOOD ",\"azp\":\"own\"", NULL, "own", NULL, AZP},
        /* iss */
        {GOOD ",\"iss\":\"https://c\"", NULL, NULL, NULL, OK},
        {GOOD ",\"iss\":\"https://c\"", NULL, NULL, "https://b https://c", OK},
        {GOOD ",\"iss\":\"https://c/\"", NULL, NULL, "https://c", ISS},
        {GOOD ",\"iss\":\"https://c\"", NULL, NULL, "", ISS},
        {GOOD, NULL, NULL, "https://c", ISS},
        {GOOD ",\"iss\":[\"https://c\"]", NULL, NULL, "https://c", ISS},
        /* order */
        {"\"sub\":\"\"", "a", "p", "i", CLERK_REASON_TOKEN_INVALID},
        {"\"sub\":\"u\",\"sid\":\"sess_1\"", "a", "p", "i", FAILED},
        {"\"sub\":\"u\",\"sid\":\"sess_1\",\"exp\":1", NULL, "p", "i", AZP},
        {"\"sub\":\"u\",\"sid\":\"sess_1\",\"exp\":1,\"azp\":\"p\"", NULL, "p", "i", ISS},
        {"\"sub\":\"u\",\"sid\":\"sess_1\",\"exp\":1,\"azp\":\"p\",\"iss\":\"i\",\"nbf\":1800000000", NULL, "p", "i",
         EXPIRED},
        {GOOD ",\"nbf\":1800000000,\"iat\":1800000000", NULL, NULL, NULL, CLERK_REASON_TOKEN_NOT_ACTIVE_YET},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        clerk_instance instance = {.issuers = list_of(cases[i].issuers, *state)};
        clerk_policy policy
            = {.audience = list_of(cases[i].audience, *state), .authorized_parties = list_of(cases[i].parties, *state)};
        const clerk_party_site site = {own_origin, NULL};
        char *text = apr_pstrcat(*state, "{", cases[i].claims, "}", NULL);

        assert_reason(
            clerk_claims_check(claims_of(text, *state), &instance, &policy, SKEW, apr_time_from_sec(NOW), &site, NULL),
            cases[i].expected, text);
    }
}

static void checks_times(void **state)
{
    /* Skew and `late` are in microseconds; the clock is at NOW + late. */
    static const struct {
        const char *claim, *value;
        apr_interval_time_t skew, late;
        clerk_reason expected;
    } cases[] = {
        {"exp", "1699999996", SKEW, 0, OK},
        {"exp", "1699999995", SKEW, 0, EXPIRED},
        {"exp", "1699999995.9", SKEW, 0, EXPIRED},
        {"exp", "1700000000", 0, 0, EXPIRED},
        {"exp", "1700000000", 0, -1, OK},
        {"exp", "1700000000.0", 0, 1, EXPIRED},
        {"exp", "1700000001", 0, 0, OK},
        {"exp", "1699913601", apr_time_from_sec(86400), 0, OK},
        {"exp", "1699913600", apr_time_from_sec(86400), 0, EXPIRED},
        {"exp", "-1", SKEW, 0, EXPIRED},
        {"exp", "8640000000000", SKEW, 0, OK},
        {"exp", "-8640000000000", SKEW, 0, EXPIRED},
        {"exp", "8640000000000.5", SKEW, 0, OK},
        {"exp", "8640000000001", SKEW, 0, FAILED},
        {"exp", "8640000000001.0", SKEW, 0, FAILED},
        {"exp", "-8640000000001", SKEW, 0, FAILED},
        {"exp", "-0.0", SKEW, 0, EXPIRED},
        {"exp", "1.700000006e9", SKEW, 0, OK},
        {"exp", "[1700000060]", SKEW, 0, FAILED},
        {"exp", "1e300", SKEW, 0, FAILED},
        {"exp", "-1e300", SKEW, 0, FAILED},
        {"exp", "9223372036854775807", SKEW, 0, FAILED},
        {"exp", "\"1700000060\"", SKEW, 0, FAILED},
        {"exp", "null", SKEW, 0, FAILED},
        {"exp", "true", SKEW, 0, FAILED},
        {"nbf", "1700000005", SKEW, 0, OK},
        {"nbf", "1700000005.999", SKEW, 0, OK},
        {"nbf", "1700000005", SKEW, -1, CLERK_REASON_TOKEN_NOT_ACTIVE_YET},
        {"nbf", "1700000006", SKEW, 0, CLERK_REASON_TOKEN_NOT_ACTIVE_YET},
        {"nbf", "1700000000", 0, 0, OK},
        {"nbf", "null", SKEW, 0, FAILED},
        {"nbf", "\"1\"", SKEW, 0, FAILED},
        {"nbf", "1e300", SKEW, 0, FAILED},
        {"nbf", "-8640000000000", SKEW, 0, OK},
        {"iat", "1700000005", SKEW, 0, OK},
        {"iat", "1700000007", SKEW, 0, CLERK_REASON_TOKEN_IAT_IN_THE_FUTURE},
        {"iat", "null", SKEW, 0, FAILED},
        {"iat", "[]", SKEW, 0, FAILED},
        {"iat", "-1e300", SKEW, 0, FAILED},
    };
    clerk_instance instance = {0};
    clerk_policy policy = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *exp = !strcmp(cases[i].claim, "exp") ? "" : "\"exp\":1700000060,";
        char *text = apr_psprintf(*state, "{\"sub\":\"u\",\"sid\":\"sess_1\",%s\"%s\":%s}", exp, cases[i].claim,
                                  cases[i].value);

        assert_reason(clerk_claims_check(claims_of(text, *state), &instance, &policy, cases[i].skew,
                                         apr_time_from_sec(NOW) + cases[i].late, NULL, NULL),
                      cases[i].expected, text);
    }
}

static void tells_what_javascript_takes_for_false(void **state)
{
    static const struct {
        const char *claims;
        const char *issuer;
        int falsy;
    } cases[] = {
        {"{}", NULL, 1},
        {"{\"iss\":null}", NULL, 1},
        {"{\"iss\":false}", NULL, 1},
        {"{\"iss\":0}", NULL, 1},
        {"{\"iss\":-0.0}", NULL, 1},
        {"{\"iss\":\"\"}", "", 1},
        {"{\"iss\":\"a\"}", "a", 0},
        {"{\"iss\":true}", NULL, 0},
        {"{\"iss\":7}", NULL, 0},
        {"{\"iss\":0.5}", NULL, 0},
        {"{\"iss\":[]}", NULL, 0},
        {"{\"iss\":{}}", NULL, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const clerk_claims *claims = claims_of(cases[i].claims, *state);

        if (claims->issuer_is_falsy != cases[i].falsy) {
            fail_msg("%s", cases[i].claims);
        }
        if (cases[i].issuer) {
            assert_string_equal(claims->issuer, cases[i].issuer);
        } else {
            assert_null(claims->issuer);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(checks_claims_in_order),
        fixture_test(checks_times),
        fixture_test(tells_what_javascript_takes_for_false),
    };

    return cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
