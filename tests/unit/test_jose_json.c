/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits.h>

#include "jose/json.h"

#define CASE(text, status)                                                                                             \
    {                                                                                                                  \
        text, sizeof(text) - 1, status                                                                                 \
    }

static const struct {
    const char *text;
    size_t len;
    jose_status status;
} cases[] = {
    CASE("{}", JOSE_OK),
    CASE(" \t\r\n{ \"a\" : 1 } \n", JOSE_OK),
    CASE("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}", JOSE_OK),
    CASE("{\"a\":\"[[[[[[[[[[[[[[[[[[[[{{{{{\"}", JOSE_OK),
    CASE("{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[\\\\\",\"b\":[]}", JOSE_OK),
    CASE("{\"a\":\"\\u00e9\\ud83d\\ude00\",\"b\":\"\xc3\xa9\"}", JOSE_OK),
    /* the root */
    CASE("", JOSE_MALFORMED),
    CASE(" ", JOSE_MALFORMED),
    CASE("null", JOSE_MALFORMED),
    CASE("true", JOSE_MALFORMED),
    CASE("1", JOSE_MALFORMED),
    CASE("\"{}\"", JOSE_MALFORMED),
    CASE("[]", JOSE_MALFORMED),
    CASE("[{}]", JOSE_MALFORMED),
    CASE("{", JOSE_MALFORMED),
    CASE("}", JOSE_MALFORMED),
    CASE("{\"a\":1", JOSE_MALFORMED),
    CASE("{\"a\":1,}", JOSE_MALFORMED),
    CASE("{'a':1}", JOSE_MALFORMED),
    CASE("{a:1}", JOSE_MALFORMED),
    CASE("{\"a\":1/**/}", JOSE_MALFORMED),
    /* duplicate names, also if they are spelled differently */
    CASE("{\"a\":1,\"a\":1}", JOSE_MALFORMED),
    CASE("{\"a\":1,\"b\":2,\"a\":3}", JOSE_MALFORMED),
    CASE("{\"a\":1,\"\\u0061\":1}", JOSE_MALFORMED),
    CASE("{\"x\":{\"a\":1,\"a\":1}}", JOSE_MALFORMED),
    CASE("{\"x\":[{\"a\":1,\"a\":1}]}", JOSE_MALFORMED),
    CASE("{\"a\":1,\"A\":1}", JOSE_OK),
    /* trailing data */
    CASE("{}{}", JOSE_MALFORMED),
    CASE("{} x", JOSE_MALFORMED),
    CASE("{},", JOSE_MALFORMED),
    CASE("{}\0", JOSE_MALFORMED),
    CASE("{}\0{}", JOSE_MALFORMED),
    CASE("\0{}", JOSE_MALFORMED),
    /* encoding */
    CASE("\xef\xbb\xbf{}", JOSE_MALFORMED),
    CASE("{\"a\":\"\xff\"}", JOSE_MALFORMED),
    CASE("{\"a\":\"\xc3\"}", JOSE_MALFORMED),
    CASE("{\"a\":\"\xc0\xaf\"}", JOSE_MALFORMED),
    CASE("{\"a\":\"\xed\xa0\x80\"}", JOSE_MALFORMED),
    CASE("{\"a\":\"\xf4\x90\x80\x80\"}", JOSE_MALFORMED),
    CASE("{\"\xff\":1}", JOSE_MALFORMED),
    CASE("{\"a\":\"\\ud800\"}", JOSE_MALFORMED),
    CASE("{\"a\":\"\\udc00\\ud800\"}", JOSE_MALFORMED),
    CASE("{\"a\":\"\\x41\"}", JOSE_MALFORMED),
    CASE("{\0\"a\":1}", JOSE_MALFORMED),
    CASE("{\"a\":\"\\u0000\"}", JOSE_MALFORMED),
    CASE("{\"a\":\"x\\u0000y\"}", JOSE_MALFORMED),
    CASE("{\"a\\u0000\":1}", JOSE_MALFORMED),
    CASE("{\"a\":\"x\0y\"}", JOSE_MALFORMED),
    CASE("{\"a\":\"x\ny\"}", JOSE_MALFORMED),
    /* numbers */
    CASE("{\"a\":9223372036854775807}", JOSE_OK),
    CASE("{\"a\":-9223372036854775808}", JOSE_OK),
    CASE("{\"a\":9223372036854775808}", JOSE_MALFORMED),
    CASE("{\"a\":123456789012345678901234567890}", JOSE_MALFORMED),
    CASE("{\"a\":-123456789012345678901234567890}", JOSE_MALFORMED),
    CASE("{\"a\":1e300}", JOSE_OK),
    CASE("{\"a\":1.5}", JOSE_OK),
    CASE("{\"a\":1e400}", JOSE_MALFORMED),
    CASE("{\"a\":-1e400}", JOSE_MALFORMED),
    CASE("{\"a\":NaN}", JOSE_MALFORMED),
    CASE("{\"a\":Infinity}", JOSE_MALFORMED),
    CASE("{\"a\":0x10}", JOSE_MALFORMED),
    CASE("{\"a\":01}", JOSE_MALFORMED),
    CASE("{\"a\":+1}", JOSE_MALFORMED),
    CASE("{\"a\":.5}", JOSE_MALFORMED),
    CASE("{\"a\":1.}", JOSE_MALFORMED),
};

