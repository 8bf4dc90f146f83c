/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include <openssl/core_names.h>

fixture_keys keys;

/* A token for the tables: signed with the good key unless `signed_by_other`. */
typedef struct fixture_token {
    const char *name;
    const char *header; /* further members, each followed by a comma, or "" */
    const char *claims; /* the whole payload */
    int signed_by_other;
} fixture_token;

static const fixture_token fixture_claims[] = {
    /* Production: S valid, X expired 100 s ago. iat of S is NOW-30. */
    {"S", "", "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"X", "", "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799999840, 1799999900), 0},
    {"X-no-sid", "", "{" LIVE_ISS "\"sub\":\"user_1\"," TIMES(1799999840, 1799999900), 0},
    {"X-bad-sid", "", "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"../x\"," TIMES(1799999840, 1799999900), 0},
    {"newer", "", "{" LIVE_ISS "\"sub\":\"user_newer\",\"sid\":\"sess_2\"," TIMES(1799999980, 1800000040), 0},
    {"no-iat", "", "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\",\"exp\":1800000030}", 0},
    {"real-iat", "", "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799999970.5, 1800000030), 0},
    {"text-iat", "", "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\",\"iat\":\"1\",\"exp\":1800000030}", 0},
    {"no-iss", "", "{\"sub\":\"user_noiss\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"empty-iss", "", "{\"iss\":\"\",\"sub\":\"user_noiss\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"zero-iss", "", "{\"iss\":0,\"sub\":\"user_noiss\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"false-iss", "", "{\"iss\":false,\"sub\":\"user_noiss\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"null-iss", "", "{\"iss\":null,\"sub\":\"user_noiss\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"number-iss", "", "{\"iss\":7,\"sub\":\"user_noiss\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"bare-iss", "",
     "{\"iss\":\"clerk.example.com\",\"sub\":\"user_bare\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"odd-iss", "",
     "{\"iss\":\"HTTP://clerk.https://example.com\",\"sub\":\"user_odd\",\"sid\":\"sess_1\"," TIMES(1799999970,
                                                                                                    1800000030),
     0},
    {"slash-iss", "",
     "{\"iss\":\"https://clerk.example.com/\",\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"foreign", "",
     "{\"iss\":\"https://clerk.other.com\",\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"sat", "",
     "{\"iss\":\"https://clerk.sat.dev\",\"sub\":\"user_sat\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"early", "",
     "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\",\"nbf\":1800000007,\"iat\":1799999970,\"exp\":1800000060}", 0},
    {"future", "", "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1800000007, 1800000060), 0},
    {"pending", "",
     "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\",\"sts\":\"pending\"," TIMES(1799999970, 1800000030), 0},
    {"org", "",
     "{" LIVE_ISS
     "\"sub\":\"user_1\",\"sid\":\"sess_1\",\"org_id\":\"org_1\",\"org_slug\":\"acme\"," TIMES(1799999970, 1800000030),
     0},
    {"template", "\"cat\":\"" CLERK_CAT_TEMPLATE "\",",
     "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"machine", "", "{" LIVE_ISS "\"sub\":\"mch_1\"," TIMES(1799999970, 1800000030), 0},
    {"forged", "", "{" LIVE_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 1},
    /* Development. */
    {"dev", "", "{" TEST_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799999970, 1800000030), 0},
    {"dev-expired", "", "{" TEST_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799999840, 1799999900), 0},
    {"dev-early", "", "{" TEST_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1800080000, 1800080060), 0},
    {"dev-not-yet", "",
     "{" TEST_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\",\"nbf\":1800080000,\"iat\":1799999970,\"exp\":1800080060}", 0},
    {"dev-old", "", "{" TEST_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\"," TIMES(1799900000, 1799900060), 0},
    {"dev-pending", "",
     "{" TEST_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\",\"sts\":\"pending\"," TIMES(1799999970, 1800000030), 0},
    {"dev-no-exp", "", "{" TEST_ISS "\"sub\":\"user_1\",\"sid\":\"sess_1\",\"iat\":1799999970}", 0},
};

static EVP_PKEY *clerk_fixture_rsa(void)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);

    assert_non_null(pkey);
    return pkey;
}

static char *clerk_fixture_number(EVP_PKEY *pkey, const char *name)
{
    BIGNUM *bn = NULL;
    unsigned char bytes[512];
    int len;

    assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &bn), 1);
    len = BN_bn2bin(bn, bytes);
    BN_free(bn);
    return jose_base64url_encode(bytes, (apr_size_t)len, keys.pool);
}

