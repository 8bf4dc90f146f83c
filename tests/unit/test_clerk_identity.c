/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include <stddef.h>

#include "clerk/session/scoped_names.h"
#include "clerk/session/token_record.h"
#include "jose/base64url.h"
#include "jose/json.h"

static json_t *parse(const char *text, apr_pool_t *pool)
{
    json_t *object;

    if (jose_json_parse_object(&object, text, strlen(text), JOSE_JSON_MAX_DEPTH, pool) != JOSE_OK) {
        fail_msg("not JSON: %s", text);
    }
    return object;
}

/* Everything is tested twice: as decoded, and after packing and unpacking as the token cache does it. */
static int through_cache;

static jose_slice token_of(const char *claims, apr_pool_t *pool)
{
    const char *text = apr_pstrcat(pool, "e30.", jose_base64url_encode(claims, strlen(claims), pool), ".", NULL);

    return (jose_slice){text, strlen(text)};
}

/* Pack a record, copy the packed form elsewhere, destroy the original, and unpack the copy. */
static clerk_token_record *repack(const clerk_token_record *record, const char *claims, apr_pool_t *pool)
{
    apr_size_t size;
    void *packed = clerk_token_record_pack(&size, record, pool), *copy = apr_pmemdup(pool, packed, size);
    clerk_token_record *unpacked = clerk_token_record_unpack(copy, size, token_of(claims, pool), pool);

    memset(packed, 'x', size);
    assert_non_null(unpacked);
    return unpacked;
}

static clerk_identity *identity_of(const char *claims, apr_pool_t *pool)
{
    json_t *payload = parse(claims, pool);
    clerk_identity *identity = clerk_identity_create(payload, pool);
    clerk_token_record record;

    if (!identity || !through_cache) {
        return identity;
    }
    clerk_claims_read(&record.claims, payload, pool);
    record.identity = *identity;
    return &repack(&record, claims, pool)->identity;
}

/* A list as one text; "-" for no list. */
static const char *joined(clerk_texts list, apr_pool_t *pool)
{
    return list.first ? clerk_texts_join(&list, ' ', pool) : "-";
}

static void assert_text(const char *actual, const char *expected)
{
    assert_string_equal(actual ? actual : "(null)", expected ? expected : "(null)");
}

static void needs_a_clean_subject(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"sub\":null}",
        "{\"sub\":1}",
        "{\"sub\":\"\"}",
        "{\"sub\":\"a\\nb\"}",
        "{\"sub\":\"a\\u007fb\"}",
        "{\"sub\":\"\\u0001\"}",
        "{\"sub\":\"a\\u0080\"}",
        "{\"sub\":\"\\u0085b\"}",
        "{\"sub\":\"a\\u009fb\"}",
        "{\"sub\":\"a\\u2028b\"}",
        "{\"sub\":\"a\\u2029\"}",
        "{\"sub\":[\"user_1\"]}",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(identity_of(bad[i], *state));
    }
    assert_string_equal(identity_of("{\"sub\":\"u\\u00a0\\u00fc\\u2027\\u202a \"}", *state)->user_id,
                        "u\xC2\xA0\xC3\xBC\xE2\x80\xA7\xE2\x80\xAA ");
}

static void reads_version_1(void **state)
{
    clerk_identity *identity = identity_of(
        "{\"sub\":\"user_1\",\"sid\":\"sess_1\",\"sts\":\"pending\",\"org_id\":\"org_1\",\"org_slug\":\"acme\","
        "\"org_role\":\"org:admin\",\"org_permissions\":[\"org:a:b\",7,null,\"x\\ny\",\"a:read\"],\"exp\":1700000000.9,"
        "\"o\":{\"id\":\"org_2\",\"rol\":\"member\",\"per\":\"read\",\"fpm\":\"1\"},\"fea\":\"o:a\","
        "\"pla\":\"u:p,ou:q,o:\","
        "\"act\":{\"sub\":\"user_9\"}}",
        *state);

    assert_text(identity->user_id, "user_1");
    assert_text(identity->session_id, "sess_1");
    assert_text(identity->session_status, "pending");
    assert_true(identity->pending);
    assert_text(identity->org_id, "org_1");
    assert_text(identity->org_slug, "acme");
    assert_text(identity->org_role, "org:admin");
    assert_text(joined(identity->org_permissions, *state), "org:a:b a:read");
    assert_text(identity->features, "o:a");
    assert_text(identity->plans, "u:p,ou:q,o:");
    assert_true(identity->has_actor);
    assert_text(identity->actor_id, "user_9");
    assert_text(jose_json_string(clerk_identity_claims(identity), "sub"), "user_1");
    assert_int_equal(json_array_size(json_object_get(clerk_identity_claims(identity), "org_permissions")), 5);
    assert_false(identity->permission_index_ambiguous);
    assert_false(identity_of("{\"sub\":\"u\",\"sts\":\"active\"}", *state)->pending);
}

