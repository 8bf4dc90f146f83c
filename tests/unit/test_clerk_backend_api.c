/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "clerk/instance/backend_api.h"
#include "shared/log.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "sk_test_canary_51c2"
#define SECONDS(n) apr_time_from_sec(n)

/* A server with a configurable response, which delays all responses while `held` is set. */
typedef struct server {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int held;
    int inside;
    int most_inside;
    int calls;
    apr_status_t rv;
    int status;
    clerk_http_request request; /* the last one; its pointers are valid as long as the pool of the caller */
    int logged[2];              /* AC2001, AC2002 */
} server;

typedef struct fixture {
    apr_pool_t *pool;
    server server;
    clerk_http http;
    clerk_backend_breaker breaker;
    clerk_backend_api api;
} fixture;

static apr_status_t perform(void *baton, clerk_http_response **presponse, const clerk_http_request *request,
                            apr_pool_t *pool)
{
    server *s = baton;
    clerk_http_response *response = apr_pcalloc(pool, sizeof(*response));
    apr_status_t rv;

    pthread_mutex_lock(&s->lock);
    s->calls++;
    s->request = *request;
    s->inside++;
    if (s->inside > s->most_inside) {
        s->most_inside = s->inside;
    }
    pthread_cond_broadcast(&s->changed);
    while (s->held) {
        pthread_cond_wait(&s->changed, &s->lock);
    }
    s->inside--;
    rv = s->rv;
    response->status = rv == APR_SUCCESS ? s->status : 0;
    response->body = rv == APR_SUCCESS ? "{}" : "";
    response->body_len = strlen(response->body);
    pthread_mutex_unlock(&s->lock);
    *presponse = response;
    return rv;
}

static void sink(void *baton, clerk_log_level level, int number, const char *text)
{
    server *s = baton;

    (void)level;
    if (!strstr(text, SECRET) && (number == 2001 || number == 2002)) {
        s->logged[number - 2001]++;
    }
}

static int setup(void **state)
{
    apr_pool_t *pool;
    fixture *f;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    f = apr_pcalloc(pool, sizeof(*f));
    f->pool = pool;
    pthread_mutex_init(&f->server.lock, NULL);
    pthread_cond_init(&f->server.changed, NULL);
    f->server.status = 200;
    f->http.baton = &f->server;
    f->http.perform = perform;
    f->api.name = "test";
    f->api.api_url = "https://api.example.test";
    f->api.secret_key = SECRET;
    f->api.timeout = SECONDS(2);
    f->api.http = &f->http;
    f->api.breaker = &f->breaker;
    clerk_log_set_sink(sink, &f->server);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;

    clerk_log_set_sink(NULL, NULL);
    pthread_cond_destroy(&f->server.changed);
    pthread_mutex_destroy(&f->server.lock);
    apr_pool_destroy(f->pool);
    return 0;
}

/* @return the status of the reply; 0: none */
static int call_for(fixture *f, clerk_backend_cause cause)
{
    const clerk_backend_call made = {cause, "GET", "/v1/clients/handshake_payload?nonce=n", NULL};
    clerk_backend_reply reply;

    clerk_backend_api_call(&f->api, &reply, &made, f->pool);
    assert_non_null(reply.body);
    return reply.status;
}

static int call(fixture *f)
{
    return call_for(f, CLERK_BACKEND_FOR_SESSION);
}

static void fail_times(fixture *f, int times)
{
    f->server.rv = APR_TIMEUP;
    for (int i = 0; i < times; i++) {
        assert_int_equal(call(f), 0);
    }
}

/* Seconds that the circuit stays open from now on, rounded up. */
static int pause_of(fixture *f)
{
    apr_int64_t until = atomic_load(&f->breaker.open_until);

    return until ? (int)((until - apr_time_now() + SECONDS(1) - 1) / SECONDS(1)) : 0;
}

static void let_the_pause_pass(fixture *f)
{
    atomic_store(&f->breaker.open_until, apr_time_now() - 1);
}

