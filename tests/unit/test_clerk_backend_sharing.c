/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the Backend API: threads and processes that need the same reply make one call. */

#include "backend_fixture.h"

/* A memory of one reply. */
typedef struct memory {
    clerk_backend_memory functions;
    clerk_backend_reply reply;
    apr_time_t until;
    int asked;
} memory;

static int recall(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool)
{
    memory *m = baton;

    (void)call;
    (void)pool;
    m->asked++;
    if (!m->reply.status) {
        return 0;
    }
    *reply = m->reply;
    return 1;
}

static void keep(void *baton, const clerk_backend_reply *reply, const clerk_backend_call *call, apr_time_t until,
                 apr_pool_t *pool)
{
    memory *m = baton;

    (void)call;
    (void)pool;
    m->reply = *reply;
    m->until = until;
}

/* What is remembered costs no call, not even a stranger who may make none; what is found out is kept. */
static void what_is_remembered_is_not_asked_again(void **state)
{
    static const struct {
        int status;
        const char *body;
        int kept;
    } cases[] = {{200, "yes", 1}, {200, "no", 1}, {404, "", 1}, {401, "", 0}, {422, "", 0}, {500, "", 0}};
    backend_fixture *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        memory m = {{&m, recall, keep}, {0}, 0, 0};
        clerk_backend_call call = verification_of(apr_psprintf(f->pool, "ak_%d", (int)i), "192.0.2.1");

        memset(f->state, 0, sizeof(*f->state));
        call.memory = &m.functions;
        call.shared_for = 0;
        f->server->status = cases[i].status;
        strcpy(f->server->body, cases[i].body);
        f->server->calls = 0;
        assert_int_equal(reply_to(f, call).status, cases[i].status);
        assert_int_equal(m.reply.status, cases[i].kept ? cases[i].status : 0);
        assert_int_equal(m.until, cases[i].kept ? m.reply.asked_at : 0);
        assert_int_equal(reply_to(f, call).status, cases[i].status);
        assert_int_equal(f->server->calls, cases[i].kept ? 1 : 2);
        assert_int_equal(m.asked, 2);
        assert_int_equal(atomic_load(&f->state->recalled), cases[i].kept);
    }
}

/* A 2xx that says that the token is bad is a failure of who brings it. */
static void strangers_may_fail_as_often_whatever_the_status(void **state)
{
    backend_fixture *f = *state;

    strcpy(f->server->body, "no");
    for (int i = 0; i < 30; i++) {
        memory m = {{&m, recall, keep}, {0}, 0, 0};
        clerk_backend_call call = verification_of(apr_psprintf(f->pool, "ak_%d", i), "192.0.2.1");

        call.memory = &m.functions;
        assert_int_equal(reply_to(f, call).status, i < 10 ? 200 : 0);
        assert_int_equal(m.asked, 1);
    }
    assert_int_equal(f->server->calls, 10);
}

static void failures_are_shared_and_remembered_too(void **state)
{
    static const struct {
        apr_status_t rv;
        int status;
        int retry_after;
    } rows[] = {{APR_SUCCESS, 401, 0}, {APR_SUCCESS, 429, 7}, {APR_SUCCESS, 503, 0}, {APR_TIMEUP, 0, 0}};
    backend_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_backend_call one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);
        clerk_backend_reply first, second;

        f->server->rv = rows[i].rv;
        f->server->status = rows[i].status;
        f->server->retry_after = rows[i].retry_after;
        f->server->calls = 0;
        first = reply_to(f, one);
        f->server->rv = APR_SUCCESS;
        f->server->status = 200;
        second = reply_to(f, one);
        assert_int_equal(first.status, rows[i].status);
        assert_int_equal(second.status, rows[i].status);
        assert_int_equal(second.retry_after, first.retry_after);
        assert_false(second.held_back);
        assert_string_equal(second.body, first.body);
        assert_int_equal(f->server->calls, 1);
    }
}