static void leaves_out_what_is_missing(void **state)
{
    static const char *const bare[] = {
        "{\"sub\":\"user_1\"}",
        "{\"sub\":\"user_1\",\"v\":2}",
        "{\"sub\":\"user_1\",\"v\":2,\"o\":\"org_1\",\"org_id\":\"org_1\",\"org_permissions\":[\"org:a:b\"]}",
        "{\"sub\":\"user_1\",\"v\":2,\"o\":null,\"org_role\":\"org:admin\",\"org_slug\":\"x\"}",
        "{\"sub\":\"user_1\",\"sid\":1,\"sts\":[],\"org_id\":1,\"org_slug\":{},\"org_role\":true,"
        "\"org_permissions\":\"x\","
        "\"fea\":7,\"pla\":[\"o:a\"],\"act\":\"user_9\",\"fva\":7,\"exp\":\"1\"}",
        "{\"sub\":\"user_1\",\"sid\":\"\\t\",\"sts\":\"pending\\u0007\",\"org_id\":\"\",\"org_slug\":\"\\r\","
        "\"org_role\":\"\","
        "\"fea\":\"o:a,\\no:b\",\"pla\":\"o:\\u007f\",\"exp\":1e300}",
    };

    for (size_t i = 0; i < COUNT(bare); i++) {
        clerk_identity *identity = identity_of(bare[i], *state);

        assert_null(identity->session_id);
        assert_null(identity->session_status);
        assert_false(identity->pending);
        assert_null(identity->org_id);
        assert_null(identity->org_slug);
        assert_null(identity->org_role);
        assert_null(identity->org_permissions.first);
        assert_null(identity->org_permissions_text);
        assert_null(identity->features);
        assert_null(identity->plans);
        assert_false(identity->factor_age.valid);
        assert_false(identity->has_actor);
        assert_null(identity->actor_id);
    }
}

