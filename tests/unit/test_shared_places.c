/* SPDX-License-Identifier: Apache-2.0 */
/* Places in shared memory: the bounds hold over threads and processes, also where these are killed. */

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
#include <apr_thread_proc.h>

#include "shared/places.h"

#define SECOND apr_time_from_sec(1)
#define PLACES 12
#define PROCESSES 4
#define THREADS 4

/* Shared by all processes of a test. */
typedef struct world {
    clerk_place places[PLACES];
    atomic_int inside;
    atomic_int most_inside;
    atomic_int taken;
    atomic_int ready;
} world;

static world *shared;
static clerk_places all;

static int set_up(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    all = (clerk_places){shared->places, PLACES, PLACES};
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

static void end(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A child that holds what it took until it is killed. */
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

static int take(clerk_place_ticket *ticket, unsigned int usable, apr_uint64_t owner)
{
    return clerk_places_take(ticket, &all, usable, owner, apr_time_now(), 60 * SECOND);
}

static void there_are_as_many_places_as_there_are(void **state)
{
    clerk_place_ticket tickets[PLACES], more;
    apr_time_t now = apr_time_now();

    (void)state;
    for (unsigned int i = 0; i < PLACES; i++) {
        assert_true(take(&tickets[i], PLACES, i));
    }
    assert_int_equal(clerk_places_held(&all, now), PLACES);
    assert_false(take(&more, PLACES, 1));
    clerk_places_give_back(&more);
    clerk_places_give_back(&tickets[3]);
    clerk_places_give_back(&tickets[3]);
    assert_true(take(&more, PLACES, 1));
    assert_false(take(&tickets[3], PLACES, 1));
    /* A holder that is late gives back nothing that is another's. */
    assert_true(clerk_places_take(&tickets[3], &all, PLACES, 1, now + 61 * SECOND, 60 * SECOND));
    for (unsigned int i = 0; i < PLACES; i++) {
        if (i != 3) {
            clerk_places_give_back(&tickets[i]);
        }
    }
    clerk_places_give_back(&more);
    assert_int_equal(clerk_places_held(&all, now), 1);
}

static void an_owner_has_a_limit(void **state)
{
    clerk_place_ticket tickets[4];

    (void)state;
    all.most = 3;
    for (int i = 0; i < 3; i++) {
        assert_true(take(&tickets[i], PLACES, 7));
    }
    assert_false(take(&tickets[3], PLACES, 7));
    assert_int_equal(clerk_places_held(&all, apr_time_now()), 3);
    assert_true(take(&tickets[3], PLACES, 8));
    clerk_places_give_back(&tickets[0]);
    assert_true(take(&tickets[0], PLACES, 7));
}

static void some_places_are_kept_for_those_who_may_use_all(void **state)
{
    clerk_place_ticket tickets[PLACES], more;

    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_true(take(&tickets[i], 8, 1));
    }
    assert_false(take(&more, 8, 1));
    for (int i = 8; i < PLACES; i++) {
        assert_true(take(&tickets[i], PLACES, 2));
    }
    assert_false(take(&more, PLACES, 2));
    for (int i = 0; i < PLACES; i++) {
        clerk_places_give_back(&tickets[i]);
    }
    /* Those take the kept ones first. */
    assert_true(take(&more, PLACES, 2));
    for (int i = 0; i < 8; i++) {
        assert_true(take(&tickets[i], 8, 1));
    }
}

static void hold_all_places(void)
{
    clerk_place_ticket ticket;

    while (take(&ticket, PLACES, 1)) {
    }
    hold_for_ever();
}

static void places_of_a_killed_process_become_free(void **state)
{
    pid_t pid = start_holder(hold_all_places);
    clerk_place_ticket ticket;
    int tries = 0;

    (void)state;
    for (int i = 0; i < 3 * PLACES; i++) {
        assert_false(take(&ticket, PLACES, 2));
    }
    end_by_force(pid);
    while (!take(&ticket, PLACES, 2)) {
        assert_true(++tries <= PLACES);
    }
    /* Or at the end of their time, where somebody else has the process id. */
    assert_true(clerk_places_take(&ticket, &all, PLACES, 2, apr_time_now() + 61 * SECOND, SECOND));
}

static void *APR_THREAD_FUNC come_and_go(apr_thread_t *thread, void *baton)
{
    (void)thread;
    for (int i = 0; i < 400; i++) {
        clerk_place_ticket ticket;
        int inside, most;

        if (!clerk_places_take(&ticket, baton, 8, (apr_uint64_t)getpid(), apr_time_now(), 60 * SECOND)) {
            apr_sleep(20);
            continue;
        }
        atomic_fetch_add(&shared->taken, 1);
        inside = atomic_fetch_add(&shared->inside, 1) + 1;
        most = atomic_load(&shared->most_inside);
        while (inside > most && !atomic_compare_exchange_weak(&shared->most_inside, &most, inside)) {
        }
        apr_sleep(50);
        atomic_fetch_sub(&shared->inside, 1);
        clerk_places_give_back(&ticket);
    }
    return NULL;
}

static void run_crowd(void)
{
    apr_thread_t *threads[THREADS];
    apr_pool_t *pool;
    apr_status_t rv;

    apr_pool_create(&pool, NULL);
    for (int i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, come_and_go, &all, pool) != APR_SUCCESS) {
            _exit(1);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
}

static void no_more_than_the_places_over_all_processes(void **state)
{
    pid_t pids[PROCESSES];

    (void)state;
    all.most = 3;
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = start(run_crowd);
    }
    for (int i = 0; i < PROCESSES; i++) {
        end(pids[i]);
    }
    assert_true(atomic_load(&shared->most_inside) <= 8);
    assert_true(atomic_load(&shared->taken) > 100);
    assert_int_equal(clerk_places_held(&all, apr_time_now()), 0);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(there_are_as_many_places_as_there_are),          test(an_owner_has_a_limit),
        test(some_places_are_kept_for_those_who_may_use_all), test(places_of_a_killed_process_become_free),
        test(no_more_than_the_places_over_all_processes),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests_name("shared/places", tests, NULL, NULL);
    apr_terminate();
    return failed;
}
