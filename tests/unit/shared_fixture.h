/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_FIXTURE_H
#define SHARED_FIXTURE_H

/*
 * A key store over memory that forked processes share, with a scripted source instead of a network, a clock that tests
 * move, and a count of every log message. What children and threads find goes into `world`; they never use cmocka's
 * assertions themselves.
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
#define SOURCES 2
#define TIMEOUT apr_time_from_msec(2000)
#define TTL apr_time_from_sec(300)
#define MAX_STALE apr_time_from_sec(86400)

/* What the source answers. Bodies are made before the fork. */
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
    atomic_int hold;  /* calls do not return while this is set */
    atomic_int delay; /* milliseconds a call takes at least */
    atomic_int in_flight;
    atomic_int most_in_flight;
    atomic_int bad_requests;   /* calls that were not made as they should be */
    atomic_llong clock_stands; /* the time the clock stands at, or 0 where it runs */
    atomic_llong clock_offset; /* microseconds that a test lets pass */
    atomic_int logged[64];     /* by number - 1000 */
    atomic_int leaks;          /* messages with the secret in them */
    atomic_int results[16];    /* by clerk_keys_status */
    atomic_int errors;
    atomic_int progress;
} world_state;

typedef struct world {
    world_state *state;
    void *memory;
    apr_size_t size;
    clerk_key_source source[SOURCES];
    const clerk_key_source *sources[SOURCES];
    const char *state_dir;
    clerk_http http;
    clerk_keystore *store;
    apr_pool_t *pool;
    apr_pool_t *process_pool;
    EVP_PKEY *keys[2];
    const char *one;     /* {ins_1: keys[0]} */
    const char *rotated; /* {ins_1: keys[1]} */
    const char *two;     /* {ins_1: keys[0], ins_2: keys[1]} */
} world;

/* The one thing that must be reachable from the clock and the log sink. */
static world_state *world_now;

static inline apr_time_t fixture_clock(void)
{
    apr_time_t stands = (apr_time_t)atomic_load(&world_now->clock_stands);

    return (stands ? stands : apr_time_now()) + (apr_time_t)atomic_load(&world_now->clock_offset);
}

static inline void fixture_pass(apr_interval_time_t time)
{
    atomic_fetch_add(&world_now->clock_offset, (long long)time);
}

/* For tests of waiting: the clock runs from now on. */
static inline void fixture_run_clock(void)
{
    atomic_store(&world_now->clock_stands, 0);
}

static inline void fixture_sink(void *baton, clerk_log_level level, int number, const char *text)
{
    world_state *state = baton;

    (void)level;
    if (number >= 1000 && number < 1064) {
        atomic_fetch_add(&state->logged[number - 1000], 1);
    } else {
        atomic_fetch_add(&state->errors, 1);
    }
    if (strstr(text, SECRET)) {
        atomic_fetch_add(&state->leaks, 1);
    }
}

static inline int request_is_right(const clerk_http_request *request)
{
    const char *version = apr_table_get(request->headers, "Clerk-API-Version");

    return strcmp(request->method, "GET") == 0
           && strcmp(apr_table_get(request->headers, "Accept"), "application/json") == 0
           && request->max_response == 256 * 1024 && request->timeout <= TIMEOUT
           && (request->bearer ? version && strcmp(version, "2026-05-12") == 0 : !version);
}

static inline apr_status_t fixture_perform(void *baton, clerk_http_response **presponse,
                                           const clerk_http_request *request, apr_pool_t *pool)
{
    world_state *state = baton;
    world_answer *answer = &state->answers[strstr(request->url, "second") ? 1 : 0];
    apr_time_t begin = apr_time_now();
    int flights = atomic_fetch_add(&state->in_flight, 1) + 1, most = atomic_load(&state->most_in_flight);
    apr_status_t rv;

    atomic_fetch_add(&state->calls, 1);
    if (!request_is_right(request)) {
        atomic_fetch_add(&state->bad_requests, 1);
    }
    while (flights > most && !atomic_compare_exchange_weak(&state->most_in_flight, &most, flights)) {
    }
    while (atomic_load(&state->hold) || apr_time_now() - begin < apr_time_from_msec(atomic_load(&state->delay))) {
        apr_sleep(500);
    }
    rv = atomic_load(&answer->rv);
    *presponse = apr_pcalloc(pool, sizeof(**presponse));
    (*presponse)->body = "";
    (*presponse)->retry_after = -1;
    if (rv == APR_SUCCESS) {
        (*presponse)->status = atomic_load(&answer->status);
        (*presponse)->retry_after = atomic_load(&answer->retry_after);
        (*presponse)->body = atomic_load(&answer->body);
        (*presponse)->body_len = strlen((*presponse)->body);
    } else {
        /* Worse than any real one: a text with the secret in it. */
        (*presponse)->error = apr_pstrcat(pool, "refused, was told ", request->bearer, NULL);
    }
    atomic_fetch_sub(&state->in_flight, 1);
    return rv;
}

static inline void answer_with(world *w, int source, int status, const char *body)
{
    world_answer *answer = &w->state->answers[source];

    atomic_store(&answer->rv, APR_SUCCESS);
    atomic_store(&answer->status, status);
    atomic_store(&answer->retry_after, -1);
    atomic_store(&answer->body, body);
}

static inline void answer_nothing(world *w, int source)
{
    atomic_store(&w->state->answers[source].rv, APR_ECONNREFUSED);
}

