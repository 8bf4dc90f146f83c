/* SPDX-License-Identifier: Apache-2.0 */
/* A line of JSON: what each byte becomes, where texts are cut, and that a line is JSON and bounded whatever the texts.
 */
#include "jose_fixture.h"

#include <jansson.h>

#include "text/json_line.h"

static const char *line_of(clerk_json_line *line, const char *text, size_t most)
{
    clerk_json_line_begin(line);
    clerk_json_line_text(line, "a", text, most);
    clerk_json_line_end(line);
    line->bytes[line->len] = '\0';
    return line->bytes;
}

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        size_t most;
        const char *line;
    } rows[] = {
        {NULL, 8, "{\"a\":null}\n"},
        {"", 8, "{\"a\":\"\"}\n"},
        {"plain", 8, "{\"a\":\"plain\"}\n"},
        {"\"\\/", 8, "{\"a\":\"\\\"\\\\/\"}\n"},
        {"\n", 8, "{\"a\":\"\\u000a\"}\n"},
        {"\x01\x1f\x7f", 80, "{\"a\":\"\\u0001\\u001f\\u007f\"}\n"},
        {"\xc2\x80\xc2\x9f\xc2\xa0", 80, "{\"a\":\"\\u0080\\u009f\xc2\xa0\"}\n"},
        {"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 80, "{\"a\":\"\\u2028\\u2029\xe2\x80\xaa\"}\n"},
        {"z\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80", 80, "{\"a\":\"z\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80\"}\n"},
        {"\xff\xc3", 80, "{\"a\":\"\\ufffd\\ufffd\"}\n"},
        {"\xc0\xaf", 80, "{\"a\":\"\\ufffd\\ufffd\"}\n"},            /* too long for its character */
        {"\xed\xa0\x80", 80, "{\"a\":\"\\ufffd\\ufffd\\ufffd\"}\n"}, /* a surrogate */
        {"12345678", 8, "{\"a\":\"12345678\"}\n"},
        {"123456789", 8, "{\"a\":\"12345\xe2\x80\xa6\",\"cut\":true}\n"},
        {"1234\n", 8, "{\"a\":\"1234\xe2\x80\xa6\",\"cut\":true}\n"},
        {"123\n", 9, "{\"a\":\"123\\u000a\"}\n"},
        {"1\n2", 8, "{\"a\":\"1\\u000a2\"}\n"},
        {"\n23", 8, "{\"a\":\"\\u000a23\"}\n"},
        {"\n234", 8, "{\"a\":\"\xe2\x80\xa6\",\"cut\":true}\n"},
        {"1234\xf0\x9f\x98\x80"
         "9",
         8, "{\"a\":\"1234\xe2\x80\xa6\",\"cut\":true}\n"},
    };
    clerk_json_line *line = malloc(sizeof(*line));

    (void)state;
    assert_non_null(line);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(line_of(line, rows[i].text, rows[i].most), rows[i].line);
    }
    free(line);
}

static void test_members(void **state)
{
    clerk_json_line line;

    (void)state;
    clerk_json_line_begin(&line);
    clerk_json_line_number(&line, "one", -2147483647 - 1);
    clerk_json_line_text(&line, "two", "x", 8);
    clerk_json_line_number(&line, "three", 200);
    clerk_json_line_end(&line);
    line.bytes[line.len] = '\0';
    assert_string_equal(line.bytes, "{\"one\":-2147483648,\"two\":\"x\",\"three\":200}\n");
}

/* Every length of a long text, of characters of every size, before other members: JSON, and within the bound. */
static void test_every_line_is_json_and_bounded(void **state)
{
    static const char *const units[] = {"x", "\"", "\n", "\xff", "\xc3\xb6", "\xf0\x9f\x98\x80"};
    char *text = malloc(2 * CLERK_JSON_LINE_MAX + 1);
    clerk_json_line line;

    (void)state;
    assert_non_null(text);
    for (size_t unit = 0; unit < sizeof(units) / sizeof(units[0]); unit++) {
        size_t len = 0, unit_len = strlen(units[unit]);

        while (len + unit_len <= CLERK_JSON_LINE_MAX + 16) {
            json_t *json;

            memcpy(text + len, units[unit], unit_len + 1);
            len += unit_len;
            if (len < CLERK_JSON_LINE_MAX / 7 && len % 16) {
                continue;
            }
            clerk_json_line_begin(&line);
            clerk_json_line_text(&line, "long", text, CLERK_JSON_LINE_MAX);
            clerk_json_line_text(&line, "other", text, 100);
            clerk_json_line_text(&line, "none", NULL, 8);
            clerk_json_line_number(&line, "number", 1);
            clerk_json_line_end(&line);
            assert_true(line.len <= CLERK_JSON_LINE_MAX);
            assert_int_equal(line.bytes[line.len - 1], '\n');
            assert_null(memchr(line.bytes, '\n', line.len - 1));
            json = json_loadb(line.bytes, line.len, 0, NULL);
            assert_true(json_is_object(json));
            assert_int_equal(json_is_true(json_object_get(json, "cut")), line.cut);
            json_decref(json);
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_every_line_is_json_and_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
