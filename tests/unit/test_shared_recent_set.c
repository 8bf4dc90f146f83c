/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen lately, in shared memory: known for a while, forgotten early only where too much comes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "shared/recent_set.h"

#define WORDS 64
#define NOW apr_time_from_sec(1700000000)
#define KEEP apr_time_from_sec(600)

static _Atomic apr_uint64_t words[WORDS];
static const clerk_recent_set set = {words, WORDS};

static int set_up(void **state)
{
    (void)state;
    memset((void *)words, 0, sizeof(words));
    return 0;
}

/* Digests are spread over all bits. */
static apr_uint64_t digest(unsigned int number)
{
    return (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* One that is in the same four words as @a number. */
static apr_uint64_t neighbour(unsigned int number, unsigned int which)
{
    return digest(number) + (apr_uint64_t)which * (WORDS / 4) * (UINT64_C(1) << 36);
}

static void a_digest_is_new_once(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < WORDS / 8; i++) {
        assert_true(clerk_recent_set_add(set, digest(i), NOW, KEEP));
    }
    for (unsigned int i = 0; i < WORDS / 8; i++) {
        assert_false(clerk_recent_set_add(set, digest(i), NOW + apr_time_from_sec(i), KEEP));
    }
}

static void it_is_known_as_long_as_it_has_to_be(void **state)
{
    (void)state;
    assert_true(clerk_recent_set_add(set, digest(1), NOW, KEEP));
    assert_false(clerk_recent_set_add(set, digest(1), NOW + KEEP, KEEP));
    assert_true(clerk_recent_set_add(set, digest(1), NOW + KEEP + apr_time_from_sec(2), KEEP));
}

static void the_oldest_is_forgotten_early(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        assert_true(clerk_recent_set_add(set, neighbour(1, i), NOW + apr_time_from_sec(60 * i), KEEP));
    }
    assert_true(clerk_recent_set_add(set, neighbour(1, 4), NOW + apr_time_from_sec(300), KEEP));
    for (unsigned int i = 1; i < 5; i++) {
        assert_false(clerk_recent_set_add(set, neighbour(1, i), NOW + apr_time_from_sec(300), KEEP));
    }
    assert_true(clerk_recent_set_add(set, neighbour(1, 0), NOW + apr_time_from_sec(300), KEEP));
}

static void a_clock_that_goes_back_forgets_nothing(void **state)
{
    (void)state;
    assert_true(clerk_recent_set_add(set, digest(1), NOW, KEEP));
    assert_false(clerk_recent_set_add(set, digest(1), NOW - apr_time_from_sec(60), KEEP));
    assert_false(clerk_recent_set_add(set, digest(1), NOW - KEEP, KEEP));
}

/* Or a clock that was wrong once would keep what is due from being done for as long. */
static void what_was_added_far_in_the_future_has_lapsed(void **state)
{
    (void)state;
    assert_true(clerk_recent_set_add(set, digest(1), NOW + apr_time_from_sec(86400), KEEP));
    assert_true(clerk_recent_set_add(set, digest(1), NOW, KEEP));
    assert_false(clerk_recent_set_add(set, digest(1), NOW, KEEP));
}

static void a_second_is_enough_to_tell(void **state)
{
    (void)state;
    for (int second = 0; second < 600; second += 3) {
        apr_time_t now = NOW + apr_time_from_sec(second);

        assert_true(clerk_recent_set_add(set, digest(1), now, apr_time_from_sec(2)));
        assert_false(clerk_recent_set_add(set, digest(1), now + apr_time_from_sec(2), apr_time_from_sec(2)));
    }
}

static void what_has_lapsed_makes_room(void **state)
{
    apr_time_t later = NOW + 2 * KEEP;

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        assert_true(clerk_recent_set_add(set, neighbour(1, i), NOW, KEEP));
    }
    for (unsigned int i = 4; i < 8; i++) {
        assert_true(clerk_recent_set_add(set, neighbour(1, i), later, KEEP));
    }
    for (unsigned int i = 4; i < 8; i++) {
        assert_false(clerk_recent_set_add(set, neighbour(1, i), later, KEEP));
    }
}

static void *add_all(void *data)
{
    size_t *pnew = data;

    for (unsigned int i = 0; i < WORDS / 8; i++) {
        *pnew += (size_t)clerk_recent_set_add(set, digest(i), NOW, KEEP);
    }
    return NULL;
}

static void of_many_threads_one_is_told_that_it_is_new(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        pthread_t threads[4];
        size_t counts[4] = {0}, sum = 0;

        set_up(NULL);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, add_all, &counts[i]), 0);
        }
        for (size_t i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            sum += counts[i];
        }
        assert_int_equal(sum, WORDS / 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_digest_is_new_once, set_up),
        cmocka_unit_test_setup(it_is_known_as_long_as_it_has_to_be, set_up),
        cmocka_unit_test_setup(the_oldest_is_forgotten_early, set_up),
        cmocka_unit_test_setup(a_clock_that_goes_back_forgets_nothing, set_up),
        cmocka_unit_test_setup(what_was_added_far_in_the_future_has_lapsed, set_up),
        cmocka_unit_test_setup(a_second_is_enough_to_tell, set_up),
        cmocka_unit_test_setup(what_has_lapsed_makes_room, set_up),
        cmocka_unit_test_setup(of_many_threads_one_is_told_that_it_is_new, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
