/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include "clerk/session/claim.h"
#include "jose/json.h"

static json_t *claims_of(const char *text, apr_pool_t *pool)
{
    json_t *claims;

    if (jose_json_parse_object(&claims, text, strlen(text), JOSE_JSON_MAX_DEPTH, pool) != JOSE_OK) {
        fail_msg("not JSON: %s", text);
    }
    return claims;
}

typedef struct row {
    const char *claims;
    const char *path;
    const char *text; /* NULL: none */
} row;

static void assert_rows(const row *rows, size_t count, apr_pool_t *pool)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *claims = claims_of(rows[i].claims, pool);
        const char *text = clerk_claim_encode(clerk_claim_find(claims, rows[i].path, pool), pool);

        if (!rows[i].text != !text || (text && strcmp(text, rows[i].text))) {
            fail_msg("%s of %s: %s", rows[i].path, rows[i].claims, text ? text : "(none)");
        }
    }
}

static void finds_nested_claims(void **state)
{
    static const row rows[] = {
        {"{\"sub\":\"user_1\"}", "sub", "user_1"},
        {"{\"sub\":\"user_1\"}", "su", NULL},
        {"{\"sub\":\"user_1\"}", "sub.x", NULL},
        {"{\"sub\":\"user_1\"}", "", NULL},
        {"{\"\":\"x\"}", "", "x"},
        {"{\"o\":{\"id\":\"org_1\"}}", "o.id", "org_1"},
        {"{\"o\":{\"id\":\"org_1\"}}", "o.", NULL},
        {"{\"o\":{\"id\":\"org_1\"}}", ".o.id", NULL},
        {"{\"o\":{\"id\":\"org_1\"}}", "o..id", NULL},
        {"{\"a\":{\"b\":{\"c\":\"d\"}}}", "a.b.c", "d"},
        {"{\"a\":null}", "a", NULL},
        {"{\"a\":{\"b\":null}}", "a.b", NULL},
        {"{\"a\":[{\"b\":1}]}", "a.b", NULL},
        {"{\"a\":[{\"b\":1}]}", "a.0.b", NULL},
    };

    assert_rows(rows, COUNT(rows), *state);
}

static void names_with_dots_win_over_nesting(void **state)
{
    static const row rows[] = {
        {"{\"https://example.com/roles\":\"x\"}", "https://example.com/roles", "x"},
        {"{\"https://example.com/\":{\"roles\":\"x\"}}", "https://example.com/.roles", "x"},
        {"{\"a.b\":\"whole\",\"a\":{\"b\":\"nested\"}}", "a.b", "whole"},
        {"{\"a.b\":{\"c\":\"long\"},\"a\":{\"b\":{\"c\":\"short\"},\"b.c\":\"other\"}}", "a.b.c", "long"},
        {"{\"a.b\":{\"x\":1},\"a\":{\"b\":{\"c\":\"short\"}}}", "a.b.c", "short"},
        {"{\"a.b\":{\"x\":1},\"a\":{\"b.c\":\"mid\",\"b\":{\"c\":\"short\"}}}", "a.b.c", "mid"},
        {"{\"a.b\":\"scalar\",\"a\":{\"b\":{\"c\":\"below\"}}}", "a.b.c", "below"},
    };

    assert_rows(rows, COUNT(rows), *state);
}

static void encodes_every_kind_of_value(void **state)
{
    static const row rows[] = {
        {"{\"a\":\"\"}", "a", ""},
        {"{\"a\":\"Z\\u00fcrich \\ud83d\\ude00\"}", "a", "Z\xc3\xbcrich \xf0\x9f\x98\x80"},
        {"{\"a\":5}", "a", "5"},
        {"{\"a\":-1}", "a", "-1"},
        {"{\"a\":9007199254740993}", "a", "9007199254740993"},
        {"{\"a\":0.1}", "a", "0.1"},
        {"{\"a\":1.50}", "a", "1.5"},
        {"{\"a\":0.30000000000000004}", "a", "0.30000000000000004"},
        {"{\"a\":true}", "a", "true"},
        {"{\"a\":false}", "a", "false"},
        {"{\"a\":[]}", "a", ""},
        {"{\"a\":[\"x\"]}", "a", "x"},
        {"{\"a\":[\"x\",2,true,null,0.1]}", "a", "x,2,true,null,0.1"},
        {"{\"a\":[\"x,y\",\"z\"]}", "a", "[\"x,y\",\"z\"]"},
        {"{\"a\":[[1,2],3]}", "a", "[[1,2],3]"},
        {"{\"a\":[{\"b\":1}]}", "a", "[{\"b\":1}]"},
        {"{\"a\":{}}", "a", "{}"},
        {"{\"a\":{\"b\":[1,0.1],\"c\":\"\\u00fc\"}}", "a", "{\"b\":[1,0.1],\"c\":\"\xc3\xbc\"}"},
    };

    assert_rows(rows, COUNT(rows), *state);
}

