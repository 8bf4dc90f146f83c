/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include "clerk/session/authorize.h"
#include "jose/json.h"

/* An identity with `sub` and the members given, without braces. */
static clerk_identity *identity_of(const char *members, apr_pool_t *pool)
{
    char *text = apr_pstrcat(pool, "{\"sub\":\"user_1\"", *members ? "," : "", members, "}", NULL);
    json_t *claims;

    if (jose_json_parse_object(&claims, text, strlen(text), JOSE_JSON_MAX_DEPTH, pool) != JOSE_OK) {
        fail_msg("not JSON: %s", text);
    }
    return clerk_identity_create(claims, pool);
}

typedef struct question {
    const char *asked; /* the argument, which may be NULL */
    int granted;
} question;

typedef int (*ask_function)(const clerk_identity *identity, const char *asked);

static void assert_answers(ask_function ask, const clerk_identity *identity, const question *questions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ask(identity, questions[i].asked) != questions[i].granted) {
            fail_msg("%s: not %d", questions[i].asked ? questions[i].asked : "(null)", questions[i].granted);
        }
    }
}

static void answers_no_without_identity(void **state)
{
    clerk_reverification lax = {CLERK_SECOND_FACTOR, 1440, "lax"};

    (void)state;
    assert_false(clerk_authorize_role(NULL, "admin"));
    assert_false(clerk_authorize_org(NULL, NULL));
    assert_false(clerk_authorize_permission(NULL, "org:a:b"));
    assert_false(clerk_authorize_feature(NULL, "a"));
    assert_false(clerk_authorize_plan(NULL, "a"));
    assert_false(clerk_authorize_reverification(NULL, &lax));
}

static void compares_roles_with_org_collapsed(void **state)
{
    static const question admin[] = {
        {"admin", 1}, {"org:admin", 1}, {"org:org:admin", 1}, {"org:org:org:admin", 1},
        {"Admin", 0}, {"ORG:admin", 0}, {"admin ", 0},        {"org:admi", 0},
        {"org:", 0},  {"org", 0},       {":admin", 0},        {"member", 0},
        {"", 0},      {NULL, 0},
    };
    static const char *const sessions[] = {
        "\"org_id\":\"org_1\",\"org_role\":\"org:admin\"",        "\"org_id\":\"org_1\",\"org_role\":\"admin\"",
        "\"org_id\":\"org_1\",\"org_role\":\"org:org:admin\"",    "\"v\":2,\"o\":{\"id\":\"org_1\",\"rol\":\"admin\"}",
        "\"v\":2,\"o\":{\"id\":\"org_1\",\"rol\":\"org:admin\"}",
    };
    static const char *const none[] = {
        "",
        "\"org_id\":\"org_1\"",
        "\"org_role\":\"org:admin\"",
        "\"org_id\":\"\",\"org_role\":\"org:admin\"",
        "\"org_id\":\"org_1\",\"org_role\":\"\"",
        "\"v\":2,\"o\":{\"rol\":\"admin\"}",
        "\"v\":2,\"o\":{\"id\":\"org_1\"}",
        "\"v\":2,\"org_id\":\"org_1\",\"org_role\":\"admin\"",
    };

    for (size_t i = 0; i < COUNT(sessions); i++) {
        assert_answers(clerk_authorize_role, identity_of(sessions[i], *state), admin, COUNT(admin));
    }
    for (size_t i = 0; i < COUNT(none); i++) {
        assert_false(clerk_authorize_role(identity_of(none[i], *state), "admin"));
    }
}

