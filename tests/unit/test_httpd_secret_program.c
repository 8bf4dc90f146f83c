/* SPDX-License-Identifier: Apache-2.0 */
/* Fault A14: a program has a time limit, however it manages not to end. */
#include "jose_fixture.h"

#include <signal.h>

#include "httpd/config/secret_program.h"

#define MAX 1000
#define LONG apr_time_from_sec(60)
/* Long enough for a shell to start and write on a machine that is busy. */
#define SHORT apr_time_from_sec(2)

static apr_status_t run(char **poutput, const char *script, apr_interval_time_t limit, apr_pool_t *pool)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    apr_size_t len;
    apr_status_t rv = clerk_secret_program_run(poutput, &len, argv, MAX, limit, pool);

    if (*poutput) {
        assert_int_equal(len, strlen(*poutput));
    }
    return rv;
}

static void programs(void **state)
{
    static const struct {
        const char *script;
        apr_interval_time_t limit;
        apr_status_t rv;
        const char *output;
    } rows[] = {
        {"echo one; echo two", LONG, APR_SUCCESS, "one\ntwo\n"},
        {":", LONG, APR_SUCCESS, ""},
        {"exec >&-; sleep 0.1", LONG, APR_SUCCESS, ""},
        {"(sleep 0.1; echo late) &", LONG, APR_SUCCESS, "late\n"},
        {"sleep 1000 >/dev/null & echo $!", LONG, APR_SUCCESS, NULL},
        {"echo no; exit 3", LONG, APR_EGENERAL, "no\n"},
        {"kill -9 $$", LONG, APR_EGENERAL, ""},
        {"printf %01000d 1", LONG, APR_SUCCESS, NULL},
        {"printf %01001d 1", LONG, APR_ENOSPC, NULL},
        {"while :; do echo much; done", LONG, APR_ENOSPC, NULL},
        {"echo some; exec sleep 1000", SHORT, APR_TIMEUP, "some\n"},
        {"exec >&-; exec sleep 1000", SHORT, APR_TIMEUP, ""},
        {"sleep 10 & echo some", SHORT, APR_TIMEUP, "some\n"},
        {"trap '' TERM INT HUP PIPE; while :; do sleep 0.01; done", SHORT, APR_TIMEUP, ""},
    };
    apr_pool_t *pool = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        apr_time_t begun = apr_time_now();
        char *output;

        assert_int_equal(run(&output, rows[i].script, rows[i].limit, pool), rows[i].rv);
        assert_non_null(output);
        if (rows[i].output) {
            assert_string_equal(output, rows[i].output);
        }
        if (strstr(rows[i].script, "$!")) {
            assert_int_equal(kill((pid_t)atoi(output), SIGKILL), 0);
        }
        assert_true(apr_time_now() - begun < LONG);
    }
}

static void a_program_that_does_not_end_is_killed(void **state)
{
    char *output;

    assert_int_equal(run(&output, "echo $$; exec sleep 1000", SHORT, *state), APR_TIMEUP);
    assert_int_equal(kill((pid_t)atoi(output), 0), -1);
}

static void what_is_no_program(void **state)
{
    const char *const argv[] = {"/nonexistent/program", NULL};
    apr_size_t len;
    char *output;

    assert_int_not_equal(clerk_secret_program_run(&output, &len, argv, MAX, LONG, *state), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(programs),
        fixture_test(a_program_that_does_not_end_is_killed),
        fixture_test(what_is_no_program),
    };

    return cmocka_run_group_tests(tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