int clerk_fixture_group_setup(void **state)
{
    const char *jwks;

    (void)state;
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&keys.pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    keys.good = clerk_fixture_rsa();
    keys.other = clerk_fixture_rsa();
    jwks = apr_psprintf(keys.pool,
                        "{\"keys\":[{\"use\":\"sig\",\"kty\":\"RSA\",\"kid\":\"ins_1\",\"alg\":\"RS256\","
                        "\"n\":\"%s\",\"e\":\"%s\"}]}",
                        clerk_fixture_number(keys.good, OSSL_PKEY_PARAM_RSA_N),
                        clerk_fixture_number(keys.good, OSSL_PKEY_PARAM_RSA_E));
    return jose_keyset_parse(&keys.set, jwks, strlen(jwks), keys.pool) == JOSE_OK ? 0 : -1;
}

int clerk_fixture_group_teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(keys.good);
    EVP_PKEY_free(keys.other);
    apr_pool_destroy(keys.pool);
    apr_terminate();
    return 0;
}

const char *clerk_fixture_mint(const char *header, const char *claims, EVP_PKEY *pkey, apr_pool_t *pool)
{
    const char *head = apr_pstrcat(pool, "{", header, "\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"ins_1\"}", NULL);
    const char *input = apr_pstrcat(pool, jose_base64url_encode(head, strlen(head), pool), ".",
                                    jose_base64url_encode(claims, strlen(claims), pool), NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[512];
    size_t len = sizeof(signature);

    assert_int_equal(EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, pkey, NULL), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, (const unsigned char *)input, strlen(input)), 1);
    EVP_MD_CTX_free(context);
    return apr_pstrcat(pool, input, ".", jose_base64url_encode(signature, len, pool), NULL);
}

const char *clerk_fixture_named(const char *name, apr_pool_t *pool)
{
    apr_size_t i;

    for (i = 0; i < COUNT(fixture_claims); i++) {
        const fixture_token *token = &fixture_claims[i];

        if (!strcmp(token->name, name)) {
            return clerk_fixture_mint(token->header, token->claims, token->signed_by_other ? keys.other : keys.good,
                                      pool);
        }
    }
    fail_msg("no token is named %s", name);
    return NULL;
}

const char *expand(const char *text, apr_pool_t *pool)
{
    const char *out = "";
    const char *open;

    if (!text) {
        return NULL;
    }
    while ((open = strchr(text, '<'))) {
        const char *close = strchr(open, '>');

        assert_non_null(close);
        out = apr_pstrcat(pool, out, apr_pstrndup(pool, text, (apr_size_t)(open - text)),
                          clerk_fixture_named(apr_pstrndup(pool, open + 1, (apr_size_t)(close - open - 1)), pool),
                          NULL);
        text = close + 1;
    }
    return apr_pstrcat(pool, out, text, NULL);
}

const char *clerk_fixture_handshake(const char *directives, const char *more, apr_pool_t *pool)
{
    return clerk_fixture_mint("", apr_pstrcat(pool, "{", more, "\"handshake\":", expand(directives, pool), "}", NULL),
                              keys.good, pool);
}

static clerk_keys_status clerk_fixture_acquire(void *baton, clerk_keys_pin *pin, clerk_keys_want want,
                                               apr_uint32_t seen, apr_pool_t *pool)
{
    const fixture *f = baton;

    (void)seen;
    (void)pool;
    if (f->keys_status != CLERK_KEYS_OK) {
        return f->keys_status;
    }
    if (want != CLERK_KEYS_CURRENT) {
        return CLERK_KEYS_UNCHANGED;
    }
    pin->set = keys.set;
    pin->generation = 1;
    pin->entry = NULL;
    return CLERK_KEYS_OK;
}

static void clerk_fixture_release(void *baton, clerk_keys_pin *pin)
{
    (void)baton;
    pin->set = NULL;
}

void clerk_fixture_backend(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool)
{
    fixture *f = baton;

    f->calls++;
    f->call_method = call->method;
    f->call_path = call->path;
    f->call_json = call->json;
    f->call_client_ip = call->client_ip;
    f->call_user_id = call->user_id;
    f->call_tokens
        = call->expired_token ? apr_pstrcat(pool, call->expired_token, " ", call->refresh_token, NULL) : NULL;
    *reply = f->reply;
    reply->asked_at = f->services.now;
}

