/* SPDX-License-Identifier: Apache-2.0 */
/* What was revoked, in shared memory of bounded size: nothing that was revoked is ever good again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shared/revocations.h"

#define SETS 16
#define NOW 1800000000u

static _Alignas(64) unsigned char memory[64 + SETS * 64];
static clerk_revocations table;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(clerk_revocations_size(SETS), sizeof(memory));
    memset(memory, 0, sizeof(memory));
    clerk_revocations_use(&table, memory, SETS);
    return 0;
}

static void mark(apr_uint64_t place, apr_uint32_t tag, apr_uint32_t at)
{
    const clerk_revocation revocation = {CLERK_REVOCATIONS_OF_USERS, place, tag, at};

    clerk_revocations_add(&table, &revocation);
}

static int is_revoked(apr_uint64_t place, apr_uint32_t tag, apr_int64_t issued)
{
    return !clerk_revocations_is_good(&table, CLERK_REVOCATIONS_OF_USERS, issued)
           && clerk_revocations_have(&table, place, &tag, 1, issued);
}

static clerk_revocations_stats stats(void)
{
    clerk_revocations_stats result;

    clerk_revocations_get_stats(&result, &table);
    return result;
}

static void an_empty_table_has_nothing(void **state)
{
    (void)state;
    assert_true(clerk_revocations_is_good(&table, CLERK_REVOCATIONS_OF_USERS, 0));
    assert_true(clerk_revocations_is_good(&table, CLERK_REVOCATIONS_OF_ORGANIZATIONS, 0));
    assert_false(is_revoked(1, 1, 0));
    assert_false(clerk_revocations_have(&table, 1, &(apr_uint32_t){1}, 1, 0));
    assert_int_equal(clerk_revocations_held(&table, 0), 0);
    assert_int_equal(stats().newest, 0);
    assert_int_equal(stats().capacity, SETS * 7);
}

static void what_is_older_or_of_the_same_second_is_revoked(void **state)
{
    (void)state;
    mark(3, 42, NOW);
    assert_true(is_revoked(3, 42, 0));
    assert_true(is_revoked(3, 42, NOW - 1));
    assert_true(is_revoked(3, 42, NOW));
    assert_false(is_revoked(3, 42, NOW + 1));
    assert_true(clerk_revocations_is_good(&table, CLERK_REVOCATIONS_OF_USERS, NOW + 1));
    assert_true(clerk_revocations_is_good(&table, CLERK_REVOCATIONS_OF_ORGANIZATIONS, 0));
    assert_int_equal(stats().newest, NOW);
}

static void other_names_and_places_are_not(void **state)
{
    (void)state;
    mark(3, 42, NOW);
    assert_false(is_revoked(3, 43, NOW));
    assert_false(is_revoked(4, 42, NOW));
    assert_true(clerk_revocations_have(&table, 3, (apr_uint32_t[]){1, 2, 42}, 3, NOW));
    assert_false(clerk_revocations_have(&table, 3, (apr_uint32_t[]){1, 2, 42}, 2, NOW));
}

static void a_tag_of_zero_is_a_name_too(void **state)
{
    (void)state;
    assert_false(clerk_revocations_have(&table, 3, &(apr_uint32_t){0}, 1, NOW));
    mark(3, 0, NOW);
    assert_true(is_revoked(3, 0, NOW));
}

/* Every order of the same events, some of them doubled, ends in the same. */
static void the_order_does_not_matter(void **state)
{
    (void)state;
    for (unsigned int seed = 1; seed < 200; seed++) {
        clerk_revocation events[12];

        set_up(NULL);
        srand(seed);
        for (unsigned int i = 0; i < 12; i++) {
            events[i] = (clerk_revocation){CLERK_REVOCATIONS_OF_USERS, 5, i / 4, NOW + i % 4};
        }
        for (int i = 0; i < 40; i++) {
            clerk_revocations_add(&table, &events[rand() % 12]);
        }
        for (unsigned int i = 0; i < 12; i++) {
            clerk_revocations_add(&table, &events[(i * 5 + seed) % 12]);
        }
        for (unsigned int tag = 0; tag < 3; tag++) {
            assert_true(is_revoked(5, tag, NOW + 3));
            assert_false(is_revoked(5, tag, NOW + 4));
        }
        assert_int_equal(clerk_revocations_held(&table, 0), 3);
        assert_int_equal(stats().given_way, 0);
    }
}