static void a_call_is_made_as_clerk_wants_it(void **state)
{
    static const clerk_backend_call refresh
        = {CLERK_BACKEND_FOR_SESSION, "POST", "/v1/sessions/sess_1/refresh", "{\"a\":1}"};
    fixture *f = *state;
    const clerk_http_request *request = &f->server.request;
    clerk_backend_reply reply;

    f->api.http_proxy = "http://127.0.0.1:3128";
    f->api.ca_file = "/ca.pem";
    clerk_backend_api_call(&f->api, &reply, &refresh, f->pool);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{}");
    assert_int_equal(reply.body_len, 2);
    assert_int_equal(f->server.calls, 1);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->url, "https://api.example.test/v1/sessions/sess_1/refresh");
    assert_string_equal(request->bearer, SECRET);
    assert_string_equal(request->body, "{\"a\":1}");
    assert_int_equal(request->body_len, 7);
    assert_string_equal(apr_table_get(request->headers, "Clerk-API-Version"), "2026-05-12");
    assert_string_equal(apr_table_get(request->headers, "Content-Type"), "application/json");
    assert_string_equal(request->proxy, "http://127.0.0.1:3128");
    assert_string_equal(request->ca_file, "/ca.pem");
    assert_int_equal(request->timeout, SECONDS(2));
    assert_true(request->max_response > 0);
    assert_int_equal(atomic_load(&f->breaker.calls), 1);
    assert_int_equal(atomic_load(&f->api.under_way[CLERK_BACKEND_FOR_SESSION]), 0);
}

static void only_silence_and_server_errors_are_failures(void **state)
{
    static const struct {
        apr_status_t rv;
        int status;
        int failures;
    } rows[] = {{APR_SUCCESS, 200, 0}, {APR_SUCCESS, 302, 0}, {APR_SUCCESS, 400, 0},    {APR_SUCCESS, 401, 0},
                {APR_SUCCESS, 404, 0}, {APR_SUCCESS, 422, 0}, {APR_SUCCESS, 429, 0},    {APR_SUCCESS, 500, 3},
                {APR_SUCCESS, 503, 3}, {APR_TIMEUP, 0, 3},    {APR_ECONNREFUSED, 0, 3}, {APR_EINTR, 0, 0}};
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(&f->breaker, 0, sizeof(f->breaker));
        f->server.rv = rows[i].rv;
        f->server.status = rows[i].status;
        for (int n = 0; n < 5; n++) {
            assert_int_equal(call(f), n < 3 || !rows[i].failures ? rows[i].status : 0);
        }
        assert_int_equal(atomic_load(&f->breaker.failures), rows[i].failures);
        assert_int_equal(atomic_load(&f->breaker.calls), rows[i].failures ? 3 : 5);
        assert_int_equal(atomic_load(&f->breaker.rejected), rows[i].failures ? 2 : 0);
        assert_int_equal(pause_of(f), rows[i].failures ? 5 : 0);
    }
}

static void a_success_starts_the_count_anew(void **state)
{
    fixture *f = *state;

    fail_times(f, 2);
    f->server.rv = APR_SUCCESS;
    assert_int_equal(call(f), 200);
    fail_times(f, 2);
    assert_int_equal(pause_of(f), 0);
    fail_times(f, 1);
    assert_int_equal(pause_of(f), 5);
    assert_int_equal(f->server.logged[1], 1);
}

static void the_pause_doubles_up_to_a_minute(void **state)
{
    static const int pauses[] = {10, 20, 40, 60, 60, 60};
    fixture *f = *state;

    fail_times(f, 3);
    for (size_t i = 0; i < COUNT(pauses); i++) {
        int calls = f->server.calls;

        fail_times(f, 4);
        assert_int_equal(f->server.calls, calls);
        let_the_pause_pass(f);
        fail_times(f, 4);
        assert_int_equal(f->server.calls, calls + 1);
        assert_int_equal(pause_of(f), pauses[i]);
    }
    assert_int_equal(f->server.logged[1], 1);
    /* A response closes the circuit. */
    let_the_pause_pass(f);
    f->server.rv = APR_SUCCESS;
    assert_int_equal(call(f), 200);
    assert_int_equal(call(f), 200);
    assert_int_equal(pause_of(f), 0);
    assert_int_equal(f->server.logged[0], 1);
    fail_times(f, 3);
    assert_int_equal(pause_of(f), 5);
    assert_int_equal(f->server.logged[1], 2);
}