static void knows_the_active_organization(void **state)
{
    static const question acme[] = {
        {NULL, 1}, {"org_1", 1}, {"acme", 1}, {"ACME", 0}, {"org_", 0}, {"org_11", 0}, {"acme ", 0}, {"", 0},
    };
    static const question slugless[] = {{NULL, 1}, {"org_1", 1}, {"acme", 0}, {"", 0}};
    static const question none[] = {{NULL, 0}, {"acme", 0}, {"", 0}};

    assert_answers(clerk_authorize_org, identity_of("\"org_id\":\"org_1\",\"org_slug\":\"acme\"", *state), acme,
                   COUNT(acme));
    assert_answers(clerk_authorize_org, identity_of("\"v\":2,\"o\":{\"id\":\"org_1\",\"slg\":\"acme\"}", *state), acme,
                   COUNT(acme));
    assert_answers(clerk_authorize_org, identity_of("\"org_id\":\"org_1\"", *state), slugless, COUNT(slugless));
    assert_answers(clerk_authorize_org, identity_of("\"org_id\":\"org_1\",\"org_slug\":\"\"", *state), slugless,
                   COUNT(slugless));
    assert_answers(clerk_authorize_org, identity_of("\"org_slug\":\"acme\"", *state), none, COUNT(none));
}

static void compares_permissions_as_the_session_has_them(void **state)
{
    static const question questions[] = {
        {"org:a:read", 1},   {"a:read", 1},     {"org:org:a:read", 1}, {"org:b:read", 0}, {"b:read", 0},
        {"org:c:read", 0},   {"c:read", 0},     {"org:org:c:read", 0}, {"org:a", 0},      {"org:a:rea", 0},
        {"org:a:read:x", 0}, {"org:a:Read", 0}, {"org:", 0},           {"", 0},           {NULL, 0},
    };
    static const char *const none[] = {
        "",
        "\"org_id\":\"org_1\"",
        "\"org_permissions\":[\"org:a:read\"]",
        "\"org_id\":\"org_1\",\"org_permissions\":\"org:a:read\"",
        "\"org_id\":\"org_1\",\"org_permissions\":[]",
        "\"v\":2,\"fea\":\"o:a\",\"o\":{\"per\":\"read\",\"fpm\":\"1\"}",
    };

    /* `b:read` and `org:org:c:read` in the session match no argument. */
    assert_answers(clerk_authorize_permission,
                   identity_of("\"org_id\":\"org_1\",\"org_permissions\":"
                               "[\"b:read\",\"org:org:c:read\",\"org:a:read\"]",
                               *state),
                   questions, COUNT(questions));
    assert_answers(clerk_authorize_permission,
                   identity_of("\"v\":2,\"fea\":\"o:a,o:b\","
                               "\"o\":{\"id\":\"org_1\",\"per\":\"read,manage\",\"fpm\":\"1,2\"}",
                               *state),
                   questions, COUNT(questions));
    for (size_t i = 0; i < COUNT(none); i++) {
        assert_false(clerk_authorize_permission(identity_of(none[i], *state), "org:a:read"));
    }
}

static void finds_features_and_plans_by_scope(void **state)
{
    /* protocol.md 11.6 */
    static const question questions[] = {
        {"both", 1},
        {"team", 1},
        {"mine", 1},
        {"Team", 0},
        {"tea", 0},
        {"teams", 0},
        {"o:team", 1},
        {"org:team", 1},
        {"organization:team", 1},
        {"u:team", 0},
        {"user:team", 0},
        {"o:mine", 0},
        {"org:mine", 0},
        {"organization:mine", 0},
        {"u:mine", 1},
        {"user:mine", 1},
        {"o:both", 1},
        {"u:both", 1},
        {"o:twice", 1},
        {"u:twice", 1},
        {"x:team", 0},
        {"ou:team", 0},
        {"uo:team", 0},
        {":team", 0},
        {"O:team", 0},
        {"orga:team", 0},
        {"us:mine", 0},
        {"o:team:rest", 1},
        {"o:team:", 1},
        {"o:tea:m", 0},
        {"u:mine:x:y", 1},
        {"x:team:rest", 0},
        {"o:with", 0},
        {"o:with:colon", 0},
        {"with:colon", 0},
        /* As has() does: with an empty name, the scope is the name. */
        {"o:", 1},
        {"o::x", 1},
        {"u:", 0},
        {"org:", 0},
        {":", 0},
        {"user:", 1},
        {"ignored", 0},
        {"malformed", 0},
        {"", 0},
        {NULL, 0},
    };
    static const char list[] = "o:team,u:mine,ou:both,uo:twice,x:ignored,malformed,o:with:colon,o:o,u:user,o:";
    clerk_identity *features = identity_of(apr_psprintf(*state, "\"fea\":\"%s\"", list), *state);
    clerk_identity *plans = identity_of(apr_psprintf(*state, "\"v\":2,\"pla\":\"%s\"", list), *state);

    assert_answers(clerk_authorize_feature, features, questions, COUNT(questions));
    assert_answers(clerk_authorize_plan, plans, questions, COUNT(questions));
    assert_false(clerk_authorize_plan(features, "team"));
    assert_false(clerk_authorize_feature(plans, "team"));
}