static void parses_strictly(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *object;

        assert_status(jose_json_parse_object(&object, cases[i].text, cases[i].len, JOSE_JSON_MAX_DEPTH, *state),
                      cases[i].status, cases[i].text);
        assert_int_equal(object != NULL, cases[i].status == JOSE_OK);
    }
}

/* {"a":{"a":...{}...}} or {"a":[[...]]}, `depth` levels in all. */
static char *nested(unsigned int depth, int arrays, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, arrays && depth > 1 ? "[]" : "{}");

    for (unsigned int i = 1; i + 1 < depth; i++) {
        text = apr_pstrcat(pool, arrays ? "[" : "{\"a\":", text, arrays ? "]" : "}", NULL);
    }
    return depth > 1 ? apr_pstrcat(pool, "{\"a\":", text, "}", NULL) : text;
}

static void bounds_the_depth(void **state)
{
    static const unsigned int depths[] = {1, 2, 15, 16, 17, 18, 200};

    for (size_t i = 0; i < COUNT(depths); i++) {
        for (int arrays = 0; arrays < 2; arrays++) {
            char *text = nested(depths[i], arrays, *state);
            json_t *object;

            assert_status(jose_json_parse_object(&object, text, strlen(text), JOSE_JSON_MAX_DEPTH, *state),
                          depths[i] <= 16 ? JOSE_OK : JOSE_TOO_LARGE, text);
        }
    }
}

static void takes_another_depth(void **state)
{
    json_t *object;

    assert_int_equal(jose_json_parse_object(&object, "{\"a\":[]}", 8, 2, *state), JOSE_OK);
    assert_int_equal(jose_json_parse_object(&object, "{\"a\":[]}", 8, 1, *state), JOSE_TOO_LARGE);
    assert_int_equal(jose_json_parse_object(&object, "{}", 2, 1, *state), JOSE_OK);
    assert_int_equal(jose_json_parse_object(&object, "{}", 2, 0, *state), JOSE_TOO_LARGE);
    assert_int_equal(jose_json_parse_object(&object, "{\"a\":[]}", 8, UINT_MAX, *state), JOSE_OK);
    /* siblings are not nested */
    assert_int_equal(jose_json_parse_object(&object, "{\"a\":[],\"b\":[],\"c\":{}}", 22, 2, *state), JOSE_OK);
}

#define TWENTY "[{[{[{[{[{[{[{[{[{[{"
#define DEEP(inside) "{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[" inside "]}]}]}]}]}]}]}]}"
#define SIBLINGS "{},{},{},{},{},{},{},{},{},{},[],[],[],[],[],[],[],[],[],[]"

