/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of one process use sets while these are replaced. Most useful with a sanitizer. */
#include "shared_fixture.h"

#include <apr_thread_proc.h>

#define READERS 6
#define ROTATIONS 400
#define CROWD 30

/* Every set has the key ins_1, so a thread that does not find it has read memory that was reused. */
static void *APR_THREAD_FUNC read_until_the_end(apr_thread_t *thread, void *baton)
{
    world *w = baton;
    apr_pool_t *scratch;

    (void)thread;
    apr_pool_create_unmanaged_ex(&scratch, NULL, NULL);
    while (!atomic_load(&w->state->progress)) {
        clerk_keys_pin pin;
        int fine = clerk_keystore_acquire(&pin, w->store, 0, CLERK_KEYS_CURRENT, 0, scratch) == CLERK_KEYS_OK;

        if (fine) {
            const jose_key *key = jose_keyset_find(pin.set, "ins_1");

            fine = key && jose_key_usable(key) && !strcmp(jose_key_description(key), "EC P-256");
            clerk_keystore_release(w->store, &pin);
        }
        atomic_fetch_add(fine ? &w->state->results[0] : &w->state->errors, 1);
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    return NULL;
}

static void readers_during_rotations(void **state)
{
    world *w = *state;
    apr_thread_t *threads[READERS];
    apr_status_t rv;

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, read_until_the_end, w, w->pool), APR_SUCCESS);
    }
    for (int i = 0; i < ROTATIONS; i++) {
        answer_with(w, 0, 200, i % 2 ? w->one : w->two);
        world_pass(TTL);
        tick(w);
        /* A reader may have fetched before this thread. */
        wait_until(stats_of(w, 0).generation == (apr_uint32_t)i + 2);
        assert_int_equal(ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, (apr_uint32_t)i + 1), CLERK_KEYS_OK);
    }
    atomic_store(&w->state->progress, 1);
    for (int i = 0; i < READERS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    assert_int_equal(atomic_load(&w->state->errors), 0);
    assert_true(atomic_load(&w->state->results[0]) > 0);
}

static void a_pinned_set_outlives_its_successors(void **state)
{
    world *w = *state;
    clerk_keys_pin pins[10], pin;
    apr_uint32_t newest;

    world_run(w);
    for (int i = 0; i < 10; i++) {
        answer_with(w, 0, 200, i % 2 ? w->one : w->two);
        world_pass(TTL);
        tick(w);
        assert_int_equal(clerk_keystore_acquire(&pins[i], w->store, 0, CLERK_KEYS_CURRENT, 0, w->pool), CLERK_KEYS_OK);
    }
    /* There are eight entries; the last two requests got the newest set that has an entry. */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(pins[i].generation, i < 8 ? i + 1 : 8);
        assert_int_equal(jose_keyset_count(pins[i].set), pins[i].generation % 2 ? 2 : 1);
    }
    newest = stats_of(w, 0).generation;
    assert_int_equal(newest, 10);
    assert_int_equal(ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 8), CLERK_KEYS_UNCHANGED);
    clerk_keystore_release(w->store, &pins[3]);
    clerk_keystore_release(w->store, &pins[3]);
    assert_int_equal(clerk_keystore_acquire(&pin, w->store, 0, CLERK_KEYS_CURRENT, 0, w->pool), CLERK_KEYS_OK);
    assert_int_equal(pin.generation, newest);
    clerk_keystore_release(w->store, &pin);
    for (int i = 0; i < 10; i++) {
        clerk_keystore_release(w->store, &pins[i]);
    }
}

static void *APR_THREAD_FUNC ask_for_unknown(apr_thread_t *thread, void *baton)
{
    world *w = baton;

    (void)thread;
    atomic_fetch_add(&w->state->results[ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 1)], 1);
    return NULL;
}

static void start_asking(apr_thread_t **threads, int count, world *w)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, ask_for_unknown, w, w->pool), APR_SUCCESS);
    }
}

static void end_asking(apr_thread_t **threads, int count)
{
    apr_status_t rv;

    for (int i = 0; i < count; i++) {
        apr_thread_join(&rv, threads[i]);
    }
}

static void unknown_kids_share_one_flight(void **state)
{
    world *w = *state;
    apr_thread_t *threads[READERS];

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    answer_with(w, 0, 200, w->two);
    atomic_store(&w->state->hold, 1);
    start_asking(threads, 1, w);
    wait_until(calls(w) == 2);
    start_asking(threads + 1, READERS - 1, w);
    /* Meanwhile other requests get their keys. */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    }
    atomic_store(&w->state->hold, 0);
    end_asking(threads, READERS);
    assert_int_equal(calls(w), 2);
    assert_int_equal(atomic_load(&w->state->results[CLERK_KEYS_OK]), READERS);
    assert_int_equal(stats_of(w, 0).early_refreshes, 1);
}

/* The clock is stopped, so that waiting threads wait until the source responds; other threads do not wait. */
static void a_crowd_of_unknown_kids_does_not_wait(void **state)
{
    world *w = *state;
    apr_thread_t *threads[CROWD];

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    answer_with(w, 0, 200, w->two);
    atomic_store(&w->state->hold, 1);
    start_asking(threads, CROWD, w);
    wait_until(calls(w) == 2 && atomic_load(&w->state->results[CLERK_KEYS_UNCHANGED]) >= CROWD / 2);
    atomic_store(&w->state->hold, 0);
    end_asking(threads, CROWD);
    assert_int_equal(calls(w), 2);
    assert_in_range(atomic_load(&w->state->results[CLERK_KEYS_OK]), 1, CROWD / 2);
    assert_int_equal(clerk_places_held(&w->store->waiting, world_clock()), 0);
}

static void waiting_ends(void **state)
{
    world *w = *state;
    apr_thread_t *thread;
    apr_time_t begin;
    apr_status_t rv;

    w->source[0].timeout = apr_time_from_msec(150);
    world_run_clock();
    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    /* A source that responds after its timeout, which no clerk_http should allow. */
    atomic_store(&w->state->hold, 1);
    assert_int_equal(apr_thread_create(&thread, NULL, ask_for_unknown, w, w->pool), APR_SUCCESS);
    wait_until(calls(w) == 2);
    begin = apr_time_now();
    assert_int_equal(ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 1), CLERK_KEYS_UNCHANGED);
    assert_in_range(apr_time_now() - begin, apr_time_from_msec(100), apr_time_from_msec(1500));
    atomic_store(&w->state->hold, 0);
    apr_thread_join(&rv, thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(readers_during_rotations),
        world_test(a_pinned_set_outlives_its_successors),
        world_test(unknown_kids_share_one_flight),
        world_test(a_crowd_of_unknown_kids_does_not_wait),
        world_test(waiting_ends),
    };

    return cmocka_run_group_tests_name("shared/keystore threads", tests, jose_fixture_group_setup,
                                       jose_fixture_group_teardown);
}