void clerk_fixture_answer(fixture *f, int status, const char *body)
{
    f->reply.status = status;
    f->reply.body = expand(body, f->pool);
    f->reply.body_len = body ? strlen(f->reply.body) : 0;
    f->reply.is_json = body && (*body == '{' || *body == '[');
}

void clerk_fixture_reset(fixture *f)
{
    memset(&f->request, 0, sizeof(f->request));
    f->request.method = "GET";
    f->request.origin_url = "https://app.example.com";
    f->request.target = "/p";
    f->request.sec_fetch_dest = "document";
    memset(&f->policy, 0, sizeof(f->policy));
    f->policy.accept_tokens = CLERK_ACCEPT_SESSION;
    f->policy.token_sources = CLERK_SOURCE_HEADER | CLERK_SOURCE_COOKIE;
    f->policy.clock_skew = apr_time_from_sec(5);
    f->policy.cross_origin_sync = 1;
    f->services.baton = f;
    f->services.now = apr_time_from_sec(NOW);
    f->services.acquire_keys = clerk_fixture_acquire;
    f->services.release_keys = clerk_fixture_release;
    f->services.backend = clerk_fixture_backend;
    f->services.verify = clerk_fixture_backend;
    f->services.opaque_ttl = apr_time_from_sec(60);
    f->keys_status = CLERK_KEYS_OK;
    memset(&f->reply, 0, sizeof(f->reply));
    f->calls = 0;
    f->call_json = NULL;
    f->call_path = NULL;
}

int clerk_fixture_setup(void **state)
{
    apr_pool_t *pool;
    fixture *f;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    f = apr_pcalloc(pool, sizeof(*f));
    f->pool = pool;
    clerk_fixture_reset(f);
    *state = f;
    return 0;
}

int clerk_fixture_teardown(void **state)
{
    apr_pool_destroy(((fixture *)*state)->pool);
    return 0;
}

const clerk_instance *clerk_fixture_instance(fixture *f, const clerk_instance_options *options)
{
    clerk_instance *instance = NULL;
    const char *problem = clerk_instance_create(&instance, options, f->pool);

    if (problem) {
        fail_msg("%s", problem);
    }
    return instance;
}

const clerk_instance *live_instance(fixture *f)
{
    clerk_instance_options options = {.publishable_key = LIVE_KEY, .secret_key = "sk_live_secret"};

    return clerk_fixture_instance(f, &options);
}

const clerk_instance *test_instance(fixture *f)
{
    clerk_instance_options options = {.publishable_key = TEST_KEY, .secret_key = "sk_test_secret"};

    return clerk_fixture_instance(f, &options);
}

clerk_outcome *decide(fixture *f, const clerk_instance *instance)
{
    return clerk_authenticate(&f->request, instance, &f->policy, &f->services, f->pool);
}

const char *verdict(const clerk_outcome *outcome, apr_pool_t *pool)
{
    static const char *const names[] = {"signed-in", "signed-out", "handshake", "unavailable", "bad-request"};

    assert_non_null(outcome->set_cookies);
    assert_non_null(outcome->reason_text);
    if (outcome->status == CLERK_SIGNED_IN) {
        assert_int_equal(outcome->reason, CLERK_REASON_NONE);
        assert_string_equal(outcome->reason_text, "");
        assert_non_null(outcome->identity);
        return names[0];
    }
    assert_int_not_equal(outcome->reason, CLERK_REASON_NONE);
    return apr_pstrcat(pool, names[outcome->status], " ", outcome->reason_text, NULL);
}

void clerk_fixture_assert_case(const char *name, const char *actual, const char *expected, const char *file, int line)
{
    const char *a = actual ? actual : "(null)";
    const char *e = expected ? expected : "(null)";

    if (strcmp(a, e)) {
        print_error("case '%s': got '%s', expected '%s'\n", name, a, e);
        _fail(file, line);
    }
}

apr_array_header_t *list_of(apr_pool_t *pool, const char *a, const char *b)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(const char *));

    if (a) {
        APR_ARRAY_PUSH(list, const char *) = a;
    }
    if (b) {
        APR_ARRAY_PUSH(list, const char *) = b;
    }
    return list;
}

const char *cookies_of(const clerk_outcome *outcome, apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = 0; i < outcome->set_cookies->nelts; i++) {
        text = apr_pstrcat(pool, text, i > 0 ? " | " : "", APR_ARRAY_IDX(outcome->set_cookies, i, const char *), NULL);
    }
    return text;
}
