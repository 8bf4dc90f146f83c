/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include "shared/log.h"

static char last[2048];
static int last_number, lines;
static clerk_log_level last_level;

static void sink(void *baton, clerk_log_level level, int number, const char *text)
{
    assert_string_equal(baton, "baton");
    assert_true(strlen(text) < 1024);
    apr_cpystrn(last, text, sizeof(last));
    last_number = number;
    last_level = level;
    lines++;
}

static void lines_are_clean_and_bounded(void **state)
{
    char longest[3000], baton[] = "baton";

    (void)state;
    clerk_log(CLERK_LOG_ERROR, 1, "nobody hears %s", "this");
    clerk_log_set_sink(sink, baton);
    clerk_log(CLERK_LOG_WARNING, 1234, "instance %s: %d\n%s", "a\x1b[31mb", 7, "\x7f\x01\tc\xc3\xa9");
    assert_string_equal(last, "instance a?[31mb: 7????c\xc3\xa9");
    assert_int_equal(last_number, 1234);
    assert_int_equal(last_level, CLERK_LOG_WARNING);
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    clerk_log(CLERK_LOG_DEBUG, 1, "%s", longest);
    assert_int_equal(strlen(last), 1023);
    clerk_log_set_sink(NULL, NULL);
    clerk_log(CLERK_LOG_ERROR, 1, "again nobody");
    assert_int_equal(lines, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_clean_and_bounded)};

    return cmocka_run_group_tests_name("shared/log", tests, NULL, NULL);
}