static inline void *fixture_shared_memory(apr_size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(memory != MAP_FAILED);
    return memory;
}

/* A store over fresh memory, as after a restart: what was shared before is gone, files stay. */
static inline void world_start(world *w)
{
    if (w->memory) {
        munmap(w->memory, w->size);
    }
    if (w->process_pool) {
        apr_pool_destroy(w->process_pool);
    }
    apr_pool_create(&w->process_pool, w->pool);
    w->size = clerk_keystore_size(SOURCES);
    w->memory = fixture_shared_memory(w->size);
    assert_int_equal(clerk_keystore_create(&w->store, w->memory, w->size, w->sources, SOURCES, w->state_dir, geteuid(),
                                           w->process_pool),
                     APR_SUCCESS);
    w->store->now = fixture_clock;
}

/* The same, and this process may ask for keys. */
static inline void world_run(world *w)
{
    world_start(w);
    assert_int_equal(clerk_keystore_child_init(w->store, &w->http, w->process_pool), APR_SUCCESS);
}

static inline int world_setup(void **state)
{
    world *w = calloc(1, sizeof(*w));
    const char *jwk;

    if (!w || apr_pool_create(&w->pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    w->state = world_now = fixture_shared_memory(sizeof(*w->state));
    /* However slow the machine is, no time passes unless the test says so. */
    atomic_store(&w->state->clock_stands, (long long)apr_time_now());
    clerk_log_set_sink(fixture_sink, w->state);
    w->http.baton = w->state;
    w->http.perform = fixture_perform;
    for (int i = 0; i < SOURCES; i++) {
        clerk_key_source source = {.name = i ? "second" : "first",
                                   .bearer = SECRET,
                                   .api_version = "2026-05-12",
                                   .ttl = TTL,
                                   .max_stale = MAX_STALE,
                                   .timeout = TIMEOUT};

        source.url = i ? "https://second.example/v1/jwks" : "https://api.example/v1/jwks?secret=" SECRET;
        source.id[0] = (unsigned char)(i + 1);
        w->source[i] = source;
        w->sources[i] = &w->source[i];
        w->keys[i] = make_ec("P-256", w->pool);
    }
    jwk = make_jwk(w->keys[0], "ins_1", ",\"use\":\"sig\"", w->pool);
    w->one = make_jwks(jwk, w->pool);
    w->rotated = make_jwks(make_jwk(w->keys[1], "ins_1", ",\"use\":\"sig\"", w->pool), w->pool);
    w->two = make_jwks(apr_pstrcat(w->pool, jwk, ",", make_jwk(w->keys[1], "ins_2", "", w->pool), NULL), w->pool);
    answer_with(w, 0, 200, w->one);
    answer_with(w, 1, 200, w->rotated);
    *state = w;
    return 0;
}

static inline int world_teardown(void **state)
{
    world *w = *state;
    /* No test may see the secret in a log, a wrong request, or two fetches of one source at a time. */
    int wrong = atomic_load(&w->state->leaks) || atomic_load(&w->state->bad_requests);

    clerk_log_set_sink(NULL, NULL);
    apr_pool_destroy(w->pool);
    if (w->memory) {
        munmap(w->memory, w->size);
    }
    munmap(w->state, sizeof(*w->state));
    free(w);
    return wrong ? -1 : 0;
}

#define world_test(function) cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

static inline int logged(const world *w, int number)
{
    return atomic_load(&w->state->logged[number - 1000]);
}

static inline int calls(const world *w)
{
    return atomic_load(&w->state->calls);
}

static inline clerk_keystore_stats stats_of(const world *w, unsigned int slot)
{
    clerk_keystore_stats stats;

    clerk_keystore_get_stats(&stats, w->store, slot);
    return stats;
}

/* Ask and give back at once. */
static inline clerk_keys_status ask_for(world *w, unsigned int slot, clerk_keys_want want, apr_uint32_t seen)
{
    clerk_keys_status status;
    clerk_keys_pin pin;
    apr_pool_t *scratch;

    apr_pool_create_unmanaged_ex(&scratch, NULL, NULL);
    status = clerk_keystore_acquire(&pin, w->store, slot, want, seen, scratch);
    clerk_keystore_release(w->store, &pin);
    apr_pool_destroy(scratch);
    return status;
}

static inline clerk_keys_status ask(world *w, unsigned int slot)
{
    return ask_for(w, slot, CLERK_KEYS_CURRENT, 0);
}

/* One round of the background thread. */
static inline apr_interval_time_t tick(world *w)
{
    apr_interval_time_t sleep;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, w->pool);
    sleep = clerk_keystore_tick(w->store, scratch);
    apr_pool_destroy(scratch);
    return sleep;
}

/* Wait for a condition that another thread or process brings about; give up after ten seconds. */
#define wait_until(condition)                                                                                          \
    do {                                                                                                               \
        apr_time_t wait_end = apr_time_now() + apr_time_from_sec(10);                                                  \
        while (!(condition) && apr_time_now() < wait_end) {                                                            \
            apr_sleep(500);                                                                                            \
        }                                                                                                              \
        assert_true(condition);                                                                                        \
    } while (0)

/* Run a function in a child of its own. */
static inline pid_t world_fork(world *w, void (*run)(world *w))
{
    pid_t pid = fork();

    if (pid == 0) {
        run(w);
        _exit(0);
    }
    assert_true(pid > 0);
    return pid;
}

/* Wait for a child. @return whether it ended by itself, without an error */
static inline int world_wait(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
