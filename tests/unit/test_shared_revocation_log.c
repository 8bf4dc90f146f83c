/* SPDX-License-Identifier: Apache-2.0 */
/* The latest revocations of a machine: complete, or with a floor for what was pushed out. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "shared/revocation_log.h"

#define NOW 1800000000u
#define SINCE (NOW - 600)
#define ALL CLERK_REVOCATION_LOG_ENTRIES

static clerk_revocation_log revocations;
static clerk_revocation list[ALL];

static int set_up(void **state)
{
    (void)state;
    memset((void *)&revocations, 0, sizeof(revocations));
    return 0;
}

static void append(apr_uint32_t tag, apr_uint32_t at)
{
    const clerk_revocation one = {CLERK_REVOCATIONS_OF_ORGANIZATIONS, tag + UINT64_C(7) * UINT32_MAX, tag, at};

    clerk_revocation_log_append(&revocations, &one, SINCE);
}

static void what_was_appended_is_listed(void **state)
{
    apr_uint64_t appended;

    (void)state;
    assert_int_equal(clerk_revocation_log_list(&revocations, list, SINCE, &appended), 0);
    assert_int_equal(appended, 0);
    for (apr_uint32_t i = 0; i < 5; i++) {
        append(i, NOW + i);
    }
    assert_int_equal(clerk_revocation_log_list(&revocations, list, SINCE, &appended), 5);
    assert_int_equal(appended, 5);
    for (apr_uint32_t i = 0; i < 5; i++) {
        assert_int_equal(list[i].tag, i);
        assert_int_equal(list[i].at, NOW + i);
        assert_int_equal(list[i].place, i + UINT64_C(7) * UINT32_MAX);
        assert_int_equal(list[i].family, CLERK_REVOCATIONS_OF_ORGANIZATIONS);
    }
}

static void what_is_too_old_is_not(void **state)
{
    apr_uint64_t appended;

    (void)state;
    append(1, SINCE - 1);
    append(2, SINCE);
    assert_int_equal(clerk_revocation_log_list(&revocations, list, SINCE, &appended), 1);
    assert_int_equal(list[0].tag, 2);
    assert_int_equal(appended, 2);
}

static void what_is_pushed_out_leaves_a_floor(void **state)
{
    apr_uint64_t appended;

    (void)state;
    append(0, SINCE - 5);
    append(1, NOW + 7);
    for (apr_uint32_t i = 2; i < ALL; i++) {
        append(i, NOW);
    }
    assert_int_equal(revocations.floor, 0);
    append(ALL, NOW);
    /* Nobody misses it any more. */
    assert_int_equal(revocations.floor, 0);
    append(ALL + 1, NOW);
    assert_int_equal(revocations.floor, NOW + 7);
    append(ALL + 2, NOW);
    assert_int_equal(revocations.floor, NOW + 7);
    assert_int_equal(clerk_revocation_log_list(&revocations, list, SINCE, &appended), ALL);
    assert_int_equal(list[0].tag, 3);
    assert_int_equal(appended, ALL + 3);
}

static void a_list_says_that_an_entry_is_not_finished(void **state)
{
    apr_uint64_t appended;

    (void)state;
    append(1, NOW);
    append(2, NOW);
    append(3, NOW);
    revocations.entries[1].number = 0;
    assert_int_equal(clerk_revocation_log_list(&revocations, list, SINCE, &appended), 2);
    assert_int_equal(appended, 1);
}

#define THREADS 4
#define EACH 200

static void *append_many(void *data)
{
    for (unsigned int i = 0; i < EACH; i++) {
        append((apr_uint32_t)((uintptr_t)data * EACH + i), NOW);
    }
    return NULL;
}

static void threads_do_not_lose_any(void **state)
{
    pthread_t threads[THREADS];
    char seen[THREADS * EACH] = {0};
    apr_uint64_t appended;

    (void)state;
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, (void *)i), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(clerk_revocation_log_list(&revocations, list, SINCE, &appended), THREADS * EACH);
    assert_int_equal(appended, THREADS * EACH);
    for (int i = 0; i < THREADS * EACH; i++) {
        assert_false(seen[list[i].tag]);
        seen[list[i].tag] = 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_appended_is_listed, set_up),
        cmocka_unit_test_setup(what_is_too_old_is_not, set_up),
        cmocka_unit_test_setup(what_is_pushed_out_leaves_a_floor, set_up),
        cmocka_unit_test_setup(a_list_says_that_an_entry_is_not_finished, set_up),
        cmocka_unit_test_setup(threads_do_not_lose_any, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
