/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "clerk/machine/machine_form.h"
#include "clerk/session/token_record.h"

#define M2M_TIMES TIMES(1799999970, 1800000030)

/* protocol.md 12.1 */
static void forms(void **state)
{
    static const struct {
        const char *header; /* NULL: `claims` is the token */
        const char *claims;
        const char *kind;
        int is_jwt;
    } cases[] = {
        {NULL, "ak_x/+=", "api_key", 0},
        {NULL, "ak_", "api_key", 0},
        {NULL, "ak_a.b.c", "api_key", 1},
        {NULL, "mt_x", "m2m_token", 0},
        {NULL, "oat_x", "oauth_token", 0},
        {NULL, "AK_x", "session_token", 0},
        {NULL, "xak_x", "session_token", 0},
        {NULL, "ak", "session_token", 0},
        {NULL, "", "session_token", 0},
        {NULL, "a.b.c", "session_token", 1},
        {NULL, "a..c", "session_token", 0},
        {NULL, ".b.c", "session_token", 0},
        {NULL, "a.b.", "session_token", 0},
        {NULL, "a.b", "session_token", 0},
        {NULL, "a.b.c.d", "session_token", 0},
        {NULL, "a.b=.c", "session_token", 0},
        {"", "{\"sub\":\"mch_1\"}", "m2m_token", 1},
        {"", "{\"sub\":\"mch_\"}", "m2m_token", 1},
        {"", "{\"sub\":\"user_1\"}", "session_token", 1},
        {"", "{\"sub\":[\"mch_1\"]}", "session_token", 1},
        {"\"cat\":\"" CLERK_CAT_M2M "\",", "{\"sub\":\"user_1\"}", "session_token", 1},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *text = cases[i].header ? clerk_fixture_mint(cases[i].header, cases[i].claims, keys.good, f->pool)
                                           : cases[i].claims;
        clerk_machine_form form = clerk_machine_form_of((jose_slice){text, strlen(text)}, f->pool);

        assert_case(cases[i].claims, clerk_token_type_name(form.type), cases[i].kind);
        assert_int_equal(form.is_jwt, cases[i].is_jwt);
    }
}

