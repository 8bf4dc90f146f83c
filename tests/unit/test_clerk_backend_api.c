/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the Backend API: how they are made, when they are held back because Clerk does not answer, and what a reply
 * is.
 */

#include "backend_fixture.h"

static void a_call_is_made_as_clerk_wants_it(void **state)
{
    backend_fixture *f = *state;
    const clerk_http_request *request = &f->request;
    clerk_backend_reply reply;

    f->api.http_proxy = "http://127.0.0.1:3128";
    f->api.ca_file = "/ca.pem";
    reply = reply_to(f, refresh_of("user_1", "e", "r"));
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{}");
    assert_int_equal(reply.body_len, 2);
    assert_false(reply.held_back);
    assert_int_equal(f->server->calls, 1);
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
    assert_int_equal(atomic_load(&f->state->calls), 1);
}

/* The machine's key only where the call asks for it; one call for the same token; a token is known once confirmed. */
static void a_machine_token_is_verified_as_clerk_wants_it(void **state)
{
    backend_fixture *f = *state;
    clerk_backend_call call = verification_of("ak_1", "192.0.2.1");

    f->api.machine_secret_key = "ak_machine";
    assert_int_equal(reply_to(f, call).status, 200);
    assert_string_equal(f->request.bearer, SECRET);
    assert_int_equal(reply_to(f, call).status, 200);
    assert_int_equal(f->server->calls, 1);
    assert_int_equal(clerk_backend_limits_caller(f->api.limits, f->api.number, &call).group,
                     CLERK_BACKEND_KNOWN_MACHINES);
    call = verification_of("mt_2", "192.0.2.1");
    call.by_machine_key = 1;
    f->server->status = 404;
    f->server->calls = 0;
    assert_int_equal(reply_to(f, call).status, 404);
    assert_string_equal(f->request.bearer, "ak_machine");
    assert_int_equal(reply_to(f, call).status, 404);
    assert_int_equal(f->server->calls, 1);
    assert_int_equal(clerk_backend_limits_caller(f->api.limits, f->api.number, &call).group,
                     CLERK_BACKEND_NEW_MACHINES);
}

static void without_a_way_out_there_is_no_answer(void **state)
{
    backend_fixture *f = *state;

    f->api.http = NULL;
    assert_int_equal(status_of_call(f), 0);
    assert_int_equal(atomic_load(&f->state->rejected), 1);
}

/* differences.md row 37 */
static void what_is_json_is_said_by_the_content_type(void **state)
{
    static const struct {
        const char *content_type;
        int is_json;
    } rows[] = {
        {"application/json", 1},
        {"Application/JSON; charset=utf-8", 1},
        {"application/json ;a=b", 1},
        {"application/jsonx", 0},
        {"application/json-patch+x", 0},
        {"text/html", 0},
        {"", 0},
    };
    backend_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_backend_call one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);

        apr_cpystrn(f->server->content_type, rows[i].content_type, sizeof(f->server->content_type));
        f->server->calls = 0;
        /* Also of a reply that is shared. */
        for (int times = 0; times < 2; times++) {
            assert_int_equal(reply_to(f, one).is_json, rows[i].is_json);
        }
        assert_int_equal(f->server->calls, 1);
    }
}

/* Circuits */

static void only_silence_and_server_errors_are_failures(void **state)
{
    static const struct {
        apr_status_t rv;
        int status;
        int failures;
    } rows[] = {{APR_SUCCESS, 200, 0}, {APR_SUCCESS, 302, 0}, {APR_SUCCESS, 400, 0},    {APR_SUCCESS, 401, 0},
                {APR_SUCCESS, 404, 0}, {APR_SUCCESS, 422, 0}, {APR_SUCCESS, 429, 0},    {APR_SUCCESS, 500, 3},
                {APR_SUCCESS, 503, 3}, {APR_TIMEUP, 0, 3},    {APR_ECONNREFUSED, 0, 3}, {APR_EINTR, 0, 0}};
    backend_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(f->state, 0, sizeof(*f->state));
        f->server->rv = rows[i].rv;
        f->server->status = rows[i].status;
        for (int n = 0; n < 5; n++) {
            assert_int_equal(status_of_call(f), n < 3 || !rows[i].failures ? rows[i].status : 0);
        }
        assert_int_equal(atomic_load(&circuit_of(f)->failures), rows[i].failures);
        assert_int_equal(atomic_load(&f->state->calls), rows[i].failures ? 3 : 5);
        assert_int_equal(atomic_load(&f->state->rejected), rows[i].failures ? 2 : rows[i].rv == APR_EINTR ? 5 : 0);
        assert_int_equal(pause_of(f), rows[i].failures ? 5 : 0);
    }
}

static void a_success_starts_the_count_anew(void **state)
{
    backend_fixture *f = *state;

    fail_times(f, 2);
    f->server->rv = APR_SUCCESS;
    assert_int_equal(status_of_call(f), 200);
    fail_times(f, 2);
    assert_int_equal(pause_of(f), 0);
    fail_times(f, 1);
    assert_int_equal(pause_of(f), 5);
    assert_int_equal(f->server->logged[3], 1);
}