static void wants_fresh_factors(void **state)
{
    /* protocol.md 11.7, at 10 minutes: first_factor, second_factor, multi_factor. */
    static const struct {
        const char *fva;
        int first, second, multi;
    } cases[] = {
        {"[5,5]", 1, 1, 1},        {"[5,20]", 1, 0, 0},  {"[20,5]", 0, 1, 0}, {"[20,20]", 0, 0, 0},
        {"[5,-1]", 1, 1, 1},       {"[20,-1]", 0, 0, 0}, {"[-1,5]", 0, 1, 0}, {"[-1,20]", 0, 0, 0},
        {"[-1,-1]", 0, 0, 0},      {"[10,10]", 0, 0, 0}, {"[9,9]", 1, 1, 1},  {"[0,0]", 1, 1, 1},
        {"[9.999,10.0]", 1, 0, 0}, {"[5]", 0, 0, 0},     {"null", 0, 0, 0},   {"[5,-2]", 0, 0, 0},
    };
    static const clerk_factor_level levels[] = {CLERK_FIRST_FACTOR, CLERK_SECOND_FACTOR, CLERK_MULTI_FACTOR};
    size_t i, level;

    for (i = 0; i < COUNT(cases); i++) {
        clerk_identity *identity = identity_of(apr_psprintf(*state, "\"fva\":%s", cases[i].fva), *state);
        const int expected[] = {cases[i].first, cases[i].second, cases[i].multi};

        for (level = 0; level < COUNT(levels); level++) {
            clerk_reverification reverification = {levels[level], 10, NULL};

            if (clerk_authorize_reverification(identity, &reverification) != expected[level]) {
                fail_msg("%s, level %d", cases[i].fva, (int)level);
            }
        }
    }
    assert_false(clerk_authorize_reverification(identity_of("\"fva\":[0,0]", *state), NULL));
}

static void parses_reverification(void **state)
{
    static const struct {
        const char *level, *minutes;
        clerk_factor_level expected;
        double after;
        int preset;
    } good[] = {
        {"strict_mfa", NULL, CLERK_MULTI_FACTOR, 10, 1},
        {"strict", NULL, CLERK_SECOND_FACTOR, 10, 1},
        {"moderate", NULL, CLERK_SECOND_FACTOR, 60, 1},
        {"lax", NULL, CLERK_SECOND_FACTOR, 1440, 1},
        {"first_factor", "5", CLERK_FIRST_FACTOR, 5, 0},
        {"second_factor", "0.5", CLERK_SECOND_FACTOR, 0.5, 0},
        {"multi_factor", "999999999", CLERK_MULTI_FACTOR, 999999999, 0},
        {"first_factor", "007", CLERK_FIRST_FACTOR, 7, 0},
        {"first_factor", "1.25", CLERK_FIRST_FACTOR, 1.25, 0},
    };
    static const char *const bad[][2] = {
        {NULL, NULL},
        {"", NULL},
        {"Strict", NULL},
        {"strictest", NULL},
        {"stric", NULL},
        {"strict ", NULL},
        {"10", NULL},
        {"strict", "10"},
        {"lax", ""},
        {"first_factor", NULL},
        {"first_factor", ""},
        {"first_factor", "0"},
        {"first_factor", "0.0"},
        {"first_factor", "-1"},
        {"first_factor", "+1"},
        {"first_factor", " 1"},
        {"first_factor", "1 "},
        {"first_factor", "1e3"},
        {"first_factor", "0x10"},
        {"first_factor", "inf"},
        {"first_factor", "nan"},
        {"first_factor", "1,5"},
        {"first_factor", "1."},
        {"first_factor", ".5"},
        {"first_factor", "1.2.3"},
        {"first_factor", "1234567890"},
        {"First_Factor", "5"},
        {"third_factor", "5"},
        {"", "5"},
        {NULL, "5"},
    };
    clerk_reverification reverification;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_null(clerk_authorize_parse_reverification(&reverification, good[i].level, good[i].minutes));
        assert_int_equal(reverification.level, good[i].expected);
        assert_true(reverification.after_minutes == good[i].after);
        if (good[i].preset) {
            assert_string_equal(reverification.preset, good[i].level);
        } else {
            assert_null(reverification.preset);
        }
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *why = clerk_authorize_parse_reverification(&reverification, bad[i][0], bad[i][1]);

        if (!why || !*why) {
            fail_msg("%s %s", bad[i][0] ? bad[i][0] : "(null)", bad[i][1] ? bad[i][1] : "(null)");
        }
    }
}

