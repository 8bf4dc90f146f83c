/* SPDX-License-Identifier: Apache-2.0 */
/* Leases and allowances in shared memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>

#include "shared/allowance.h"
#include "shared/lease.h"

#define SECOND apr_time_from_sec(1)

/* Shared by all processes of a test. */
typedef struct world {
    clerk_lease lease;
    clerk_allowance allowance;
    atomic_int ready;
} world;

static world *shared;

static int set_up(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED;
}

static int tear_down(void **state)
{
    (void)state;
    return munmap(shared, sizeof(*shared));
}

static pid_t start(void (*run)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)alarm(120); /* not left behind if the test ends early */
        run();
        _exit(0);
    }
    assert_true(pid > 0);
    return pid;
}

/* A child that holds its lease until it is killed. */
static pid_t start_holder(void (*run)(void))
{
    pid_t pid;

    atomic_store(&shared->ready, 0);
    pid = start(run);
    while (!atomic_load(&shared->ready)) {
        apr_sleep(200);
    }
    return pid;
}

static void end_by_force(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void hold_for_ever(void)
{
    atomic_store(&shared->ready, 1);
    for (;;) {
        pause();
    }
}

/* Leases */

static void a_lease_has_one_holder_until_it_expires(void **state)
{
    clerk_lease *lease = &shared->lease;
    apr_time_t now = apr_time_now();
    apr_uint64_t first, second;

    (void)state;
    assert_false(clerk_lease_is_held(lease, now, SECOND));
    first = clerk_lease_take(lease, now, SECOND);
    assert_true(first != 0);
    assert_true(clerk_lease_is_held(lease, now, SECOND));
    assert_true(clerk_lease_take(lease, now + SECOND / 2, SECOND) == 0);
    assert_true(clerk_lease_renew(lease, &first, now + SECOND / 2, SECOND));
    assert_true(clerk_lease_take(lease, now + SECOND, SECOND) == 0);
    assert_false(clerk_lease_is_held(lease, now + 2 * SECOND, SECOND));
    second = clerk_lease_take(lease, now + 2 * SECOND, SECOND);
    assert_true(second != 0);
    /* The first holder has lost the lease, and cannot take it from the second. */
    clerk_lease_release(lease, first);
    assert_false(clerk_lease_renew(lease, &first, now + 2 * SECOND, SECOND));
    assert_true(first == 0);
    clerk_lease_release(lease, first);
    assert_true(clerk_lease_is_held(lease, now + 2 * SECOND, SECOND));
    clerk_lease_release(lease, second);
    assert_false(clerk_lease_is_held(lease, now + 2 * SECOND, SECOND));
}

static void a_clock_that_is_set_back_holds_no_lease(void **state)
{
    apr_time_t now = apr_time_now();

    (void)state;
    assert_true(clerk_lease_take(&shared->lease, now, SECOND) != 0);
    assert_true(clerk_lease_take(&shared->lease, now - 3600 * SECOND, SECOND) != 0);
}

static void hold_the_lease(void)
{
    (void)clerk_lease_take(&shared->lease, apr_time_now(), 600 * SECOND);
    hold_for_ever();
}

static void the_lease_of_a_dead_process_can_be_freed(void **state)
{
    pid_t pid = start_holder(hold_the_lease);

    (void)state;
    assert_false(clerk_lease_free_if_dead(&shared->lease));
    assert_true(clerk_lease_take(&shared->lease, apr_time_now(), 600 * SECOND) == 0);
    end_by_force(pid);
    assert_true(clerk_lease_free_if_dead(&shared->lease));
    assert_false(clerk_lease_free_if_dead(&shared->lease));
    assert_true(clerk_lease_take(&shared->lease, apr_time_now(), 600 * SECOND) != 0);
    assert_false(clerk_lease_free_if_dead(&shared->lease));
}

/* Allowances */

static const clerk_allowance_rate rate = {10 * SECOND, 3};

static int take_ten(apr_time_t now)
{
    int taken = 0;

    for (int i = 0; i < 10; i++) {
        taken += clerk_allowance_take(&shared->allowance, rate, now);
    }
    return taken;
}

static void a_burst_and_then_a_steady_rate(void **state)
{
    clerk_allowance *allowance = &shared->allowance;
    apr_time_t now = apr_time_now();

    (void)state;
    assert_true(clerk_allowance_has(allowance, rate, now));
    assert_int_equal(take_ten(now), 3);
    assert_false(clerk_allowance_has(allowance, rate, now));
    assert_true(clerk_allowance_wait(allowance, rate, now) == 10 * SECOND);
    assert_false(clerk_allowance_take(allowance, rate, now + 10 * SECOND - 1));
    assert_true(clerk_allowance_take(allowance, rate, now + 10 * SECOND));
    assert_false(clerk_allowance_take(allowance, rate, now + 10 * SECOND));
    assert_int_equal(take_ten(now + 1000 * SECOND), 3);
    /* The clock was set back. */
    assert_true(clerk_allowance_take(allowance, rate, now - 1000 * SECOND));
}

static void what_happened_already_is_charged_up_to_all_there_is(void **state)
{
    clerk_allowance *allowance = &shared->allowance;
    apr_time_t now = apr_time_now();

    (void)state;
    clerk_allowance_charge(allowance, rate, 2, now);
    assert_int_equal(take_ten(now), 1);
    clerk_allowance_charge(allowance, rate, 100, now);
    assert_true(clerk_allowance_wait(allowance, rate, now) == 10 * SECOND);
    assert_int_equal(take_ten(now + 30 * SECOND), 3);
}

static void what_a_reservation_leaves(void **state)
{
    /* Of three, one in ten seconds. */
    static const struct {
        int count;   /* reserved */
        int used;    /* of it, */
        int after;   /* so many seconds later */
        int left[2]; /* before, and after the rest is given back */
    } rows[] = {
        {1, 0, 0, {2, 3}},  {1, 1, 0, {2, 2}},  {2, 0, 0, {1, 3}},  {2, 1, 0, {1, 2}},  {3, 3, 0, {0, 0}},
        {5, 0, 0, {0, 3}},  {5, 1, 0, {0, 2}},  {5, 4, 0, {0, 0}},  {1, 0, 10, {3, 3}}, {3, 0, 10, {1, 3}},
        {3, 1, 10, {1, 3}}, {3, 2, 10, {1, 2}}, {3, 3, 10, {1, 1}}, {3, 0, 99, {3, 3}}, {3, 0, -99, {3, 3}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        clerk_allowance *allowance = &shared->allowance;
        apr_time_t now = 1000 * SECOND, later = now + rows[i].after * SECOND;

        for (int given_back = 0; given_back < 2; given_back++) {
            clerk_allowance_hold hold;

            atomic_store(allowance, 0);
            assert_int_equal(clerk_allowance_reserve(&hold, allowance, rate, rows[i].count, now), 1);
            if (given_back) {
                clerk_allowance_give_back(&hold, allowance, rate, rows[i].used, later);
                /* Only once. */
                clerk_allowance_give_back(&hold, allowance, rate, rows[i].used, later);
            }
            assert_int_equal(take_ten(later), rows[i].left[given_back]);
            assert_int_equal(clerk_allowance_reserve(&hold, allowance, rate, 1, later), 0);
            clerk_allowance_give_back(&hold, allowance, rate, 0, later);
            assert_int_equal(clerk_allowance_take(allowance, rate, later), 0);
        }
    }
}

static void what_time_gave_back_is_not_given_back_again(void **state)
{
    clerk_allowance *allowance = &shared->allowance;
    clerk_allowance_hold one, other;
    apr_time_t now = 1000 * SECOND, later = now + 20 * SECOND;

    (void)state;
    assert_int_equal(clerk_allowance_reserve(&one, allowance, rate, 2, now), 1);
    assert_int_equal(clerk_allowance_reserve(&other, allowance, rate, 2, later), 1);
    clerk_allowance_give_back(&one, allowance, rate, 0, later);
    assert_int_equal(take_ten(later), 1);
    clerk_allowance_give_back(&other, allowance, rate, 0, later);
    assert_int_equal(take_ten(later), 2);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(a_lease_has_one_holder_until_it_expires),
        test(a_clock_that_is_set_back_holds_no_lease),
        test(the_lease_of_a_dead_process_can_be_freed),
        test(a_burst_and_then_a_steady_rate),
        test(what_happened_already_is_charged_up_to_all_there_is),
        test(what_a_reservation_leaves),
        test(what_time_gave_back_is_not_given_back_again),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests_name("shared/lease and allowance", tests, NULL, NULL);
    apr_terminate();
    return failed;
}
