/* SPDX-License-Identifier: Apache-2.0 */
#include "shared_fixture.h"

#include <unistd.h>

/* For the clock, which has no argument. */
static world_state *world_now;

apr_time_t world_clock(void)
{
    apr_time_t stands = (apr_time_t)atomic_load(&world_now->clock_stands);

    return (stands ? stands : apr_time_now()) + (apr_time_t)atomic_load(&world_now->clock_offset);
}

void world_pass(apr_interval_time_t time)
{
    atomic_fetch_add(&world_now->clock_offset, (long long)time);
}

void world_run_clock(void)
{
    atomic_store(&world_now->clock_stands, 0);
}

static void world_sink(void *baton, clerk_log_level level, int number, const char *text)
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

static int request_is_right(const clerk_http_request *request)
{
    const char *version = apr_table_get(request->headers, "Clerk-API-Version");

    return !strcmp(request->method, "GET") && !strcmp(apr_table_get(request->headers, "Accept"), "application/json")
           && request->max_response == 256 * 1024 && request->timeout <= TIMEOUT
           && (request->bearer ? version && !strcmp(version, "2026-05-12") : !version);
}

static apr_status_t world_perform(void *baton, clerk_http_response **presponse, const clerk_http_request *request,
                                  apr_pool_t *pool)
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

void answer_with(world *w, int source, int status, const char *body)
{
    world_answer *answer = &w->state->answers[source];

    atomic_store(&answer->rv, APR_SUCCESS);
    atomic_store(&answer->status, status);
    atomic_store(&answer->retry_after, -1);
    atomic_store(&answer->body, body);
}

void answer_nothing(world *w, int source)
{
    atomic_store(&w->state->answers[source].rv, APR_ECONNREFUSED);
}

static void *world_shared_memory(apr_size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(memory != MAP_FAILED);
    return memory;
}

void world_start(world *w)
{
    if (w->memory) {
        munmap(w->memory, w->size);
    }
    if (w->process_pool) {
        apr_pool_destroy(w->process_pool);
    }
    apr_pool_create(&w->process_pool, w->pool);
    w->size = clerk_keystore_size(SOURCES);
    w->memory = world_shared_memory(w->size);
    w->files = (clerk_statefile_dir){w->state_dir, (const unsigned char *)STATE_KEY, geteuid()};
    assert_int_equal(clerk_keystore_create(&w->store, w->memory, w->size, w->sources, SOURCES,
                                           w->state_dir ? &w->files : NULL, w->process_pool),
                     APR_SUCCESS);
    w->store->now = world_clock;
    memset(w->places, 0, PLACES * sizeof(*w->places));
    clerk_keystore_let_wait(w->store, w->places, WORKERS);
}

void world_run(world *w)
{
    world_start(w);
    assert_int_equal(clerk_keystore_child_init(w->store, &w->http, w->process_pool), APR_SUCCESS);
}

int world_setup(void **state)
{
    world *w = calloc(1, sizeof(*w));
    const char *jwk;

    if (!w || apr_pool_create(&w->pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    w->state = world_now = world_shared_memory(sizeof(*w->state));
    w->places = world_shared_memory(PLACES * sizeof(*w->places));
    /* However slow the machine is, no time passes unless the test says so. */
    atomic_store(&w->state->clock_stands, (long long)apr_time_now());
    clerk_log_set_sink(world_sink, w->state);
    w->http.baton = w->state;
    w->http.perform = world_perform;
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

int world_teardown(void **state)
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
    munmap(w->places, PLACES * sizeof(*w->places));
    free(w);
    return wrong ? -1 : 0;
}

int logged(const world *w, int number)
{
    return atomic_load(&w->state->logged[number - 1000]);
}

int calls(const world *w)
{
    return atomic_load(&w->state->calls);
}

clerk_keystore_stats stats_of(const world *w, unsigned int slot)
{
    clerk_keystore_stats stats;

    clerk_keystore_get_stats(&stats, w->store, slot);
    return stats;
}

clerk_keys_status ask_for(world *w, unsigned int slot, clerk_keys_want want, apr_uint32_t seen)
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

clerk_keys_status ask(world *w, unsigned int slot)
{
    return ask_for(w, slot, CLERK_KEYS_CURRENT, 0);
}

apr_interval_time_t tick(world *w)
{
    apr_interval_time_t sleep;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, w->pool);
    sleep = clerk_keystore_tick(w->store, scratch);
    apr_pool_destroy(scratch);
    return sleep;
}

pid_t world_fork(world *w, void (*run)(world *w))
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)alarm(120); /* not left behind if the test ends early */
        run(w);
        _exit(0);
    }
    assert_true(pid > 0);
    return pid;
}

int world_wait(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