static void tells_the_versions_apart(void **state)
{
    static const struct {
        const char *v;
        const char *org;
    } cases[] = {
        {"2", "two"}, {"2.0", "two"}, {"2e0", "two"},  {"\"2\"", "one"}, {"1", "one"},
        {"3", "one"}, {"2.5", "one"}, {"null", "one"}, {"true", "one"},  {"[2]", "one"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *claims
            = apr_psprintf(*state, "{\"sub\":\"u\",\"v\":%s,\"o\":{\"id\":\"two\"},\"org_id\":\"one\"}", cases[i].v);

        assert_text(identity_of(claims, *state)->org_id, cases[i].org);
    }
}

static void reads_version_2(void **state)
{
    static const struct {
        const char *o;
        const char *id, *slug, *role, *permissions;
    } cases[] = {
        {"{}", NULL, NULL, NULL, ""},
        {"{\"id\":\"org_1\",\"slg\":\"acme\",\"rol\":\"admin\"}", "org_1", "acme", "org:admin", ""},
        {"{\"id\":\"\",\"slg\":\"\",\"rol\":\"\"}", NULL, "", NULL, ""},
        {"{\"id\":7,\"slg\":null,\"rol\":[],\"per\":1,\"fpm\":\"1\"}", NULL, NULL, NULL, ""},
        {"{\"id\":\"org\\n\",\"slg\":\"\\u001f\",\"rol\":\"a\\u0008\"}", NULL, NULL, NULL, ""},
        {"{\"id\":\"org_1\",\"rol\":\"org:x\",\"per\":\"r\",\"fpm\":\"1\"}", "org_1", NULL, "org:org:x", "org:a:r"},
        {"{\"id\":\"org_1\",\"per\":\"r\\u0009\",\"fpm\":\"1\"}", "org_1", NULL, NULL, ""},
        {"{\"id\":\"org_1\",\"per\":\"r\"}", "org_1", NULL, NULL, ""},
        {"{\"id\":\"org_1\",\"fpm\":\"1\"}", "org_1", NULL, NULL, ""},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *claims = apr_psprintf(*state, "{\"sub\":\"u\",\"v\":2,\"fea\":\"o:a\",\"o\":%s}", cases[i].o);
        clerk_identity *identity = identity_of(claims, *state);

        assert_text(identity->org_id, cases[i].id);
        assert_text(identity->org_slug, cases[i].slug);
        assert_text(identity->org_role, cases[i].role);
        assert_text(joined(identity->org_permissions, *state), cases[i].permissions);
    }
}

#define FEA_DOC "o:dashboard,o:teams,uo:billing,u:profile"

static void decodes_permissions(void **state)
{
    static const struct {
        const char *fea, *per, *fpm;
        const char *expected;
        int ambiguous;
    } cases[] = {
        {FEA_DOC, "read,manage,delete", "5,2,7,0",
         "org:dashboard:read org:dashboard:delete org:teams:manage "
         "org:billing:read org:billing:manage org:billing:delete",
         0},
        {"o:dashboard,o:teams", "manage,read", "3,2", "org:dashboard:manage org:dashboard:read org:teams:read", 0},
        {"o:a", "x,y", "4", "", 0},
        {"o:a", "x,y", "5", "org:a:x", 0},
        {"o:a", "x,y", "1invalid", "", 0},
        {"o:a", "x,y", "-1", "", 0},
        {"o:a", "x,y", "1.5", "", 0},
        {"o:a", "x,y", "+1", "", 0},
        {"o:a", "x,y", "", "", 0},
        {"o:a", "x,y", " ", "", 0},
        {"o:a", "", "1", "", 0},
        {"", "x,y", "1", "", 0},
        {"o:a", "x,y", "0000000000000000000000000000003", "org:a:x org:a:y", 0},
        {"o:a,o:b,o:c", "x", "0,1", "org:b:x", 0},
        {"o:a,o:b", "x", "1,z,1", "org:a:x", 0},
        /* White space of ECMAScript: no-break space, em space, byte order mark; a word joiner is not white space. */
        {"\xC2\xA0o:a\xE2\x80\x83 ,\xEF\xBB\xBF"
         "ou: b ",
         " x\xE3\x80\x80, y",
         " 1 ,\xE2\x81\x9F"
         "2",
         "org:a:x org: b:y", 0},
        {"o:a", "x", "1,\xE2\x80\xA9", "", 0}, /* a line break: no claim (differences.md row 15) */
        {"\xE2\x81\xA0o:a,o:b", "x", "1,1", "org:b:x", 1},
        {"o:\xC3\xA0,o:\xE2\x82\xAC", "\xF0\x9F\x98\x80", "1,1",
         "org:\xC3\xA0:\xF0\x9F\x98\x80 org:\xE2\x82\xAC:\xF0\x9F\x98\x80", 0},
        /* Names may be empty, and may contain colons. */
        {"o:,o:x:y", "p:q,", "2,3", "org:: org:x:y:p:q org:x:y:", 0},
        {"o:a,o:a", "x", "1,1", "org:a:x org:a:x", 0},
        /* An element that is no org feature comes first: only what both interpretations grant. */
        {"u:profile,o:dashboard", "read,manage", "0,3", "", 1},
        {"u:profile,o:dashboard", "read,manage", "3,0", "", 1},
        {"u:profile,o:dashboard", "read,manage", "3,1", "org:dashboard:read", 1},
        {"u:profile,o:dashboard", "read,manage", "3", "", 1},
        {"o:a,u:b,o:c", "read,manage", "1,2,3", "org:a:read org:c:manage", 1},
        {"o:a,u:b,ou:c", "read,manage", "1,2", "org:a:read", 1},
        {"x:a,o:b", "read", "1,1", "org:b:read", 1},
        {"malformed,o:b", "read", "1,0", "", 1},
        {"O:a,o:b", "read", "1,1", "org:b:read", 1},
        {"u:a,u:b", "read", "1,1", "", 0},
        {"u:a,o:b", "", "1,1", "", 0},
        {"o:a,u:b", "read", "1,1", "org:a:read", 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *claims = apr_psprintf(*state,
                                    "{\"sub\":\"u\",\"v\":2,\"fea\":\"%s\","
                                    "\"o\":{\"id\":\"org_1\",\"per\":\"%s\",\"fpm\":\"%s\"}}",
                                    cases[i].fea, cases[i].per, cases[i].fpm);
        clerk_identity *identity = identity_of(claims, *state);

        if (identity->permission_index_ambiguous != cases[i].ambiguous) {
            fail_msg("%s: ambiguous is %d", claims, identity->permission_index_ambiguous);
        }
        assert_text(joined(identity->org_permissions, *state), cases[i].expected);
    }
}

#define ZEROS_60 "000000000000000000000000000000000000000000000000000000000000"

static void never_truncates_a_mask(void **state)
{
    /* 2^53 + 3; the edges of 32 and 64 bits; 10^120, whose lowest set bit is bit 120. */
    static const struct {
        const char *mask;
        int permissions;
        const char *expected;
    } cases[] = {
        {"9007199254740995", 54, "org:a:p0 org:a:p1 org:a:p53"},
        {"9007199254740995", 53, "org:a:p0 org:a:p1"},
        {"2147483648", 33, "org:a:p31"},
        {"4294967296", 33, "org:a:p32"},
        {"4294967296", 32, ""},
        {"18446744073709551617", 65, "org:a:p0 org:a:p64"},
        {"1" ZEROS_60 ZEROS_60, 121, "org:a:p120"},
        {"1" ZEROS_60 ZEROS_60, 120, ""},
        {"1" ZEROS_60 ZEROS_60 "1", 120, "org:a:p0"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *per = "p0";
        char *claims;
        int p;

        for (p = 1; p < cases[i].permissions; p++) {
            per = apr_psprintf(*state, "%s,p%d", per, p);
        }
        claims = apr_psprintf(*state, "{\"sub\":\"u\",\"v\":2,\"fea\":\"o:a\",\"o\":{\"per\":\"%s\",\"fpm\":\"%s\"}}",
                              per, cases[i].mask);
        assert_text(joined(identity_of(claims, *state)->org_permissions, *state), cases[i].expected);
    }
}

static void finds_names_by_scope(void **state)
{
    static const struct {
        const char *list, *name;
        unsigned int scopes;
    } cases[] = {
        {FEA_DOC, "dashboard", CLERK_SCOPE_ORG},
        {FEA_DOC, "teams", CLERK_SCOPE_ORG},
        {FEA_DOC, "billing", CLERK_SCOPE_ORG | CLERK_SCOPE_USER},
        {FEA_DOC, "profile", CLERK_SCOPE_USER},
        {FEA_DOC, "dash", 0},
        {FEA_DOC, "dashboards", 0},
        {FEA_DOC, "", 0},
        {FEA_DOC, "o:dashboard", 0},
        {"u:a:b,ou:c", "a:b", CLERK_SCOPE_USER},
        {"u:a:b,ou:c", "c", CLERK_SCOPE_ORG | CLERK_SCOPE_USER},
        {"u:a:b,ou:c", "a", 0},
        {"uo:c", "c", CLERK_SCOPE_ORG | CLERK_SCOPE_USER},
        {"o:a,x:b,:c,d,,oo:e,U:f, o : g,uu:h", "a", CLERK_SCOPE_ORG},
        {"o:a,x:b,:c,d,,oo:e,U:f, o : g,uu:h", "b", 0},
        {"o:a,x:b,:c,d,,oo:e,U:f, o : g,uu:h", "c", 0},
        {"o:a,x:b,:c,d,,oo:e,U:f, o : g,uu:h", "d", 0},
        {"o:a,x:b,:c,d,,oo:e,U:f, o : g,uu:h", "e", 0},
        {"o:a,x:b,:c,d,,oo:e,U:f, o : g,uu:h", "f", 0},
        {"o:a,x:b,:c,d,,oo:e,U:f, o : g,uu:h", " g", 0},
        {"o:a,x:b,:c,d,,oo:e,U:f, o : g,uu:h", "h", 0},
        {" o:a\t,\xC2\xA0u:b\xE2\x80\x89\xEF\xBB\xBF", "a", CLERK_SCOPE_ORG},
        {" o:a\t,\xC2\xA0u:b\xE2\x80\x89\xEF\xBB\xBF", "b", CLERK_SCOPE_USER},
        {"o:,u:", "", CLERK_SCOPE_ORG | CLERK_SCOPE_USER},
        {"", "", 0},
        {"", "a", 0},
        {NULL, "", 0},
        {NULL, "a", 0},
    };
    static const unsigned int scopes[] = {CLERK_SCOPE_ORG, CLERK_SCOPE_USER, CLERK_SCOPE_ORG | CLERK_SCOPE_USER};
    size_t i, j;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        for (j = 0; j < COUNT(scopes); j++) {
            int expected = (cases[i].scopes & scopes[j]) != 0;

            if (clerk_scoped_names_have(cases[i].list, scopes[j], cases[i].name, strlen(cases[i].name)) != expected) {
                fail_msg("%s in %s, scopes %u", cases[i].name, cases[i].list ? cases[i].list : "(null)", scopes[j]);
            }
        }
    }
}

static void checks_the_form_of_factor_ages(void **state)
{
    static const struct {
        const char *fva;
        int valid;
    } cases[] = {
        {"[0,0]", 1},     {"[-1,-1]", 1},  {"[-1.0,5.5]", 1}, {"[5,1e300]", 1}, {"[5]", 0},
        {"[5,5,5]", 0},   {"[]", 0},       {"null", 0},       {"5", 0},         {"\"5,5\"", 0},
        {"[\"5\",5]", 0}, {"[5,null]", 0}, {"[-2,5]", 0},     {"[5,-0.5]", 0},  {"{\"0\":5,\"1\":5}", 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *claims = apr_psprintf(*state, "{\"sub\":\"u\",\"fva\":%s}", cases[i].fva);

        if (identity_of(claims, *state)->factor_age.valid != cases[i].valid) {
            fail_msg("%s", claims);
        }
    }
    assert_true(identity_of("{\"sub\":\"u\",\"fva\":[3,-1]}", *state)->factor_age.first == 3.0);
    assert_true(identity_of("{\"sub\":\"u\",\"fva\":[3,-1]}", *state)->factor_age.second == -1.0);
}

static void knows_an_impersonation_by_any_actor(void **state)
{
    static const struct {
        const char *act, *id;
    } cases[] = {
        {"{}", NULL},
        {"{\"sub\":7}", NULL},
        {"{\"sub\":\"a\\nb\"}", NULL},
        {"{\"sub\":\"user_9\",\"type\":\"agent\"}", "user_9"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        clerk_identity *identity
            = identity_of(apr_psprintf(*state, "{\"sub\":\"u\",\"act\":%s}", cases[i].act), *state);

        assert_true(identity->has_actor);
        assert_text(identity->actor_id, cases[i].id);
    }
}

static void packs_the_claims(void **state)
{
    static const char text[]
        = "{\"sub\":\"u\",\"sid\":\"sess_1\",\"azp\":\"https://a.test\",\"iss\":\"https://c.test\","
          "\"aud\":[\"one\",\"\",\"two\"],\"exp\":1700000060.5,\"iat\":null}";
    json_t *payload = parse(text, *state);
    clerk_token_record record, *unpacked;

    clerk_claims_read(&record.claims, payload, *state);
    record.identity = *clerk_identity_create(payload, *state);
    unpacked = repack(&record, text, *state);
    assert_text(unpacked->claims.authorized_party, "https://a.test");
    assert_text(unpacked->claims.issuer, "https://c.test");
    assert_int_equal(unpacked->claims.issuer_is_falsy, 0);
    assert_text(joined(unpacked->claims.audience, *state), "one  two");
    assert_true(unpacked->claims.expires.is_number && unpacked->claims.expires.seconds == 1700000060.5);
    assert_true(unpacked->claims.issued_at.is_there && !unpacked->claims.issued_at.is_number);
    assert_false(unpacked->claims.not_before.is_there);
    assert_int_equal(unpacked->claims.subject_problem, CLERK_REASON_NONE);
    assert_text(unpacked->identity.user_id, "u");
}

static void packs_empty_and_missing_lists(void **state)
{
    static const struct {
        const char *claims, *permissions, *audience;
    } cases[] = {
        {"{\"sub\":\"u\"}", "-", "-"},
        {"{\"sub\":\"u\",\"org_permissions\":[],\"aud\":[]}", "", ""},
        {"{\"sub\":\"u\",\"org_permissions\":[\"a\"],\"aud\":\"\"}", "a", ""},
        {"{\"sub\":\"u\",\"org_permissions\":[7],\"aud\":[7]}", "", "-"},
        {"{\"sub\":\"u\",\"org_permissions\":[\"a\",\"\",\"b\"],\"aud\":\"x\"}", "a  b", "x"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *payload = parse(cases[i].claims, *state);
        clerk_token_record record, *unpacked;

        clerk_claims_read(&record.claims, payload, *state);
        record.identity = *clerk_identity_create(payload, *state);
        unpacked = repack(&record, cases[i].claims, *state);
        assert_text(joined(unpacked->identity.org_permissions, *state), cases[i].permissions);
        assert_text(joined(unpacked->claims.audience, *state), cases[i].audience);
    }
}

static void refuses_to_unpack_damaged_records(void **state)
{
    static const char text[]
        = "{\"sub\":\"user_1\",\"sid\":\"sess_1\",\"azp\":\"https://a.test\",\"org_permissions\":[\"org:a:b\"]}";
    json_t *payload = parse(text, *state);
    clerk_token_record record;
    apr_size_t size, short_size;
    char *packed, *copy;

    clerk_claims_read(&record.claims, payload, *state);
    record.identity = *clerk_identity_create(payload, *state);
    packed = clerk_token_record_pack(&size, &record, *state);
    for (short_size = 0; short_size < size; short_size++) {
        copy = apr_pmemdup(*state, packed, size);
        assert_null(clerk_token_record_unpack(copy, short_size, token_of(text, *state), *state));
    }
    /* The last text has no NUL at its end. */
    copy = apr_pmemdup(*state, packed, size);
    copy[size - 1] = 'x';
    assert_null(clerk_token_record_unpack(copy, size, token_of(text, *state), *state));
    copy = apr_pmemdup(*state, packed, size);
    ((clerk_token_record *)(void *)copy)->identity.org_permissions.size += size;
    assert_null(clerk_token_record_unpack(copy, size, token_of(text, *state), *state));
}

static void is_a_session(void **state)
{
    clerk_identity *identity = identity_of("{\"sub\":\"user_1\",\"scopes\":[\"a\"],\"cat\":\"x\"}", *state);

    assert_int_equal(identity->kind, CLERK_TOKEN_SESSION);
    assert_text(identity->subject, "user_1");
    assert_text(identity->user_id, "user_1");
    assert_null(identity->scopes.first);
}

static void packs_machines(void **state)
{
    static const char text[] = "{\"sub\":\"mch_1\",\"scopes\":[\"mch_2\",\"mch_3\"]}";
    json_t *payload = parse(text, *state);
    clerk_token_record record, *unpacked;
    apr_array_header_t *scopes = apr_array_make(*state, 2, sizeof(const char *));

    APR_ARRAY_PUSH(scopes, const char *) = "mch_2";
    APR_ARRAY_PUSH(scopes, const char *) = "mch_3";
    clerk_claims_read(&record.claims, payload, *state);
    record.identity = *clerk_identity_create(payload, *state);
    record.identity.kind = CLERK_TOKEN_M2M;
    record.identity.user_id = NULL;
    record.identity.scopes = clerk_texts_make(scopes, *state);
    unpacked = repack(&record, text, *state);
    assert_int_equal(unpacked->identity.kind, CLERK_TOKEN_M2M);
    assert_text(unpacked->identity.subject, "mch_1");
    assert_null(unpacked->identity.user_id);
    assert_text(joined(unpacked->identity.scopes, *state), "mch_2 mch_3");
    assert_text(jose_json_string(clerk_identity_claims(&unpacked->identity), "sub"), "mch_1");
}

/* A record in which every pointer is set. */
static clerk_token_record *full_record(const char *claims, apr_pool_t *pool)
{
    json_t *payload = parse(claims, pool);
    clerk_token_record *record = apr_pcalloc(pool, sizeof(*record));
    apr_array_header_t *scopes = apr_array_make(pool, 1, sizeof(const char *));

    APR_ARRAY_PUSH(scopes, const char *) = "scope";
    clerk_claims_read(&record->claims, payload, pool);
    record->identity = *clerk_identity_create(payload, pool);
    record->identity.scopes = clerk_texts_make(scopes, pool);
    return record;
}

/* What differs between two records made of the same token is their pointers; each has to come along when one moves. */
static void packs_every_pointer(void **state)
{
    static const char text[]
        = "{\"sub\":\"u\",\"azp\":\"https://a.test\",\"iss\":\"https://c.test\",\"aud\":[\"one\"],\"exp\":1700000060,"
          "\"nbf\":1700000000,\"iat\":1700000000,\"v\":2,\"sid\":\"sess_1\",\"sts\":\"active\",\"fva\":[1,2],"
          "\"o\":{\"id\":\"org_1\",\"slg\":\"acme\",\"rol\":\"admin\",\"per\":\"read\",\"fpm\":\"1\"},"
          "\"fea\":\"o:a\",\"pla\":\"u:p\",\"act\":{\"sub\":\"user_9\"}}";
    enum {
        WORDS = sizeof(clerk_token_record) / sizeof(apr_uintptr_t)
    };
    clerk_token_record *one = full_record(text, *state), *other = full_record(text, *state);
    apr_size_t size, pointers = 0;
    void *packed = clerk_token_record_pack(&size, one, *state);
    char *copy = apr_pmemdup(*state, packed, size);
    apr_uintptr_t words[WORDS], other_words[WORDS], moved[WORDS];

    memcpy(words, one, sizeof(words));
    memcpy(other_words, other, sizeof(words));
    memcpy(moved, clerk_token_record_unpack(copy, size, token_of(text, *state), *state), sizeof(words));
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i] == other_words[i]) {
            assert_true(words[i] == moved[i]);
        } else if (i * sizeof(words[0]) != offsetof(clerk_token_record, identity.payload)) {
            pointers++;
            assert_in_range(moved[i], (apr_uintptr_t)copy, (apr_uintptr_t)copy + size - 1);
        }
    }
    /* 2 texts and a list of the claims; 12 texts and 2 lists of the identity. */
    assert_int_equal(pointers, 17);
}

static void names_the_types_of_tokens(void **state)
{
    (void)state;
    assert_string_equal(clerk_token_type_name(CLERK_TOKEN_SESSION), "session_token");
    assert_string_equal(clerk_token_type_name(CLERK_TOKEN_API_KEY), "api_key");
    assert_string_equal(clerk_token_type_name(CLERK_TOKEN_M2M), "m2m_token");
    assert_string_equal(clerk_token_type_name(CLERK_TOKEN_OAUTH), "oauth_token");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(needs_a_clean_subject),
        fixture_test(reads_version_1),
        fixture_test(leaves_out_what_is_missing),
        fixture_test(tells_the_versions_apart),
        fixture_test(reads_version_2),
        fixture_test(decodes_permissions),
        fixture_test(never_truncates_a_mask),
        fixture_test(finds_names_by_scope),
        fixture_test(checks_the_form_of_factor_ages),
        fixture_test(knows_an_impersonation_by_any_actor),
        fixture_test(packs_the_claims),
        fixture_test(packs_empty_and_missing_lists),
        fixture_test(refuses_to_unpack_damaged_records),
        fixture_test(is_a_session),
        fixture_test(packs_machines),
        fixture_test(packs_every_pointer),
        fixture_test(names_the_types_of_tokens),
    };

    int failed = cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);

    through_cache = 1;
    return failed + cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
