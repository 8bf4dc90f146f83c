/* SPDX-License-Identifier: Apache-2.0 */
/* Several processes: one fetch for all of them, also if the process that fetches is killed. */
#include "shared_fixture.h"

#include <dlfcn.h>

#include <openssl/evp.h>

#include "shared/keystore/keystore_ring.h"

static int digests_fail;

/* Replaces OpenSSL's function in this program, with a digest that fails, as if memory were short. */
int EVP_Digest(const void *data, size_t len, unsigned char *out, unsigned int *out_len, const EVP_MD *type,
               ENGINE *engine)
{
    int (*next)(const void *, size_t, unsigned char *, unsigned int *, const EVP_MD *, ENGINE *);

    *(void **)&next = dlsym(RTLD_NEXT, "EVP_Digest");
    return digests_fail ? 0 : next(data, len, out, out_len, type, engine);
}

#include <apr_thread_proc.h>

#define PROCESSES 6
#define THREADS 8

static void record(world *w, clerk_keys_status status)
{
    atomic_fetch_add(&w->state->results[status], 1);
}

static int results(const world *w, clerk_keys_status status)
{
    return atomic_load(&w->state->results[status]);
}

static void *APR_THREAD_FUNC ask_in_thread(apr_thread_t *thread, void *baton)
{
    (void)thread;
    record(baton, ask(baton, 0));
    return NULL;
}

/* A child with many first requests at once. They start together when the parent says so. */
static void run_cold_child(world *w)
{
    apr_thread_t *threads[THREADS];
    apr_status_t rv;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    if (clerk_keystore_child_init(w->store, &w->http, pool) != APR_SUCCESS) {
        _exit(1);
    }
    atomic_fetch_add(&w->state->progress, 1);
    while (atomic_load(&w->state->progress) < PROCESSES) {
        apr_sleep(200);
    }
    for (int i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, ask_in_thread, w, pool) != APR_SUCCESS) {
            _exit(1);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    apr_pool_destroy(pool);
}

static void run_herd(world *w)
{
    pid_t pids[PROCESSES];

    world_start(w);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = world_fork(w, run_cold_child);
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_true(world_wait(pids[i]));
    }
}

static void cold_herd_fetches_once(void **state)
{
    world *w = *state;

    atomic_store(&w->state->delay, 50);
    run_herd(w);
    assert_int_equal(calls(w), 1);
    assert_int_equal(results(w, CLERK_KEYS_OK), PROCESSES * THREADS);
}

static void cold_herd_fails_once(void **state)
{
    world *w = *state;

    atomic_store(&w->state->delay, 50);
    answer_nothing(w, 0);
    run_herd(w);
    assert_int_equal(calls(w), 1);
    assert_int_equal(results(w, CLERK_KEYS_UNAVAILABLE), PROCESSES * THREADS);
    assert_int_equal(logged(w, 1001), 1);
}

static void run_flood_child(world *w)
{
    clerk_keystore_child_init(w->store, &w->http, w->process_pool);
    for (int i = 0; i < 2000; i++) {
        record(w, ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 1));
    }
}

static void kid_flood_over_all_processes(void **state)
{
    world *w = *state;
    pid_t pids[PROCESSES];

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = world_fork(w, run_flood_child);
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_true(world_wait(pids[i]));
    }
    assert_int_equal(results(w, CLERK_KEYS_UNCHANGED), PROCESSES * 2000);
    assert_int_equal(calls(w), 1 + 3);
    assert_int_equal(atomic_load(&w->state->most_in_flight), 1);
}

static void run_other_process(world *w)
{
    clerk_keystore_child_init(w->store, &w->http, w->process_pool);
    tick(w);
}

static void *APR_THREAD_FUNC ask_for_unknown_in_thread(apr_thread_t *thread, void *baton)
{
    (void)thread;
    record(baton, ask_for(baton, 0, CLERK_KEYS_UNKNOWN_KID, 1));
    return NULL;
}