static void the_pause_doubles_up_to_a_minute(void **state)
{
    static const int pauses[] = {10, 20, 40, 60, 60, 60};
    backend_fixture *f = *state;
    clerk_backend_reply reply;

    fail_times(f, 3);
    for (size_t i = 0; i < COUNT(pauses); i++) {
        int calls = f->server->calls;

        fail_times(f, 4);
        assert_int_equal(f->server->calls, calls);
        let_the_pause_pass(f);
        fail_times(f, 4);
        assert_int_equal(f->server->calls, calls + 1);
        assert_int_equal(pause_of(f), pauses[i]);
        reply = reply_to_group(f, CLERK_BACKEND_KNOWN_SESSIONS);
        assert_true(reply.held_back);
        assert_int_equal(reply.retry_after, pauses[i]);
    }
    assert_int_equal(f->server->logged[3], 1);
    /* It answers: all is as before. */
    let_the_pause_pass(f);
    f->server->rv = APR_SUCCESS;
    assert_int_equal(status_of_call(f), 200);
    assert_int_equal(status_of_call(f), 200);
    assert_int_equal(pause_of(f), 0);
    assert_int_equal(f->server->logged[2], 1);
    fail_times(f, 3);
    assert_int_equal(pause_of(f), 5);
    assert_int_equal(f->server->logged[3], 2);
}

static void a_clock_that_is_set_back_does_not_hold_it_open(void **state)
{
    backend_fixture *f = *state;

    fail_times(f, 3);
    atomic_store(&circuit_of(f)->open_until, apr_time_now() + SECONDS(3600));
    f->server->rv = APR_SUCCESS;
    assert_int_equal(status_of_call(f), 200);
    assert_int_equal(pause_of(f), 0);
}

/* The call that opens the circuit can be overtaken by another's success between the count and the time. */
static void a_success_closes_a_circuit_whose_count_is_lost(void **state)
{
    backend_fixture *f = *state;

    atomic_store(&circuit_of(f)->failures, 0);
    let_the_pause_pass(f);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(status_of_call(f), 200);
    }
    assert_int_equal(f->server->calls, 5);
    assert_int_equal(atomic_load(&f->state->rejected), 0);
    assert_int_equal(pause_of(f), 0);
}

/* Of so many users two may share a word of the table of allowances: that of a known machine then waits for what the
 * other's failure cost. This is about circuits, which are elsewhere. */
static clerk_backend_reply first_call_of(backend_fixture *f, clerk_backend_group group)
{
    memset(f->memory, 0, f->size);
    return reply_to_group(f, group);
}

static void no_group_opens_the_circuit_of_another(void **state)
{
    backend_fixture *f = *state;

    for (int failing = 0; failing < CLERK_BACKEND_GROUPS; failing++) {
        memset(f->state, 0, sizeof(*f->state));
        f->server->status = 500;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(first_call_of(f, failing).status, 500);
        }
        f->server->status = 200;
        for (int group = 0; group < CLERK_BACKEND_GROUPS; group++) {
            assert_int_equal(first_call_of(f, group).status, group == failing ? 0 : 200);
        }
    }
}

static void calls_that_fail_together_count_as_one_outage(void **state)
{
    backend_fixture *f = *state;
    backend_caller callers[8];

    fail_times(f, 2);
    hold_server(f, 1, APR_TIMEUP);
    start_known(f, callers, COUNT(callers));
    wait_until_inside(f, COUNT(callers));
    hold_server(f, 0, APR_TIMEUP);
    join_callers(callers, COUNT(callers));
    assert_int_equal(atomic_load(&circuit_of(f)->failures), 3);
    assert_int_equal(pause_of(f), 5);
    assert_int_equal(f->server->logged[3], 1);
}

static void after_the_pause_one_thread_tries(void **state)
{
    backend_fixture *f = *state;
    backend_caller probe, more[12];

    fail_times(f, 3);
    let_the_pause_pass(f);
    hold_server(f, 1, APR_SUCCESS);
    start_known(f, &probe, 1);
    wait_until_inside(f, 1);
    start_known(f, more, COUNT(more));
    assert_int_equal(join_callers(more, COUNT(more)), 0);
    assert_int_equal(f->server->calls, 4);
    hold_server(f, 0, APR_SUCCESS);
    assert_int_equal(join_callers(&probe, 1), 1);
    assert_int_equal(status_of_call(f), 200);
}

static void many_threads_find_one_probe(void **state)
{
    backend_fixture *f = *state;
    backend_caller callers[16];

    fail_times(f, 3);
    for (int round = 0; round < 50; round++) {
        int calls = f->server->calls;

        let_the_pause_pass(f);
        start_known(f, callers, COUNT(callers));
        join_callers(callers, COUNT(callers));
        assert_int_equal(f->server->calls, calls + 1);
    }
    assert_int_equal(pause_of(f), 60);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, backend_fixture_setup, backend_fixture_teardown)
    const struct CMUnitTest tests[] = {
        test(a_call_is_made_as_clerk_wants_it),
        test(a_machine_token_is_verified_as_clerk_wants_it),
        test(without_a_way_out_there_is_no_answer),
        test(what_is_json_is_said_by_the_content_type),
        test(only_silence_and_server_errors_are_failures),
        test(a_success_starts_the_count_anew),
        test(the_pause_doubles_up_to_a_minute),
        test(a_clock_that_is_set_back_does_not_hold_it_open),
        test(a_success_closes_a_circuit_whose_count_is_lost),
        test(no_group_opens_the_circuit_of_another),
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
