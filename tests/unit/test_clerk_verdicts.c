/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "clerk/verdicts.h"

static void add(clerk_verdicts *verdicts, int status, int reason)
{
    clerk_outcome outcome;

    memset(&outcome, 0, sizeof(outcome));
    outcome.status = (clerk_status)status;
    outcome.reason = (clerk_reason)reason;
    clerk_verdicts_add(verdicts, &outcome);
}

static void test_each_pair_is_counted_for_itself(void **state)
{
    static clerk_verdicts verdicts;

    (void)state;
    for (int status = 0; status < CLERK_STATUS_COUNT; status++) {
        for (int reason = 0; reason < CLERK_REASON_COUNT; reason++) {
            for (int times = 0; times < status * CLERK_REASON_COUNT + reason; times++) {
                add(&verdicts, status, reason);
            }
        }
    }
    for (int status = 0; status < CLERK_STATUS_COUNT; status++) {
        for (int reason = 0; reason < CLERK_REASON_COUNT; reason++) {
            assert_int_equal(clerk_verdicts_get(&verdicts, (clerk_status)status, (clerk_reason)reason),
                             status * CLERK_REASON_COUNT + reason);
        }
    }
}

static void test_what_is_out_of_range_is_not_counted(void **state)
{
    static clerk_verdicts verdicts, untouched;

    (void)state;
    add(&verdicts, CLERK_STATUS_COUNT, 0);
    add(&verdicts, 0, CLERK_REASON_COUNT);
    add(&verdicts, 0, -1);
    assert_memory_equal(&verdicts, &untouched, sizeof(verdicts));
    assert_int_equal(clerk_verdicts_get(&verdicts, (clerk_status)CLERK_STATUS_COUNT, CLERK_REASON_NONE), 0);
    assert_int_equal(clerk_verdicts_get(&verdicts, CLERK_SIGNED_IN, CLERK_REASON_COUNT), 0);
}

static void test_ticks(void **state)
{
    static clerk_verdicts verdicts;

    (void)state;
    clerk_verdicts_tick(&verdicts.cache_hits);
    clerk_verdicts_tick(&verdicts.cache_hits);
    clerk_verdicts_tick(&verdicts.cache_misses);
    assert_int_equal(verdicts.cache_hits, 2);
    assert_int_equal(verdicts.cache_misses, 1);
}

static void test_names(void **state)
{
    static const char *const names[] = {"signed_in", "signed_out", "handshake", "unavailable", "bad_request"};

    (void)state;
    assert_int_equal(sizeof(names) / sizeof(names[0]), CLERK_STATUS_COUNT);
    for (int status = 0; status < CLERK_STATUS_COUNT; status++) {
        assert_string_equal(clerk_verdicts_name((clerk_status)status), names[status]);
    }
    assert_string_equal(clerk_verdicts_name((clerk_status)CLERK_STATUS_COUNT), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_pair_is_counted_for_itself),
        cmocka_unit_test(test_what_is_out_of_range_is_not_counted),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
