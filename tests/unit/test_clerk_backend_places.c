/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the Backend API: how many are made at the same time, for whom, and who waits for a place. */

#include "backend_fixture.h"
#include "shared/keystore/keystore.h"

/* F6: an eighth of the workers remains, however slow Clerk is, from five workers on. */
static void small_servers_keep_workers_for_others(void **state)
{
    static const struct {
        unsigned int workers, backend, first_keys, newer_keys;
    } rows[] = {{1, 2, 0, 0},  {2, 2, 0, 0},    {5, 3, 2, 0},    {8, 6, 5, 0},
                {12, 8, 8, 0}, {16, 12, 11, 1}, {32, 24, 23, 3}, {256, 192, 191, 31}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(clerk_backend_limits_places(rows[i].workers), rows[i].backend);
        assert_int_equal(clerk_keystore_waiters(rows[i].workers), rows[i].first_keys);
        assert_int_equal(clerk_keystore_newer_waiters(rows[i].workers), rows[i].newer_keys);
    }
    for (unsigned int workers = 5; workers < 1000; workers++) {
        unsigned int remaining = workers - workers / 8;

        /* One more makes the call for keys. */
        assert_in_range(clerk_backend_limits_places(workers) + clerk_keystore_newer_waiters(workers) + 1, 1,
                        remaining < workers ? remaining : workers - 1);
        assert_in_range(clerk_keystore_waiters(workers) + 1, 1, remaining < workers ? remaining : workers - 1);
    }
}

/* How long it takes to start so many threads is not known here: what shall not end has a time that is far away. */
static void a_slow_api_holds_no_more_threads_than_there_are_places(void **state)
{
    backend_fixture *f = *state;
    backend_caller slow[SESSION_PLACES], more[WAITING_PLACES], excess[5], late[5];
    int rejected;

    f->api.timeout = SECONDS(600);
    hold_server(f, 1, APR_SUCCESS);
    start_known(f, slow, SESSION_PLACES);
    wait_until_inside(f, SESSION_PLACES);
    start_known(f, more, WAITING_PLACES);
    /* Some of these wait only as long as calls end, and give up after a second in which none does. */
    while ((int)clerk_backend_limits_waiting(f->api.limits, apr_time_now()) + atomic_load(&f->state->rejected)
           < WAITING_PLACES) {
        apr_sleep(300);
    }
    /* The others come back while the API holds all of those. */
    start_known(f, excess, COUNT(excess));
    assert_int_equal(join_callers(excess, COUNT(excess)), 0);
    assert_int_equal(f->server->inside, SESSION_PLACES);
    /* So do those whose time is over. */
    f->api.timeout = apr_time_from_msec(300);
    start_known(f, late, COUNT(late));
    assert_int_equal(join_callers(late, COUNT(late)), 0);
    assert_int_equal(f->server->inside, SESSION_PLACES);
    hold_server(f, 0, APR_SUCCESS);
    assert_int_equal(join_callers(slow, SESSION_PLACES), SESSION_PLACES);
    rejected = WAITING_PLACES - join_callers(more, WAITING_PLACES);
    assert_in_range(rejected, 0, PATIENT_PLACES);
    assert_int_equal(atomic_load(&f->state->rejected), rejected + COUNT(excess) + COUNT(late));
    assert_int_equal(f->server->most_inside, SESSION_PLACES);
    /* Too many at once is no failure. */
    assert_int_equal(atomic_load(&circuit_of(f)->failures), 0);
    assert_int_equal(status_of_call(f), 200);
}

static void places_are_waited_for_while_calls_end(void **state)
{
    backend_fixture *f = *state;
    backend_caller first[SESSION_PLACES], more[WAITING_PLACES - PATIENT_PLACES / 2];
    apr_time_t begun;
    int rejected;

    f->api.timeout = SECONDS(600);
    hold_server(f, 1, APR_SUCCESS);
    start_known(f, first, SESSION_PLACES);
    wait_until_inside(f, SESSION_PLACES);
    begun = apr_time_now();
    start_known(f, more, COUNT(more));
    while (clerk_backend_limits_waiting(f->api.limits, apr_time_now()) + atomic_load(&f->state->rejected)
           < COUNT(more)) {
        apr_sleep(300);
    }
    hold_server(f, 0, APR_SUCCESS);
    rejected = (int)atomic_load(&f->state->rejected);
    /* Before a second is over in which no call ends, nobody gives up. */
    assert_in_range(rejected, 0, apr_time_now() - begun < SECONDS(1) ? 0 : PATIENT_PLACES / 2);
    assert_int_equal(join_callers(first, SESSION_PLACES), SESSION_PLACES);
    rejected = (int)COUNT(more) - join_callers(more, COUNT(more));
    assert_in_range(rejected, 0, apr_time_now() - begun < SECONDS(1) ? 0 : PATIENT_PLACES / 2);
    assert_int_equal(f->server->calls, SESSION_PLACES + (int)COUNT(more) - rejected);
    assert_true(f->server->most_inside <= SESSION_PLACES);
}