static void grants_a_machine_nothing_of_a_session(void **state)
{
    static const clerk_token_type kinds[]
        = {CLERK_TOKEN_SESSION, CLERK_TOKEN_API_KEY, CLERK_TOKEN_M2M, CLERK_TOKEN_OAUTH};
    static const clerk_reverification lax = {CLERK_SECOND_FACTOR, 1440, "lax"};
    clerk_identity *identity = identity_of("\"org_id\":\"org_1\",\"org_role\":\"org:admin\",\"org_permissions\":"
                                           "[\"org:a:b\"],\"fea\":\"o:f\",\"pla\":\"u:p\",\"fva\":[1,1],"
                                           "\"act\":{\"sub\":\"user_9\"}",
                                           *state);

    for (size_t i = 0; i < COUNT(kinds); i++) {
        int granted = kinds[i] == CLERK_TOKEN_SESSION;

        identity->kind = kinds[i];
        assert_int_equal(clerk_authorize_role(identity, "admin"), granted);
        assert_int_equal(clerk_authorize_org(identity, NULL), granted);
        assert_int_equal(clerk_authorize_org(identity, "org_1"), granted);
        assert_int_equal(clerk_authorize_permission(identity, "org:a:b"), granted);
        assert_int_equal(clerk_authorize_feature(identity, "f"), granted);
        assert_int_equal(clerk_authorize_plan(identity, "user:p"), granted);
        assert_int_equal(clerk_authorize_reverification(identity, &lax), granted);
        assert_int_equal(clerk_authorize_mfa(identity), granted);
        assert_int_equal(clerk_authorize_actor(identity), granted);
    }
}

static void asks_for_a_second_factor_and_an_actor(void **state)
{
    static const struct {
        const char *members;
        int mfa, actor;
    } cases[] = {
        {"", 0, 0},
        {"\"fva\":[1,-1]", 0, 0},
        {"\"fva\":[-1,0]", 1, 0},
        {"\"fva\":[1,1e9]", 1, 0},
        {"\"fva\":[1]", 0, 0},
        {"\"act\":{}", 0, 1},
        {"\"act\":\"user_9\"", 0, 0},
    };

    assert_false(clerk_authorize_mfa(NULL));
    assert_false(clerk_authorize_actor(NULL));
    for (size_t i = 0; i < COUNT(cases); i++) {
        clerk_identity *identity = identity_of(cases[i].members, *state);

        assert_int_equal(clerk_authorize_mfa(identity), cases[i].mfa);
        assert_int_equal(clerk_authorize_actor(identity), cases[i].actor);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(answers_no_without_identity),
        fixture_test(compares_roles_with_org_collapsed),
        fixture_test(knows_the_active_organization),
        fixture_test(compares_permissions_as_the_session_has_them),
        fixture_test(finds_features_and_plans_by_scope),
        fixture_test(wants_fresh_factors),
        fixture_test(parses_reverification),
        fixture_test(grants_a_machine_nothing_of_a_session),
        fixture_test(asks_for_a_second_factor_and_an_actor),
    };

    return cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
