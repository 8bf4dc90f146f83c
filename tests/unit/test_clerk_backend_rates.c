/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the Backend API: how often they may be made, or may fail, for whom, and what a 429 stops. */

#include "backend_fixture.h"

/* @return how many of ten calls were made */
static int made_of_ten(backend_fixture *f, clerk_backend_call one)
{
    int made = 0;

    for (int i = 0; i < 10; i++) {
        /* Another refresh token each time, so that no reply is shared. */
        if (one.refresh_token) {
            one.refresh_token = apr_psprintf(f->pool, "junk_%d", atomic_fetch_add(&f->callers, 1));
        } else {
            one = nonce_from(one.client_ip);
        }
        made += !reply_to(f, one).held_back;
    }
    return made;
}

static void a_client_that_is_refused_is_held_back(void **state)
{
    backend_fixture *f = *state;
    clerk_backend_reply reply;

    f->server->status = 404;
    assert_int_equal(made_of_ten(f, nonce_from("192.0.2.7")), 10);
    assert_int_equal(made_of_ten(f, nonce_from("192.0.2.7")), 0);
    reply = reply_to(f, nonce_from("192.0.2.7"));
    assert_int_equal(reply.status, 0);
    assert_in_range(reply.retry_after, 4, 5);
    assert_int_equal(f->server->logged[0], 1);
    /* Only that one. */
    assert_false(reply_to(f, nonce_from("192.0.2.8")).held_back);
    assert_false(reply_to_group(f, CLERK_BACKEND_NEW_SESSIONS).held_back);
    assert_false(reply_to_group(f, CLERK_BACKEND_KNOWN_SESSIONS).held_back);
}

static void what_counts_as_one_client(void **state)
{
    static const struct {
        const char *one;
        const char *other;
        int same;
    } rows[] = {{"192.0.2.7", "192.0.2.7", 1},
                {"192.0.2.7", "192.0.2.8", 0},
                {"2001:db8::1", "2001:db8::ffff:2", 1},
                {"2001:db8:0:0:1::", "2001:db8::", 1},
                {"2001:db8:0:1::1", "2001:db8:0:2::1", 0},
                {"::ffff:192.0.2.9", "192.0.2.9", 1},
                {"::ffff:192.0.2.10", "::ffff:192.0.2.11", 0},
                {NULL, NULL, 1},
                {NULL, "192.0.2.12", 0}};
    backend_fixture *f = *state;

    f->server->status = 404;
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(f->state, 0, sizeof(*f->state));
        memset(f->memory, 0, f->size);
        (void)made_of_ten(f, nonce_from(rows[i].one));
        assert_int_equal(reply_to(f, nonce_from(rows[i].other)).held_back, rows[i].same);
    }
}

static void success_costs_a_client_nothing(void **state)
{
    backend_fixture *f = *state;

    for (int i = 0; i < 30; i++) {
        assert_int_equal(made_of_ten(f, nonce_from("192.0.2.7")), 10);
    }
}

static void a_nonce_is_asked_for_until_it_is_answered(void **state)
{
    static const struct {
        apr_status_t rv;
        int status;
        int is_spent;
    } rows[] = {{APR_SUCCESS, 200, 1}, {APR_SUCCESS, 404, 1}, {APR_SUCCESS, 401, 0},
                {APR_SUCCESS, 500, 0}, {APR_TIMEUP, 0, 0},    {APR_EINTR, 0, 0}};
    backend_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_backend_call one = nonce_from("192.0.2.7"), other = nonce_from("192.0.2.7");

        f->server->rv = rows[i].rv;
        f->server->status = rows[i].status;
        assert_int_equal(reply_to(f, one).status, rows[i].status);
        f->server->rv = APR_SUCCESS;
        f->server->status = 200;
        assert_int_equal(reply_to(f, one).held_back, rows[i].is_spent);
        assert_false(reply_to(f, other).held_back);
        /* Another instance's is another nonce. */
        f->api.number++;
        assert_false(reply_to(f, other).held_back);
    }
}

static void strangers_are_held_back_in_all(void **state)
{
    static const clerk_backend_group groups[] = {CLERK_BACKEND_STRANGERS, CLERK_BACKEND_NEW_SESSIONS};
    backend_fixture *f = *state;

    f->server->status = 404;
    for (size_t i = 0; i < COUNT(groups); i++) {
        int made = 0;

        for (int n = 0; n < 100; n++) {
            made += !reply_to_group(f, groups[i]).held_back;
        }
        /* 20, and one for each half second that this took. */
        assert_in_range(made, 20, 24);
    }
    assert_false(reply_to_group(f, CLERK_BACKEND_KNOWN_SESSIONS).held_back);
}