/* What the place accepts, and the credential. */
static void places(void **state)
{
    static const struct {
        unsigned int accept;
        int basic;
        const char *authorization; /* <m2m>: an M2M JWT */
        const char *expected;
        int calls;
    } cases[] = {
        {CLERK_ACCEPT_API_KEY, 0, NULL, "signed-out No token in header", 0},
        {CLERK_ACCEPT_API_KEY, 0, "Bearer ak_x", "signed-in", 1},
        {CLERK_ACCEPT_API_KEY, 0, "bearer ak_x", "signed-in", 1},
        {CLERK_ACCEPT_API_KEY, 0, "ak_x", "signed-in", 1},
        {CLERK_ACCEPT_API_KEY, 0, "Bearer mt_x", "signed-out token-type-mismatch", 0},
        {CLERK_ACCEPT_API_KEY, 0, "Bearer <S>", "signed-out token-type-mismatch", 0},
        {CLERK_ACCEPT_API_KEY, 0, "Bearer junk", "signed-out token-type-mismatch", 0},
        {CLERK_ACCEPT_API_KEY | CLERK_ACCEPT_M2M, 0, NULL, "signed-out token-type-mismatch", 0},
        {CLERK_ACCEPT_API_KEY | CLERK_ACCEPT_SESSION, 0, "Bearer <S>", "signed-in", 0},
        {CLERK_ACCEPT_API_KEY | CLERK_ACCEPT_SESSION, 0, "Bearer <machine>", "signed-out token-type-mismatch", 0},
        {CLERK_ACCEPT_API_KEY | CLERK_ACCEPT_SESSION, 0, "Bearer junk", "signed-out token-invalid", 0},
        {CLERK_ACCEPT_M2M, 0, "Bearer <machine>", "signed-in", 0},
        {CLERK_ACCEPT_ANY, 0, "Bearer <machine>", "signed-in", 0},
        {CLERK_ACCEPT_ANY, 0, "Bearer <template>", "signed-out token-type-mismatch", 0},
        {CLERK_ACCEPT_ANY, 0, "Bearer ak_\"", "signed-out token-invalid", 0},
        {CLERK_ACCEPT_ANY, 0, "Bearer ak_a.b.c", "signed-out token-invalid", 0},
        {CLERK_ACCEPT_API_KEY, 0, "Basic Z2l0OmFrX3g=", "signed-out No token in header", 0}, /* git:ak_x */
        {CLERK_ACCEPT_API_KEY, 1, "Basic Z2l0OmFrX3g=", "signed-in", 1},
        {CLERK_ACCEPT_API_KEY, 1, "bAsIc Z2l0OmFrX3g=", "signed-in", 1},
        {CLERK_ACCEPT_M2M, 1, "Basic Z2l0OmFrX3g=", "signed-out No token in header", 0},
        {CLERK_ACCEPT_API_KEY, 1, "Basic OmFrX3g=", "signed-in", 1},                     /* :ak_x */
        {CLERK_ACCEPT_API_KEY, 1, "Basic YWtfeA==", "signed-out No token in header", 0}, /* ak_x */
        {CLERK_ACCEPT_API_KEY, 1, "Basic ???", "signed-out No token in header", 0},
        {CLERK_ACCEPT_API_KEY, 1, "Basic", "signed-out token-type-mismatch", 0},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        clerk_fixture_reset(f);
        f->policy.accept_tokens = cases[i].accept;
        f->policy.accept_basic = cases[i].basic;
        f->request.sec_fetch_dest = "empty";
        f->request.authorization = expand(cases[i].authorization, f->pool);
        clerk_fixture_answer(f, 200, "{\"object\":\"api_key\",\"id\":\"ak_1\",\"subject\":\"user_1\"}");
        assert_case(cases[i].authorization, verdict(decide(f, live_instance(f)), f->pool), cases[i].expected);
        assert_int_equal(f->calls, cases[i].calls);
    }
}