static void run_unknown_child(world *w)
{
    apr_thread_t *threads[THREADS];
    apr_status_t rv;

    clerk_keystore_child_init(w->store, &w->http, w->process_pool);
    for (int i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, ask_for_unknown_in_thread, w, w->process_pool) != APR_SUCCESS) {
            _exit(1);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
}

/* The clock is stopped, so that waiting threads wait until the source responds. */
static void few_threads_of_all_processes_wait_for_newer_keys(void **state)
{
    world *w = *state;
    pid_t pids[PROCESSES];

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    answer_with(w, 0, 200, w->two);
    atomic_store(&w->state->hold, 1);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = world_fork(w, run_unknown_child);
    }
    /* One fetches, twelve wait. */
    wait_until(results(w, CLERK_KEYS_UNCHANGED) == PROCESSES * THREADS - 13);
    atomic_store(&w->state->hold, 0);
    for (int i = 0; i < PROCESSES; i++) {
        assert_true(world_wait(pids[i]));
    }
    assert_int_equal(results(w, CLERK_KEYS_OK), 13);
    assert_int_equal(calls(w), 2);
}

static void a_process_sees_what_another_fetched(void **state)
{
    world *w = *state;
    clerk_keys_pin pin;

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    answer_with(w, 0, 200, w->two);
    world_pass(TTL);
    assert_true(world_wait(world_fork(w, run_other_process)));
    assert_int_equal(clerk_keystore_acquire(&pin, w->store, 0, CLERK_KEYS_CURRENT, 0, w->pool), CLERK_KEYS_OK);
    assert_int_equal(pin.generation, 2);
    assert_non_null(jose_keyset_find(pin.set, "ins_2"));
    clerk_keystore_release(w->store, &pin);
    assert_int_equal(calls(w), 1 + SOURCES);
}

static void run_fetch(world *w)
{
    clerk_keystore_child_init(w->store, &w->http, w->process_pool);
    ask(w, 0);
}

/* Kill a child in the middle of its fetch. */
static void kill_while_fetching(world *w)
{
    int before = calls(w);
    pid_t pid;

    atomic_store(&w->state->hold, 1);
    pid = world_fork(w, run_fetch);
    wait_until(calls(w) == before + 1);
    kill(pid, SIGKILL);
    assert_false(world_wait(pid));
    atomic_store(&w->state->hold, 0);
    atomic_store(&w->state->in_flight, 0);
}

static void killed_holder_blocks_nobody_for_long(void **state)
{
    world *w = *state;
    apr_time_t begin;

    w->source[0].timeout = apr_time_from_msec(100);
    world_run_clock();
    world_run(w);
    kill_while_fetching(w);
    begin = apr_time_now();
    /* A waiting process gives up in time, and does not fetch while the lease of the killed one is valid. */
    assert_int_equal(ask(w, 0), CLERK_KEYS_UNAVAILABLE);
    assert_true(apr_time_now() - begin < apr_time_from_sec(2));
    wait_until(ask(w, 0) == CLERK_KEYS_OK);
    assert_true(apr_time_now() - begin < apr_time_from_sec(5));
    assert_int_equal(calls(w), 2);
}

static void killed_holder_does_not_stop_service(void **state)
{
    world *w = *state;

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    world_pass(TTL);
    kill_while_fetching(w);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    }
    assert_int_equal(calls(w), 2);
    world_pass(2 * TIMEOUT);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(calls(w), 3);
}

/* Exit half way through writing a document. */
static void run_half_a_publish(world *w)
{
    segment_slot *slot = keystore_slot(w->store, 0);
    segment_document *document = &slot->documents[(atomic_load(&slot->generation) + 1) & 1];

    clerk_lease_take(&slot->lease, world_clock(), TIMEOUT);
    atomic_store(&document->len, 60000);
    for (int i = 0; i < 100; i++) {
        atomic_store(&document->words[i], 0x4141414141414141U);
    }
    kill(getpid(), SIGKILL);
}