static void a_clock_that_is_set_back_does_not_hold_it_open(void **state)
{
    fixture *f = *state;

    fail_times(f, 3);
    atomic_store(&f->breaker.open_until, apr_time_now() + SECONDS(3600));
    f->server.rv = APR_SUCCESS;
    assert_int_equal(call(f), 200);
    assert_int_equal(pause_of(f), 0);
}

/* Between the increment of the count and the store of open_until, another call may succeed and reset the count. */
static void a_success_closes_a_circuit_whose_count_is_lost(void **state)
{
    fixture *f = *state;

    atomic_store(&f->breaker.failures, 0);
    let_the_pause_pass(f);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(call(f), 200);
    }
    assert_int_equal(f->server.calls, 5);
    assert_int_equal(atomic_load(&f->breaker.rejected), 0);
    assert_int_equal(pause_of(f), 0);
}

static void without_a_way_out_there_is_no_answer(void **state)
{
    fixture *f = *state;

    f->api.http = NULL;
    assert_int_equal(call(f), 0);
    assert_int_equal(atomic_load(&f->breaker.rejected), 1);
    assert_int_equal(atomic_load(&f->api.under_way[CLERK_BACKEND_FOR_SESSION]), 0);
}

/* Threads */

typedef struct caller {
    pthread_t thread;
    fixture *f;
    clerk_backend_cause cause;
    int status;
} caller;

static void *one_call(void *baton)
{
    caller *c = baton;
    const clerk_backend_call made = {c->cause, "GET", "/v1/clients/handshake_payload?nonce=n", NULL};
    clerk_backend_reply reply;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    clerk_backend_api_call(&c->f->api, &reply, &made, pool);
    c->status = reply.status;
    apr_pool_destroy(pool);
    return NULL;
}

static void start_for(fixture *f, caller *callers, int count, clerk_backend_cause cause)
{
    for (int i = 0; i < count; i++) {
        callers[i].f = f;
        callers[i].cause = cause;
        callers[i].status = -1;
        assert_int_equal(pthread_create(&callers[i].thread, NULL, one_call, &callers[i]), 0);
    }
}

static void start(fixture *f, caller *callers, int count)
{
    start_for(f, callers, count, CLERK_BACKEND_FOR_SESSION);
}

static void wait_until_inside(fixture *f, int count)
{
    pthread_mutex_lock(&f->server.lock);
    while (f->server.inside < count) {
        pthread_cond_wait(&f->server.changed, &f->server.lock);
    }
    pthread_mutex_unlock(&f->server.lock);
}

static void hold(fixture *f, int held, apr_status_t rv)
{
    pthread_mutex_lock(&f->server.lock);
    f->server.held = held;
    f->server.rv = rv;
    pthread_cond_broadcast(&f->server.changed);
    pthread_mutex_unlock(&f->server.lock);
}

/* @return the number of calls with a response */
static int join(caller *callers, int count)
{
    int answered = 0;

    for (int i = 0; i < count; i++) {
        pthread_join(callers[i].thread, NULL);
        answered += callers[i].status == 200;
    }
    return answered;
}

static void a_slow_api_holds_no_more_than_four_threads(void **state)
{
    fixture *f = *state;
    caller slow[CLERK_BACKEND_MAX_UNDER_WAY], more[12];

    hold(f, 1, APR_SUCCESS);
    start(f, slow, CLERK_BACKEND_MAX_UNDER_WAY);
    wait_until_inside(f, CLERK_BACKEND_MAX_UNDER_WAY);
    /* Further calls fail at once, while these four wait. */
    start(f, more, COUNT(more));
    assert_int_equal(join(more, COUNT(more)), 0);
    assert_int_equal(f->server.inside, CLERK_BACKEND_MAX_UNDER_WAY);
    assert_int_equal(atomic_load(&f->breaker.rejected), COUNT(more));
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(slow, CLERK_BACKEND_MAX_UNDER_WAY), CLERK_BACKEND_MAX_UNDER_WAY);
    assert_int_equal(f->server.most_inside, CLERK_BACKEND_MAX_UNDER_WAY);
    assert_int_equal(atomic_load(&f->api.under_way[CLERK_BACKEND_FOR_SESSION]), 0);
    /* Rejected calls do not count as failures of the API. */
    assert_int_equal(atomic_load(&f->breaker.failures), 0);
    assert_int_equal(call(f), 200);
}