/* A crowd with tokens that Clerk has signed, behind one address: as many calls as there are places. */
static void sessions_do_not_wait_for_what_may_fail(void **state)
{
    backend_fixture *f = *state;
    backend_caller callers[NEW_SESSION_PLACES];

    hold_server(f, 1, APR_SUCCESS);
    for (int i = 0; i < NEW_SESSION_PLACES; i++) {
        clerk_backend_call one = fresh_call(f, CLERK_BACKEND_NEW_SESSIONS, f->pool);

        one.client_ip = "192.0.2.7";
        start_call(f, &callers[i], one);
    }
    wait_until_inside(f, NEW_SESSION_PLACES);
    hold_server(f, 0, APR_SUCCESS);
    assert_int_equal(join_callers(callers, NEW_SESSION_PLACES), NEW_SESSION_PLACES);
}

static void each_group_has_places_that_no_other_takes(void **state)
{
    backend_fixture *f = *state;
    backend_caller strangers[STRANGER_PLACES + 2], fresh[NEW_SESSION_PLACES + 2],
        known[SESSION_PLACES - NEW_SESSION_PLACES];

    hold_server(f, 1, APR_SUCCESS);
    start_group(f, strangers, COUNT(strangers), CLERK_BACKEND_STRANGERS);
    wait_until_inside(f, STRANGER_PLACES);
    start_group(f, fresh, COUNT(fresh), CLERK_BACKEND_NEW_SESSIONS);
    wait_until_inside(f, STRANGER_PLACES + NEW_SESSION_PLACES);
    start_known(f, known, COUNT(known));
    wait_until_inside(f, STRANGER_PLACES + SESSION_PLACES);
    apr_sleep(apr_time_from_msec(50));
    assert_int_equal(f->server->inside, STRANGER_PLACES + SESSION_PLACES);
    hold_server(f, 0, APR_SUCCESS);
    (void)join_callers(strangers, COUNT(strangers));
    assert_int_equal(join_callers(fresh, COUNT(fresh)), COUNT(fresh));
    assert_int_equal(join_callers(known, COUNT(known)), COUNT(known));
}

static void one_user_and_one_address_take_a_part_of_the_places(void **state)
{
    backend_fixture *f = *state;
    backend_caller mine[12], strangers[6];

    hold_server(f, 1, APR_SUCCESS);
    for (int i = 0; i < (int)COUNT(mine); i++) {
        start_call(f, &mine[i], refresh_of("user_1", "e", apr_psprintf(f->pool, "r_%d", i)));
    }
    for (int i = 0; i < (int)COUNT(strangers); i++) {
        start_call(f, &strangers[i], nonce_from("192.0.2.1"));
    }
    /* Until all others have given up. */
    while (atomic_load(&f->state->rejected)
           < COUNT(mine) + COUNT(strangers) - (unsigned int)(USER_PLACES + ADDRESS_PLACES)) {
        apr_sleep(apr_time_from_msec(5));
    }
    assert_int_equal(f->server->most_inside, USER_PLACES + ADDRESS_PLACES);
    hold_server(f, 0, APR_SUCCESS);
    assert_int_equal(join_callers(mine, COUNT(mine)), USER_PLACES);
    assert_int_equal(join_callers(strangers, COUNT(strangers)), ADDRESS_PLACES);
}

/* It waits for no worker's place, and who waits for one does not take it for a sign that calls end. */
static void a_check_takes_no_place(void **state)
{
    backend_fixture *f = *state;
    clerk_place_ticket held[WORKERS];
    clerk_backend_call session = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);
    clerk_backend_caller holder;
    apr_uint64_t ended;
    int count = 0;

    memset(held, 0, sizeof(held));
    for (;; count++) {
        session.user_id = apr_psprintf(f->pool, "holder_%d", count);
        holder = clerk_backend_limits_caller(f->api.limits, f->api.number, &session);
        if (!clerk_backend_limits_enter(f->api.limits, &held[count], &holder, apr_time_now(), SECONDS(60))) {
            break;
        }
    }
    assert_true(count > 0);
    ended = atomic_load(&f->state->ended);
    assert_int_equal(reply_to_group(f, CLERK_BACKEND_CHECKS).status, 200);
    assert_int_equal(atomic_load(&f->state->ended), ended);
    while (count-- > 0) {
        clerk_places_give_back(&held[count]);
    }
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, backend_fixture_setup, backend_fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_servers_keep_workers_for_others),
        test(a_slow_api_holds_no_more_threads_than_there_are_places),
        test(places_are_waited_for_while_calls_end),
        test(sessions_do_not_wait_for_what_may_fail),
        test(each_group_has_places_that_no_other_takes),
        test(one_user_and_one_address_take_a_part_of_the_places),
        test(a_check_takes_no_place),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