static void killed_publisher_leaves_the_document_whole(void **state)
{
    world *w = *state;

    w->source[0].timeout = apr_time_from_msec(100);
    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_false(world_wait(world_fork(w, run_half_a_publish)));
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    /* A process that starts now reads the old document. */
    assert_true(world_wait(world_fork(w, run_fetch)));
    assert_int_equal(calls(w), 1);
    answer_with(w, 0, 200, w->two);
    world_pass(TTL);
    tick(w);
    assert_int_equal(stats_of(w, 0).generation, 2);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(logged(w, 1009), 0);
}

/* Damage the published document, as a process does that goes on writing after another got its lease. */
static void damage(world *w)
{
    segment_slot *slot = keystore_slot(w->store, 0);

    atomic_fetch_xor(&slot->documents[atomic_load(&slot->generation) & 1].words[3], 0x20);
}

static void damaged_document_is_not_used_and_is_replaced(void **state)
{
    world *w = *state;
    clerk_keys_pin pin;

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    answer_with(w, 0, 200, w->two);
    world_pass(TTL);
    assert_true(world_wait(world_fork(w, run_other_process)));
    damage(w);
    /* This process uses the set it has, and reads the damaged document only once. */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    }
    assert_int_equal(logged(w, 1009), 1);
    assert_int_equal(calls(w), 1 + SOURCES);
    damage(w);
    assert_int_equal(clerk_keystore_acquire(&pin, w->store, 0, CLERK_KEYS_CURRENT, 0, w->pool), CLERK_KEYS_OK);
    assert_int_equal(pin.generation, 1);
    clerk_keystore_release(w->store, &pin);
    damage(w);
    /* A process without a set fetches, which repairs the document for all. */
    assert_true(world_wait(world_fork(w, run_fetch)));
    assert_int_equal(calls(w), 2 + SOURCES);
    assert_int_equal(stats_of(w, 0).generation, 3);
    assert_int_equal(ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 1), CLERK_KEYS_OK);
}

/* A digest that cannot be computed does not mean that the document is damaged. */
static void digest_that_fails_is_no_damage(void **state)
{
    world *w = *state;
    clerk_keys_pin pin = {0};

    world_run(w);
    assert_true(world_wait(world_fork(w, run_fetch)));
    assert_int_equal(calls(w), 1);
    digests_fail = 1;
    assert_int_equal(clerk_keystore_ring_pin(&pin, w->store, 0, 1, w->pool), 0);
    assert_false(clerk_keystore_ring_is_damaged(w->store, 0));
    digests_fail = 0;
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(calls(w), 1);
    assert_int_equal(logged(w, 1009), 0);
}

/* A process is stopped in the middle of its fetch, and continues after another one has fetched. */
static void late_result_is_dropped(void **state)
{
    world *w = *state;
    pid_t pid;

    w->source[0].timeout = apr_time_from_msec(100);
    world_run(w);
    atomic_store(&w->state->hold, 1);
    pid = world_fork(w, run_fetch);
    wait_until(calls(w) == 1);
    kill(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
    atomic_store(&w->state->hold, 0);
    world_pass(apr_time_from_sec(2));
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    answer_with(w, 0, 200, w->rotated);
    kill(pid, SIGCONT);
    assert_true(world_wait(pid));
    assert_int_equal(calls(w), 2);
    assert_int_equal(stats_of(w, 0).generation, 1);
    assert_int_equal(stats_of(w, 0).failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(cold_herd_fetches_once),
        world_test(cold_herd_fails_once),
        world_test(kid_flood_over_all_processes),
        world_test(few_threads_of_all_processes_wait_for_newer_keys),
        world_test(a_process_sees_what_another_fetched),
        world_test(killed_holder_blocks_nobody_for_long),
        world_test(killed_holder_does_not_stop_service),
        world_test(killed_publisher_leaves_the_document_whole),
        world_test(damaged_document_is_not_used_and_is_replaced),
        world_test(digest_that_fails_is_no_damage),
        world_test(late_result_is_dropped),
    };

    return cmocka_run_group_tests_name("shared/keystore processes", tests, jose_fixture_group_setup,
                                       jose_fixture_group_teardown);
}