static void calls_that_anybody_can_cause_take_no_place_from_sessions(void **state)
{
    fixture *f = *state;
    caller strangers[CLERK_BACKEND_MAX_UNDER_WAY], sessions[CLERK_BACKEND_MAX_UNDER_WAY];

    hold(f, 1, APR_SUCCESS);
    start_for(f, strangers, CLERK_BACKEND_MAX_UNDER_WAY, CLERK_BACKEND_FOR_ANY_CLIENT);
    wait_until_inside(f, CLERK_BACKEND_MAX_UNDER_WAY);
    assert_int_equal(call_for(f, CLERK_BACKEND_FOR_ANY_CLIENT), 0);
    start(f, sessions, CLERK_BACKEND_MAX_UNDER_WAY);
    wait_until_inside(f, 2 * CLERK_BACKEND_MAX_UNDER_WAY);
    assert_int_equal(atomic_load(&f->breaker.rejected), 1);
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(strangers, CLERK_BACKEND_MAX_UNDER_WAY), CLERK_BACKEND_MAX_UNDER_WAY);
    assert_int_equal(join(sessions, CLERK_BACKEND_MAX_UNDER_WAY), CLERK_BACKEND_MAX_UNDER_WAY);
    assert_int_equal(atomic_load(&f->api.under_way[CLERK_BACKEND_FOR_ANY_CLIENT]), 0);
}

static void calls_that_fail_together_count_as_one_outage(void **state)
{
    fixture *f = *state;
    caller callers[CLERK_BACKEND_MAX_UNDER_WAY];

    fail_times(f, 2);
    hold(f, 1, APR_TIMEUP);
    start(f, callers, CLERK_BACKEND_MAX_UNDER_WAY);
    wait_until_inside(f, CLERK_BACKEND_MAX_UNDER_WAY);
    hold(f, 0, APR_TIMEUP);
    join(callers, CLERK_BACKEND_MAX_UNDER_WAY);
    assert_int_equal(atomic_load(&f->breaker.failures), 3);
    assert_int_equal(pause_of(f), 5);
    assert_int_equal(f->server.logged[1], 1);
}

static void after_the_pause_one_thread_tries(void **state)
{
    fixture *f = *state;
    caller probe, more[12];

    fail_times(f, 3);
    let_the_pause_pass(f);
    hold(f, 1, APR_SUCCESS);
    start(f, &probe, 1);
    wait_until_inside(f, 1);
    start(f, more, COUNT(more));
    assert_int_equal(join(more, COUNT(more)), 0);
    assert_int_equal(f->server.calls, 4);
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(&probe, 1), 1);
    assert_int_equal(call(f), 200);
}

static void many_threads_find_one_probe(void **state)
{
    fixture *f = *state;
    caller callers[16];

    fail_times(f, 3);
    for (int round = 0; round < 50; round++) {
        int calls = f->server.calls;

        let_the_pause_pass(f);
        start(f, callers, COUNT(callers));
        join(callers, COUNT(callers));
        assert_int_equal(f->server.calls, calls + 1);
    }
    assert_int_equal(atomic_load(&f->api.under_way[CLERK_BACKEND_FOR_SESSION]), 0);
    assert_int_equal(pause_of(f), 60);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(a_call_is_made_as_clerk_wants_it),
        test(only_silence_and_server_errors_are_failures),
        test(a_success_starts_the_count_anew),
        test(the_pause_doubles_up_to_a_minute),
        test(a_clock_that_is_set_back_does_not_hold_it_open),
        test(a_success_closes_a_circuit_whose_count_is_lost),
        test(without_a_way_out_there_is_no_answer),
        test(a_slow_api_holds_no_more_than_four_threads),
        test(calls_that_anybody_can_cause_take_no_place_from_sessions),
        test(calls_that_fail_together_count_as_one_outage),
        test(after_the_pause_one_thread_tries),
        test(many_threads_find_one_probe),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