static void a_user_who_is_refused_is_held_back(void **state)
{
    backend_fixture *f = *state;
    clerk_backend_call junk = refresh_of("user_1", "e", "r"), known = refresh_of("user_1", "e", "r");

    f->server->status = 401;
    assert_in_range(made_of_ten(f, junk), 5, 6);
    assert_true(reply_to(f, junk).held_back);
    assert_false(reply_to_group(f, CLERK_BACKEND_NEW_SESSIONS).held_back);
    /* With what was junk the user's real sessions have nothing to do. */
    clerk_backend_limits_note(f->api.limits, f->api.number, "r", 1);
    assert_false(reply_to(f, known).held_back);
}

static void a_user_renews_so_often_and_no_more(void **state)
{
    backend_fixture *f = *state;
    int made = 0;

    for (int i = 0; i < 10; i++) {
        made += made_of_ten(f, refresh_of("user_1", "e", "r"));
    }
    assert_in_range(made, 20, 22);
}

static void a_refresh_token_that_clerk_accepts_becomes_known(void **state)
{
    backend_fixture *f = *state;
    clerk_backend_limits *limits = f->api.limits;
    clerk_backend_call one = refresh_of("user_1", "e", "r_1"), next = refresh_of("user_1", "e", "r_2");

    assert_int_equal(clerk_backend_limits_caller(limits, 3, &one).group, CLERK_BACKEND_NEW_SESSIONS);
    strcpy(f->server->body, "{\"cookies\":[\"__session=x\",\"__refresh_abc=r_2; Path=/\",\"__refresh_abc\",1]}");
    (void)reply_to(f, one);
    assert_int_equal(clerk_backend_limits_caller(limits, 3, &one).group, CLERK_BACKEND_KNOWN_SESSIONS);
    assert_int_equal(clerk_backend_limits_caller(limits, 3, &next).group, CLERK_BACKEND_KNOWN_SESSIONS);
    /* Of this instance only. */
    assert_int_equal(clerk_backend_limits_caller(limits, 4, &one).group, CLERK_BACKEND_NEW_SESSIONS);
    /* 429 and 5xx say nothing about it; a refusal does. */
    f->server->status = 429;
    (void)reply_to(f, next);
    f->server->status = 503;
    next.expired_token = "e2";
    (void)reply_to(f, next);
    assert_int_equal(clerk_backend_limits_caller(limits, 3, &next).group, CLERK_BACKEND_KNOWN_SESSIONS);
    f->server->status = 401;
    next.expired_token = "e3";
    (void)reply_to(f, next);
    assert_int_equal(clerk_backend_limits_caller(limits, 3, &next).group, CLERK_BACKEND_NEW_SESSIONS);
}

static void a_429_stops_what_strangers_cause(void **state)
{
    static const struct {
        int retry_after;
        int seconds;
    } rows[] = {{60, 60}, {1, 1}, {0, 10}, {-1, 10}, {100000, 300}};
    backend_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_backend_reply reply;

        memset(f->state, 0, sizeof(*f->state));
        f->server->logged[1] = 0;
        f->server->status = 429;
        f->server->retry_after = rows[i].retry_after;
        reply = reply_to_group(f, CLERK_BACKEND_STRANGERS);
        assert_int_equal(reply.status, 429);
        f->server->status = 200;
        reply = reply_to_group(f, CLERK_BACKEND_STRANGERS);
        assert_true(reply.held_back);
        assert_int_equal(reply.retry_after, rows[i].seconds);
        assert_int_equal(f->server->logged[1], 1);
        /* It is another endpoint's. */
        assert_int_equal(reply_to_group(f, CLERK_BACKEND_NEW_SESSIONS).status, 200);
        assert_int_equal(status_of_call(f), 200);
        atomic_store(&f->state->left_alone_until[CLERK_BACKEND_STRANGERS], apr_time_now() - 1);
        assert_int_equal(reply_to_group(f, CLERK_BACKEND_STRANGERS).status, 200);
    }
}

static void a_429_stops_no_known_session(void **state)
{
    backend_fixture *f = *state;

    f->server->status = 429;
    f->server->retry_after = 60;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(status_of_call(f), 429);
    }
    assert_true(reply_to_group(f, CLERK_BACKEND_NEW_SESSIONS).held_back);
    assert_int_equal(f->server->logged[1], 1);
    f->server->status = 200;
    assert_int_equal(status_of_call(f), 200);
    assert_int_equal(reply_to_group(f, CLERK_BACKEND_STRANGERS).status, 200);
}

