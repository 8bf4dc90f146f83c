/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_FIXTURE_H
#define SHARED_FIXTURE_H

/*
 * A key store in memory that forked processes share, with a fake source instead of a network, a clock that tests
 * control, and counters of log messages. Children and threads write their results to `world_state`; they do not use
 * cmocka's assertions.
 */

#include "jose_fixture.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/keystore/keystore.h"
#include "shared/keystore/keystore_private.h"
#include "shared/log.h"

#define SECRET "sk_test_canary_3f7a"
#define STATE_KEY "test_canary_of_thirty-two_bytes!"
#define WORKERS 104
#define PLACES 77
#define SOURCES 2
#define TIMEOUT apr_time_from_msec(2000)
#define TTL apr_time_from_sec(300)
#define MAX_STALE apr_time_from_sec(86400)

/* The response of the fake source. Bodies are made before the fork. */
typedef struct world_answer {
    _Atomic(apr_status_t) rv;
    atomic_int status;
    atomic_int retry_after;
    _Atomic(const char *) body;
} world_answer;

/* Shared by all processes of a test. */
typedef struct world_state {
    world_answer answers[SOURCES];
    atomic_int calls; /* all calls of the source */
    atomic_int hold;  /* calls wait while this is set */
    atomic_int delay; /* the least time of a call, milliseconds */
    atomic_int in_flight;
    atomic_int most_in_flight;
    atomic_int bad_requests;   /* calls with wrong parameters */
    atomic_llong clock_stands; /* the time of a stopped clock; 0: the clock runs */
    atomic_llong clock_offset; /* added to the time, microseconds */
    atomic_int logged[64];     /* by number - 1000 */
    atomic_int leaks;          /* messages that contain the secret */
    atomic_int results[16];    /* by clerk_keys_status */
    atomic_int errors;
    atomic_int progress;
} world_state;

typedef struct world {
    world_state *state;
    void *memory;
    apr_size_t size;
    clerk_place *places; /* of the threads that wait for keys: PLACES of them, 12 for newer ones */
    clerk_key_source source[SOURCES];
    const clerk_key_source *sources[SOURCES];
    const char *state_dir;
    clerk_statefile_dir files; /* of state_dir, with STATE_KEY */
    clerk_http http;
    clerk_keystore *store;
    apr_pool_t *pool;
    apr_pool_t *process_pool;
    EVP_PKEY *keys[2];
    const char *one;     /* {ins_1: keys[0]} */
    const char *rotated; /* {ins_1: keys[1]} */
    const char *two;     /* {ins_1: keys[0], ins_2: keys[1]} */
} world;

/* The time of the clock. */
apr_time_t world_clock(void);

/* Move the clock on. */
void world_pass(apr_interval_time_t time);

/* Let the clock run from now on, for tests that wait. */
void world_run_clock(void);

/* Set the response of a source. */
void answer_with(world *w, int source, int status, const char *body);
void answer_nothing(world *w, int source);

/* Create a store in new memory, as after a restart: files are kept. */
void world_start(world *w);

/* The same, and initialize it in this process. */
void world_run(world *w);

/* A test whose state is a world. */
int world_setup(void **state);
int world_teardown(void **state);
#define world_test(function) cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

/* How often a message was logged, and the source was called. */
int logged(const world *w, int number);
int calls(const world *w);

clerk_keystore_stats stats_of(const world *w, unsigned int slot);

/* Acquire a key set and release it at once. */
clerk_keys_status ask_for(world *w, unsigned int slot, clerk_keys_want want, apr_uint32_t seen);
clerk_keys_status ask(world *w, unsigned int slot);

/* Call clerk_keystore_tick() once, as the background thread does. */
apr_interval_time_t tick(world *w);

/* Wait for a condition that another thread or process brings about; give up after ten seconds. */
#define wait_until(condition)                                                                                          \
    do {                                                                                                               \
        apr_time_t wait_end = apr_time_now() + apr_time_from_sec(10);                                                  \
        while (!(condition) && apr_time_now() < wait_end) {                                                            \
            apr_sleep(500);                                                                                            \
        }                                                                                                              \
        assert_true(condition);                                                                                        \
    } while (0)

/* Run a function in a child process. */
pid_t world_fork(world *w, void (*run)(world *w));

/* Wait for a child. @return whether it has exited with status 0 */
int world_wait(pid_t pid);

#endif