/* Brackets in strings, and brackets that add no depth, around the limit. */
static void tells_depth_from_brackets(void **state)
{
    static const struct {
        const char *text;
        jose_status status;
    } depths[] = {
        {"{\"a\":\"" TWENTY "\"}", JOSE_OK},
        {"{\"" TWENTY "\":1,\"b\":[\"" TWENTY "\"]}", JOSE_OK},
        {"{\"a\":\"\\\"" TWENTY "\\\\\",\"b\":\"" TWENTY "\"}", JOSE_OK},
        {"{\"a\":[" SIBLINGS "," SIBLINGS "]}", JOSE_OK},
        {DEEP(""), JOSE_OK},
        {DEEP("1"), JOSE_OK},
        {DEEP("\"" TWENTY "\""), JOSE_OK},
        {DEEP("],\"b\":["), JOSE_OK},
        {DEEP("[]"), JOSE_TOO_LARGE},
        {DEEP("{}"), JOSE_TOO_LARGE},
        {DEEP("\"" TWENTY "\",{}"), JOSE_TOO_LARGE},
        {DEEP("\"]}]}\",[]"), JOSE_TOO_LARGE},
        {DEEP("\"\\\"]}]}\",[]"), JOSE_TOO_LARGE},
        {DEEP("],\"b\":[[]"), JOSE_TOO_LARGE},
        /* not JSON */
        {"[[[[[[[[{{{{{{{{", JOSE_MALFORMED},
        {"[[[[[[[[{{{{{{{{[", JOSE_TOO_LARGE},
        {"{}{}{}{}{}{}{}{}{}{}[][][][][][][][][][]", JOSE_MALFORMED},
        {"\"" TWENTY, JOSE_MALFORMED},
        {TWENTY "\"", JOSE_TOO_LARGE},
    };

    for (size_t i = 0; i < COUNT(depths); i++) {
        const char *text = depths[i].text;
        json_t *object;

        assert_status(jose_json_parse_object(&object, text, strlen(text), JOSE_JSON_MAX_DEPTH, *state),
                      depths[i].status, text);
        assert_int_equal(object != NULL, depths[i].status == JOSE_OK);
    }
}

static void survives_a_flood_of_brackets(void **state)
{
    char *text = apr_palloc(*state, 1000000);
    json_t *object;

    memset(text, '[', 1000000);
    assert_int_equal(jose_json_parse_object(&object, text, 1000000, JOSE_JSON_MAX_DEPTH, *state), JOSE_TOO_LARGE);
}

static void reads_string_members(void **state)
{
    const char *text = "{\"s\":\"x\",\"n\":1,\"z\":null,\"e\":\"\"}";
    json_t *object;

    assert_int_equal(jose_json_parse_object(&object, text, strlen(text), 16, *state), JOSE_OK);
    assert_string_equal(jose_json_string(object, "s"), "x");
    assert_string_equal(jose_json_string(object, "e"), "");
    assert_null(jose_json_string(object, "n"));
    assert_null(jose_json_string(object, "z"));
    assert_null(jose_json_string(object, "absent"));
    assert_null(jose_json_string(NULL, "s"));
}

static void has_a_text_for_every_status(void **state)
{
    int i, j;

    (void)state;
    for (i = JOSE_OK; i <= JOSE_INTERNAL; i++) {
        assert_non_null(jose_status_text((jose_status)i));
        for (j = JOSE_OK; j < i; j++) {
            assert_string_not_equal(jose_status_text((jose_status)i), jose_status_text((jose_status)j));
        }
    }
}

/* A7: jansson goes on after a failed allocation, and what it builds lacks something. */
static void ends_the_process_without_memory(void **state)
{
    json_malloc_t allocate;
    json_free_t release;
    pid_t child;
    int status;

    (void)state;
    jose_json_end_without_memory();
    json_get_alloc_funcs(&allocate, &release);
    release(allocate(16));
    child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        /* All that there is: a fraction of it is to be had where there are 32 bits. */
        release(allocate((size_t)-1));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    jose_json_restore_memory();
    json_get_alloc_funcs(&allocate, &release);
    assert_true(allocate == malloc && release == free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_the_process_without_memory),
        fixture_test(parses_strictly),
        fixture_test(bounds_the_depth),
        fixture_test(takes_another_depth),
        fixture_test(tells_depth_from_brackets),
        fixture_test(survives_a_flood_of_brackets),
        fixture_test(reads_string_members),
        fixture_test(has_a_text_for_every_status),
    };

    return cmocka_run_group_tests_name("jose_json", tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