/* And a 429 for checks stops checks only. */
static void a_429_for_background_work_stops_only_that(void **state)
{
    static const clerk_backend_group groups[] = {CLERK_BACKEND_PROFILES, CLERK_BACKEND_CHECKS};
    backend_fixture *f = *state;

    for (size_t i = 0; i < COUNT(groups); i++) {
        memset(f->state, 0, sizeof(*f->state));
        f->server->status = 429;
        f->server->retry_after = 30;
        assert_int_equal(reply_to_group(f, groups[i]).status, 429);
        f->server->status = 200;
        for (int group = 0; group < CLERK_BACKEND_GROUPS; group++) {
            assert_int_equal(reply_to_group(f, group).status, group == (int)groups[i] ? 0 : 200);
        }
    }
}

/* What any client can cause is charged when it begins: calls that fail together are no more than one after another. */
static void calls_that_fail_together_are_no_more_than_may_fail(void **state)
{
    static const struct {
        clerk_backend_group group;
        const char *ip; /* all are from here; NULL: each from another address */
        int may_fail;
        int together;
        apr_interval_time_t interval;
    } rows[] = {{CLERK_BACKEND_STRANGERS, NULL, 20, STRANGER_PLACES, apr_time_from_msec(500)},
                {CLERK_BACKEND_NEW_MACHINES, NULL, 20, STRANGER_PLACES, apr_time_from_msec(500)},
                {CLERK_BACKEND_STRANGERS, "192.0.2.7", 10, ADDRESS_PLACES, SECONDS(5)},
                {CLERK_BACKEND_NEW_MACHINES, "192.0.2.7", 10, ADDRESS_PLACES, SECONDS(5)}};
    backend_fixture *f = *state;

    f->api.timeout = apr_time_from_msec(300);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int before = rows[i].may_fail - 2, together = rows[i].together;
        backend_caller callers[STRANGER_PLACES];
        apr_time_t begun;

        memset(f->state, 0, sizeof(*f->state));
        memset(f->memory, 0, f->size);
        f->server->status = 404;
        begun = apr_time_now();
        for (int n = 0; n < before + together; n++) {
            clerk_backend_call one = fresh_call(f, rows[i].group, f->pool);

            one.client_ip = rows[i].ip ? rows[i].ip : one.client_ip;
            if (n < before) {
                assert_int_equal(reply_to(f, one).status, 404);
                f->server->calls = n + 1;
                f->server->held = n + 1 == before;
            } else {
                start_call(f, &callers[n - before], one);
            }
        }
        /* Until the others have given up. */
        while (f->server->inside + (int)atomic_load(&f->state->rejected) < together) {
            apr_sleep(apr_time_from_msec(1));
        }
        assert_in_range(f->server->inside, 1, 2 + (apr_time_now() - begun) / rows[i].interval);
        hold_server(f, 0, APR_SUCCESS);
        (void)join_callers(callers, together);
        assert_in_range(f->server->calls, rows[i].may_fail - 1,
                        rows[i].may_fail + (apr_time_now() - begun) / rows[i].interval);
    }
}

/* What succeeds has cost nothing: who waited for it goes on. */
static void calls_that_succeed_make_room_for_others(void **state)
{
    backend_fixture *f = *state;
    backend_caller callers[STRANGER_PLACES];

    f->server->status = 404;
    for (int i = 0; i < 17; i++) {
        assert_int_equal(reply_to_group(f, CLERK_BACKEND_NEW_MACHINES).status, 404);
    }
    f->server->status = 200;
    f->api.timeout = SECONDS(60);
    hold_server(f, 1, APR_SUCCESS);
    start_group(f, callers, COUNT(callers), CLERK_BACKEND_NEW_MACHINES);
    wait_until_inside(f, 3);
    hold_server(f, 0, APR_SUCCESS);
    assert_int_equal(join_callers(callers, COUNT(callers)), COUNT(callers));
    assert_int_equal(atomic_load(&f->state->rejected), 0);
    /* And what is held back, or ends with the process, costs nothing either. */
    f->server->rv = APR_EINTR;
    for (int i = 0; i < 100; i++) {
        assert_true(reply_to_group(f, CLERK_BACKEND_NEW_MACHINES).held_back);
    }
    f->server->rv = APR_SUCCESS;
    assert_int_equal(reply_to_group(f, CLERK_BACKEND_NEW_MACHINES).status, 200);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, backend_fixture_setup, backend_fixture_teardown)
    const struct CMUnitTest tests[] = {
        test(a_client_that_is_refused_is_held_back),
        test(what_counts_as_one_client),
        test(success_costs_a_client_nothing),
        test(a_nonce_is_asked_for_until_it_is_answered),
        test(strangers_are_held_back_in_all),
        test(a_user_who_is_refused_is_held_back),
        test(a_user_renews_so_often_and_no_more),
        test(a_refresh_token_that_clerk_accepts_becomes_known),
        test(a_429_stops_what_strangers_cause),
        test(a_429_stops_no_known_session),
        test(a_429_for_background_work_stops_only_that),
        test(calls_that_fail_together_are_no_more_than_may_fail),
        test(calls_that_succeed_make_room_for_others),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
