/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded set of digests in shared memory: it may forget, and never has what was not added. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "shared/digest_set.h"

#define WORDS 64

static _Atomic apr_uint64_t words[WORDS];
static const clerk_digest_set set = {words, WORDS};

static int set_up(void **state)
{
    (void)state;
    memset(words, 0, sizeof(words));
    return 0;
}

/* Digests are spread over all bits. */
static apr_uint64_t digest(unsigned int number)
{
    return (number + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static void what_was_added_is_there_until_it_is_removed(void **state)
{
    (void)state;
    assert_false(clerk_digest_set_has(set, digest(1)));
    clerk_digest_set_add(set, digest(1));
    clerk_digest_set_add(set, digest(1));
    assert_true(clerk_digest_set_has(set, digest(1)));
    assert_false(clerk_digest_set_has(set, digest(2)));
    clerk_digest_set_remove(set, digest(2));
    assert_true(clerk_digest_set_has(set, digest(1)));
    clerk_digest_set_remove(set, digest(1));
    assert_false(clerk_digest_set_has(set, digest(1)));
}

static void the_latest_is_there_however_many_there_were(void **state)
{
    unsigned int there = 0;

    (void)state;
    for (unsigned int i = 0; i < 10000; i++) {
        clerk_digest_set_add(set, digest(i));
        assert_true(clerk_digest_set_has(set, digest(i)));
        assert_false(clerk_digest_set_has(set, digest(i + 1)));
    }
    for (unsigned int i = 0; i < 10000; i++) {
        there += (unsigned int)clerk_digest_set_has(set, digest(i));
    }
    assert_in_range(there, WORDS / 2, WORDS);
}

static void four_fit_in_the_same_place(void **state)
{
    (void)state;
    /* Equal but for bits that do not choose the place. */
    for (unsigned int i = 0; i < 4; i++) {
        clerk_digest_set_add(set, (apr_uint64_t)i << 40 | 5);
    }
    for (unsigned int i = 0; i < 4; i++) {
        assert_true(clerk_digest_set_has(set, (apr_uint64_t)i << 40 | 5));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_added_is_there_until_it_is_removed, set_up),
        cmocka_unit_test_setup(the_latest_is_there_however_many_there_were, set_up),
        cmocka_unit_test_setup(four_fit_in_the_same_place, set_up),
    };

    return cmocka_run_group_tests_name("shared/digest_set", tests, NULL, NULL);
}