static void what_was_held_back_is_not_remembered(void **state)
{
    backend_fixture *f = *state;
    clerk_backend_call one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);

    atomic_store(&circuit_of(f)->open_until, apr_time_now() + SECONDS(5));
    assert_true(reply_to(f, one).held_back);
    atomic_store(&circuit_of(f)->open_until, 0);
    assert_int_equal(reply_to(f, one).status, 200);
    /* Nor a call that this process was stopped in. */
    one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);
    f->server->rv = APR_EINTR;
    assert_true(reply_to(f, one).held_back);
    f->server->rv = APR_SUCCESS;
    assert_int_equal(reply_to(f, one).status, 200);
}

static void a_reply_that_is_too_long_is_the_leaders_alone(void **state)
{
    backend_fixture *f = *state;
    clerk_backend_call one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);

    memset(f->server->body, 'x', sizeof(f->server->body) - 1);
    assert_int_equal(reply_to(f, one).status, 200);
    assert_int_equal(reply_to(f, one).status, 0);
    assert_int_equal(f->server->calls, 1);
    one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);
    f->server->body[CLERK_SINGLE_FLIGHT_ANSWER_MAX - 24] = '\0';
    assert_int_equal(reply_to(f, one).body_len, CLERK_SINGLE_FLIGHT_ANSWER_MAX - 24);
    assert_int_equal(reply_to(f, one).body_len, CLERK_SINGLE_FLIGHT_ANSWER_MAX - 24);
    assert_int_equal(f->server->calls, 2);
}

static void threads_that_refresh_the_same_make_one_call(void **state)
{
    backend_fixture *f = *state;
    backend_caller same[40], other[2];

    strcpy(f->server->body, GOOD);
    hold_server(f, 1, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(same); i++) {
        start_call(f, &same[i], refresh_of("user_1", "e", "r"));
    }
    /* Another expired token, another refresh token: not the same. */
    start_call(f, &other[0], refresh_of("user_1", "e2", "r"));
    start_call(f, &other[1], refresh_of("user_1", "e", "r2"));
    wait_until_inside(f, 3);
    apr_sleep(apr_time_from_msec(50));
    hold_server(f, 0, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(same); i++) {
        pthread_join(same[i].thread, NULL);
        assert_int_equal(same[i].reply.status, 200);
        assert_string_equal(same[i].reply.body, GOOD);
        assert_int_equal(same[i].reply.body_len, strlen(GOOD));
        apr_pool_destroy(same[i].pool);
    }
    assert_int_equal(join_callers(other, 2), 2);
    assert_int_equal(f->server->calls, 3);
    assert_int_equal(atomic_load(&f->state->shared), COUNT(same) - 1);
    /* And all that come within ten seconds. */
    assert_string_equal(reply_to(f, refresh_of("user_1", "e", "r")).body, GOOD);
    assert_int_equal(f->server->calls, 3);
}

static void threads_that_need_the_same_profile_make_one_call(void **state)
{
    backend_fixture *f = *state;
    backend_caller same[20], other;
    int shared = 0;

    strcpy(f->server->body, "{}");
    hold_server(f, 1, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(same); i++) {
        start_call(f, &same[i], profile_of("user_1"));
    }
    start_call(f, &other, profile_of("user_2"));
    wait_until_inside(f, 2);
    apr_sleep(apr_time_from_msec(50));
    hold_server(f, 0, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(same); i++) {
        pthread_join(same[i].thread, NULL);
        assert_int_equal(same[i].reply.status, 200);
        assert_string_equal(same[i].reply.body, "user_1 {} 2");
        shared += same[i].reply.shared;
        apr_pool_destroy(same[i].pool);
    }
    assert_int_equal(shared, COUNT(same) - 1);
    pthread_join(other.thread, NULL);
    assert_string_equal(other.reply.body, "user_2 {} 2");
    assert_false(other.reply.shared);
    apr_pool_destroy(other.pool);
    assert_int_equal(f->server->calls, 2);
}