static void a_full_set_forgets_nothing(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 50; i++) {
        mark(2, 100 + i, NOW + i);
        for (unsigned int k = 0; k <= i; k++) {
            assert_true(is_revoked(2, 100 + k, NOW + k));
        }
    }
    assert_int_equal(clerk_revocations_held(&table, 0), 7);
    assert_int_equal(stats().given_way, 43);
    /* What gave way is the floor of this set: others in it are issued anew, once. */
    assert_true(is_revoked(2, 9999, NOW + 42));
    assert_false(is_revoked(2, 9999, NOW + 43));
    /* Other sets have nothing to do with it. */
    assert_false(is_revoked(3, 9999, NOW));
}

static void one_that_is_older_than_a_full_set_counts_too(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 7; i++) {
        mark(2, i, NOW + 100);
    }
    mark(2, 77, NOW);
    assert_true(is_revoked(2, 77, NOW));
    assert_int_equal(clerk_revocations_held(&table, 0), 7);
    mark(2, 78, NOW + 100);
    assert_true(is_revoked(2, 78, NOW + 100));
    for (unsigned int i = 0; i < 7; i++) {
        assert_true(is_revoked(2, i, NOW + 100));
    }
}

static void the_floor_of_all_sets(void **state)
{
    (void)state;
    clerk_revocations_raise_floor(&table, NOW);
    clerk_revocations_raise_floor(&table, NOW - 50);
    for (unsigned int place = 0; place < SETS; place++) {
        assert_true(is_revoked(place, 1, NOW));
        assert_false(is_revoked(place, 1, NOW + 1));
    }
    assert_false(clerk_revocations_is_good(&table, CLERK_REVOCATIONS_OF_ORGANIZATIONS, NOW));
}

/* What was good under the floor stays refused up to the second it is lowered to. */
static void a_floor_ahead_of_time_is_lowered(void **state)
{
    (void)state;
    clerk_revocations_raise_floor(&table, NOW + 7200);
    clerk_revocations_lower_floor(&table, NOW + 7200);
    assert_true(is_revoked(1, 1, NOW + 7200));
    clerk_revocations_lower_floor(&table, NOW);
    assert_true(is_revoked(1, 1, NOW));
    assert_false(is_revoked(1, 1, NOW + 1));
    clerk_revocations_lower_floor(&table, NOW + 100);
    assert_false(is_revoked(1, 1, NOW + 1));
    clerk_revocations_raise_floor(&table, NOW + 5);
    assert_true(is_revoked(1, 1, NOW + 5));
}

static void what_is_held_is_counted_by_time(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < SETS; i++) {
        mark(i, i, NOW + i);
    }
    assert_int_equal(clerk_revocations_held(&table, NOW + 4), SETS - 4);
    assert_int_equal(stats().newest, NOW + SETS - 1);
}

/* Threads: each adds its own names to the same few sets, in an order of its own. */

#define THREADS 4
#define EACH 200

static void *add_many(void *data)
{
    unsigned int thread = (unsigned int)(uintptr_t)data;

    for (unsigned int i = 0; i < EACH; i++) {
        unsigned int n = (i * 7 + thread * 13) % EACH;

        mark(n % 2, thread * EACH + n, NOW + n % 30);
        /* At any moment, what a thread has added counts for it. */
        if (!is_revoked(n % 2, thread * EACH + n, NOW + n % 30)) {
            return data;
        }
    }
    return NULL;
}

static void nothing_is_lost_among_threads(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        pthread_t threads[THREADS];
        void *failed;

        set_up(NULL);
        for (uintptr_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, add_many, (void *)(i + 1)), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], &failed);
            assert_null(failed);
        }
        for (unsigned int thread = 1; thread <= THREADS; thread++) {
            for (unsigned int n = 0; n < EACH; n++) {
                assert_true(is_revoked(n % 2, thread * EACH + n, NOW + n % 30));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_table_has_nothing, set_up),
        cmocka_unit_test_setup(what_is_older_or_of_the_same_second_is_revoked, set_up),
        cmocka_unit_test_setup(other_names_and_places_are_not, set_up),
        cmocka_unit_test_setup(a_tag_of_zero_is_a_name_too, set_up),
        cmocka_unit_test_setup(the_order_does_not_matter, set_up),
        cmocka_unit_test_setup(a_full_set_forgets_nothing, set_up),
        cmocka_unit_test_setup(one_that_is_older_than_a_full_set_counts_too, set_up),
        cmocka_unit_test_setup(the_floor_of_all_sets, set_up),
        cmocka_unit_test_setup(a_floor_ahead_of_time_is_lowered, set_up),
        cmocka_unit_test_setup(what_is_held_is_counted_by_time, set_up),
        cmocka_unit_test_setup(nothing_is_lost_among_threads, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