/* protocol.md 12.2, with differences.md row 5 */
static void replies(void **state)
{
#define GOOD "\"object\":\"api_key\",\"id\":\"ak_1\",\"subject\":\"user_1\""
    static const struct {
        int status;
        const char *body;
        const char *expected;
    } cases[] = {
        {200, "{" GOOD "}", "signed-in"},
        {201, "{" GOOD ",\"revoked\":false,\"expired\":false,\"active\":true,\"expiration\":null}", "signed-in"},
        {200, "{" GOOD ",\"expiration\":1800000001000}", "signed-in"},
        {200, "{" GOOD ",\"expiration\":1800000001}", "signed-in"},
        {200, "{" GOOD ",\"expiration\":1800000000000}", "signed-out token-invalid"},
        {200, "{" GOOD ",\"expiration\":0}", "signed-out token-invalid"},
        {200, "{" GOOD ",\"expiration\":\"\"}", "signed-out token-invalid"},
        {200, "{" GOOD ",\"revoked\":true}", "signed-out token-invalid"},
        {200, "{" GOOD ",\"revoked\":\"no\"}", "signed-out token-invalid"},
        {200, "{" GOOD ",\"expired\":true}", "signed-out token-invalid"},
        {200, "{" GOOD ",\"active\":false}", "signed-out token-invalid"},
        {200, "{" GOOD ",\"active\":0}", "signed-out token-invalid"},
        {200, "{\"active\":false}", "signed-out token-invalid"},
        {200, "{\"object\":\"api_key\",\"id\":\"\",\"subject\":\"user_1\"}", "signed-out token-invalid"},
        {200, "{\"object\":\"api_key\",\"subject\":\"user_1\"}", "signed-out token-invalid"},
        {200, "{\"object\":\"api_key\",\"id\":\"ak_1\",\"subject\":\"user\\u0007\"}", "signed-out token-invalid"},
        {200, "{\"object\":\"machine_to_machine_token\",\"id\":\"ak_1\",\"subject\":\"user_1\"}",
         "signed-out token-invalid"},
        {200, "{" GOOD, "unavailable unexpected-error"},
        {200, NULL, "unavailable unexpected-error"},
        {401, "{}", "unavailable secret-key-invalid"},
        {404, "{}", "signed-out token-invalid"},
        {400, "{}", "unavailable unexpected-error"},
        {429, "{}", "unavailable unexpected-error"},
        {500, "{}", "unavailable unexpected-error"},
        {0, NULL, "unavailable unexpected-error"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const clerk_outcome *outcome;

        clerk_fixture_reset(f);
        f->policy.accept_tokens = CLERK_ACCEPT_ANY;
        f->request.authorization = "Bearer ak_x";
        clerk_fixture_answer(f, cases[i].status, cases[i].body);
        outcome = decide(f, live_instance(f));
        assert_case(cases[i].body, verdict(outcome, f->pool), cases[i].expected);
        assert_case(cases[i].body, f->call_path, "/api_keys/verify");
        assert_case(cases[i].body, f->call_json, "{\"secret\":\"ak_x\"}");
        assert_int_equal(outcome->refused_key != NULL, cases[i].status == 401);
    }
}

static const char *join(const clerk_identity *identity, apr_pool_t *pool)
{
    return apr_pstrcat(pool, clerk_token_type_name(identity->kind), " ", identity->subject, " ",
                       identity->user_id ? identity->user_id : "-", " ", identity->org_id ? identity->org_id : "-", " ",
                       identity->token_id ? identity->token_id : "-", " ",
                       identity->client_id ? identity->client_id : "-", " ", identity->name ? identity->name : "-",
                       " [", identity->scopes_text, "]", NULL);
}

/* protocol.md 12.3 to 12.5; each also as it comes out of the token cache */
static void identities(void **state)
{
    static const struct {
        const char *header;
        const char *claims;
        const char *expected;
    } cases[] = {
        {"", "{\"sub\":\"mch_1\",\"jti\":\"mt_1\",\"scopes\":\"a  b\",\"aud\":[\"c\"]," M2M_TIMES,
         "m2m_token mch_1 - - mt_1 - - [a b]"},
        {"", "{\"sub\":\"mch_1\",\"aud\":[\"c\",7,\"d\"]," M2M_TIMES, "m2m_token mch_1 - - - - - [c d]"},
        {"", "{\"sub\":\"mch_1\",\"aud\":\"c\"," M2M_TIMES, "m2m_token mch_1 - - - - - [c]"},
        {"", "{\"sub\":\"mch_1\",\"scopes\":7,\"aud\":[\"c\"]," M2M_TIMES, "m2m_token mch_1 - - - - - []"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        clerk_token_record record = {0}, *unpacked;
        const clerk_outcome *outcome;
        apr_size_t size;
        void *block;
        const char *token = clerk_fixture_mint(cases[i].header, cases[i].claims, keys.good, f->pool);

        clerk_fixture_reset(f);
        f->policy.accept_tokens = CLERK_ACCEPT_ANY;
        f->request.authorization = apr_pstrcat(f->pool, "Bearer ", token, NULL);
        outcome = decide(f, live_instance(f));
        assert_case(cases[i].claims, verdict(outcome, f->pool), "signed-in");
        assert_case(cases[i].claims, join(outcome->identity, f->pool), cases[i].expected);
        record.identity = *outcome->identity;
        block = clerk_token_record_pack(&size, &record, f->pool);
        unpacked = clerk_token_record_unpack(apr_pmemdup(f->pool, block, size), size,
                                             (jose_slice){token, strlen(token)}, f->pool);
        assert_non_null(unpacked);
        assert_case(cases[i].claims, join(&unpacked->identity, f->pool), cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[]
        = {fixture_test(forms), fixture_test(places), fixture_test(replies), fixture_test(identities)};

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