static void who_waits_too_long_gives_up(void **state)
{
    backend_fixture *f = *state;
    backend_caller leader, waiting[4];

    f->api.timeout = apr_time_from_msec(300);
    hold_server(f, 1, APR_SUCCESS);
    start_call(f, &leader, refresh_of("user_1", "e", "r"));
    wait_until_inside(f, 1);
    for (size_t i = 0; i < COUNT(waiting); i++) {
        start_call(f, &waiting[i], refresh_of("user_1", "e", "r"));
    }
    for (size_t i = 0; i < COUNT(waiting); i++) {
        pthread_join(waiting[i].thread, NULL);
        assert_true(waiting[i].reply.held_back);
        assert_int_equal(waiting[i].reply.status, 0);
        assert_true(waiting[i].reply.retry_after > 0);
        apr_pool_destroy(waiting[i].pool);
    }
    /* They gave up while the API still holds the first one. */
    hold_server(f, 0, APR_SUCCESS);
    assert_int_equal(join_callers(&leader, 1), 1);
    assert_int_equal(f->server->calls, 1);
}

static void refresh_in_process(backend_fixture *f)
{
    clerk_backend_call made = refresh_of("user_1", "e", "r");
    clerk_backend_reply reply;

    clerk_backend_api_call(&f->api, &reply, &made, f->pool);
    _exit(reply.status == 200 && !strcmp(reply.body, GOOD) ? 0 : 1);
}

static pid_t start_process(backend_fixture *f)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)alarm(120); /* not left behind if the test ends early */
        refresh_in_process(f);
    }
    assert_true(pid > 0);
    return pid;
}

static void processes_that_refresh_the_same_make_one_call(void **state)
{
    backend_fixture *f = *state;
    pid_t pids[12];
    int status;

    strcpy(f->server->body, GOOD);
    hold_server(f, 1, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(pids); i++) {
        pids[i] = start_process(f);
    }
    wait_until_inside(f, 1);
    apr_sleep(apr_time_from_msec(100));
    hold_server(f, 0, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(pids); i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(f->server->calls, 1);
}

static void a_process_that_is_killed_in_its_call_is_replaced(void **state)
{
    backend_fixture *f = *state;
    backend_caller waiting[6];
    pid_t leader;

    f->api.timeout = SECONDS(10);
    strcpy(f->server->body, GOOD);
    hold_server(f, 1, APR_SUCCESS);
    leader = start_process(f);
    wait_until_inside(f, 1);
    for (size_t i = 0; i < COUNT(waiting); i++) {
        start_call(f, &waiting[i], refresh_of("user_1", "e", "r"));
    }
    apr_sleep(apr_time_from_msec(50));
    assert_int_equal(f->server->calls, 1);
    kill(leader, SIGKILL);
    assert_int_equal(waitpid(leader, NULL, 0), leader);
    f->server->inside--;
    wait_until_inside(f, 1);
    hold_server(f, 0, APR_SUCCESS);
    assert_int_equal(join_callers(waiting, COUNT(waiting)), COUNT(waiting));
    assert_int_equal(f->server->calls, 2);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, backend_fixture_setup, backend_fixture_teardown)
    const struct CMUnitTest tests[] = {
        test(what_is_remembered_is_not_asked_again),
        test(strangers_may_fail_as_often_whatever_the_status),
        test(failures_are_shared_and_remembered_too),
        test(what_was_held_back_is_not_remembered),
        test(a_reply_that_is_too_long_is_the_leaders_alone),
        test(threads_that_refresh_the_same_make_one_call),
        test(threads_that_need_the_same_profile_make_one_call),
        test(who_waits_too_long_gives_up),
        test(processes_that_refresh_the_same_make_one_call),
        test(a_process_that_is_killed_in_its_call_is_replaced),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