static void leaves_control_characters_out(void **state)
{
    static const row rows[] = {
        {"{\"a\":\"x\\ny\"}", "a", NULL},
        {"{\"a\":\"x\\ry\"}", "a", NULL},
        {"{\"a\":\"x\\ty\"}", "a", NULL},
        {"{\"a\":\"\\u001b\"}", "a", NULL},
        {"{\"a\":\"\\u007f\"}", "a", NULL},
        {"{\"a\":\"x\\u0085\"}", "a", NULL},
        {"{\"a\":[\"x\",\"\\u2028\"]}", "a", NULL},
        {"{\"a\":[\"x\",\"y\\n\"]}", "a", NULL},
        {"{\"a\":{\"b\":\"\\u007f\"}}", "a", NULL},
        {"{\"a\":{\"b\":\"x\\ny\"}}", "a", "{\"b\":\"x\\ny\"}"}, /* escaped as in JSON */
    };

    assert_rows(rows, COUNT(rows), *state);
}

static void bounds_the_text(void **state)
{
    apr_pool_t *pool = *state;
    char *filler = apr_palloc(pool, CLERK_CLAIM_TEXT_MAX + 2);
    const json_t *claims;

    memset(filler, 'x', CLERK_CLAIM_TEXT_MAX + 1);
    filler[CLERK_CLAIM_TEXT_MAX + 1] = '\0';
    claims = claims_of(apr_pstrcat(pool, "{\"long\":\"", filler, "\",\"fits\":\"", filler + 1, "\"}", NULL), pool);
    assert_null(clerk_claim_encode(clerk_claim_find(claims, "long", pool), pool));
    assert_int_equal(strlen(clerk_claim_encode(clerk_claim_find(claims, "fits", pool), pool)), CLERK_CLAIM_TEXT_MAX);
}

static void gives_texts_to_compare_with(void **state)
{
    static const struct {
        const char *value;
        const char *texts; /* each followed by | */
    } rows[] = {
        {"\"x\"", "x|"},
        {"\"\"", "|"},
        {"5", "5|"},
        {"true", "true|"},
        {"[]", ""},
        {"{}", ""},
        {"{\"b\":\"x\"}", ""},
        {"[\"x\",5,false]", "x|5|false|"},
        {"[\"x,y\",[\"z\"],{\"b\":1}]", "x,y|"},
        {"null", ""},
        {"\"x\\ny\"", "x\ny|"},
    };
    apr_pool_t *pool = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const json_t *claims = claims_of(apr_pstrcat(pool, "{\"a\":", rows[i].value, "}", NULL), pool);
        const apr_array_header_t *texts = clerk_claim_texts(clerk_claim_find(claims, "a", pool), pool);
        const char *all = "";
        int j;

        for (j = 0; j < texts->nelts; j++) {
            all = apr_pstrcat(pool, all, APR_ARRAY_IDX(texts, j, const char *), "|", NULL);
        }
        assert_string_equal(all, rows[i].texts);
    }
}

static void numbers_are_written_as_javascript_does(void **state)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "0"},
        {5, "5"},
        {-1, "-1"},
        {0.5, "0.5"},
        {-0.5, "-0.5"},
        {10.25, "10.25"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {100000, "100000"},
        {1e15, "1000000000000000"},
        {9007199254740991.0, "9007199254740991"},
        {1e-7, "1e-7"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(clerk_claim_number(rows[i].number, *state), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(finds_nested_claims),
        fixture_test(names_with_dots_win_over_nesting),
        fixture_test(encodes_every_kind_of_value),
        fixture_test(leaves_control_characters_out),
        fixture_test(bounds_the_text),
        fixture_test(gives_texts_to_compare_with),
        fixture_test(numbers_are_written_as_javascript_does),
    };

    return cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
