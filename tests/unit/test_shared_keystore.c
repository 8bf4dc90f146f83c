/* SPDX-License-Identifier: Apache-2.0 */
/* One process: when keys are fetched, the effect of each kind of response, and the keys used meanwhile. */
#include "shared_fixture.h"

#include "shared/keystore/keystore_fetch.h"

static void first_request_fetches_and_others_do_not(void **state)
{
    world *w = *state;

    world_run(w);
    assert_int_equal(stats_of(w, 0).generation, 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    }
    assert_int_equal(calls(w), 1);
    assert_int_equal(stats_of(w, 0).generation, 1);
    assert_int_equal(stats_of(w, 0).fetches, 1);
    assert_string_equal(stats_of(w, 0).last_error, "");
    assert_int_equal(logged(w, 1001), 0);
}

static void no_keys_before_the_child_is_set_up(void **state)
{
    world *w = *state;

    world_start(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_UNAVAILABLE);
    assert_int_equal(tick(w), apr_time_from_sec(10));
    assert_int_equal(clerk_keystore_child_init(w->store, &w->http, w->process_pool), APR_SUCCESS);
    assert_int_equal(ask(w, SOURCES), CLERK_KEYS_UNAVAILABLE);
    assert_int_equal(clerk_keystore_count(w->store), SOURCES);
    assert_ptr_equal(clerk_keystore_source(w->store, 1), w->sources[1]);
}

static void segment_is_checked(void **state)
{
    world *w = *state;
    clerk_keystore *other;
    char *memory;

    world_start(w);
    memory = w->memory;
    assert_int_equal(clerk_keystore_create(&other, memory, w->size, w->sources, SOURCES, NULL, w->pool), APR_EMISMATCH);
    assert_int_equal(clerk_keystore_create(&other, memory, w->size - 1, w->sources, SOURCES, NULL, w->pool),
                     APR_EINVAL);
    assert_int_equal(clerk_keystore_create(&other, memory + 1, w->size, w->sources, 1, NULL, w->pool), APR_EINVAL);
    assert_int_equal(clerk_keystore_create(&other, NULL, 0, w->sources, SOURCES, NULL, w->pool), APR_EINVAL);
    memory[4]++;
    assert_int_equal(clerk_keystore_child_init(w->store, &w->http, w->process_pool), APR_EMISMATCH);
}

static void background_refresh_keeps_the_generation_of_an_unchanged_document(void **state)
{
    world *w = *state;
    apr_time_t fetched_at;
    apr_interval_time_t sleep;

    world_run(w);
    sleep = tick(w);
    assert_int_equal(calls(w), 2);
    assert_true(sleep == apr_time_from_sec(10));
    fetched_at = stats_of(w, 0).fetched_at;
    for (int i = 0; i < SOURCES; i++) {
        apr_interval_time_t due = stats_of(w, i).next_refresh - stats_of(w, i).fetched_at;

        assert_in_range(due, TTL / 100 * 72, TTL / 100 * 88);
    }
    world_pass(TTL / 2);
    tick(w);
    assert_int_equal(calls(w), 2);
    world_pass(TTL / 2);
    tick(w);
    assert_int_equal(calls(w), 4);
    assert_int_equal(stats_of(w, 0).generation, 1);
    assert_true(stats_of(w, 0).fetched_at >= fetched_at + TTL);
    answer_with(w, 0, 200, w->two);
    world_pass(TTL);
    tick(w);
    assert_int_equal(stats_of(w, 0).generation, 2);
    assert_int_equal(stats_of(w, 1).generation, 1);
}

static void requests_refresh_where_the_background_thread_is_missing(void **state)
{
    world *w = *state;

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    world_pass(TTL / 100 * 80);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(calls(w), 1);
    world_pass(TTL / 100 * 19);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(calls(w), 2);
}

static void bad_answers_never_replace_good_keys(void **state)
{
    world *w = *state;
    char *huge = apr_palloc(w->pool, 70000), *truncated = apr_pstrmemdup(w->pool, w->one, strlen(w->one) - 10);
    char *many = "";
    const struct {
        int status;
        const char *body;
        const char *text; /* part of the error shown */
    } cases[] = {
        {200, "", "not a key set"},
        {200, "{}", "not a key set"},
        {200, "{\"keys\":[]}", "not a key set"},
        {200, "[]", "not a key set"},
        {200, "null", "not a key set"},
        {200, "<html>hotel Wi-Fi</html>", "not a key set"},
        {200, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"ins_1\",\"k\":\"AAAA\"}]}", "not a key set"},
        {200, truncated, "not a key set"},
        {204, "", "not a key set"},
        {200, NULL, "too large"},
        {301, "", "redirect (301)"},
        {302, w->rotated, "redirect (302)"},
        {304, "", "redirect (304)"},
        {400, "{\"errors\":[{\"code\":\"clerk_key_invalid\"}]}", "does not accept our credential (status 400)"},
        {401, "{}", "does not accept our credential (status 401)"},
        {403, w->rotated, "does not accept our credential (status 403)"},
        {404, w->rotated, "status 404"},
        {500, "{\"errors\":\"none\"}", "status 500"},
        {503, "", "status 503"},
        {0, NULL, "gives no answer"},
    };

    memset(huge, 'k', 69999);
    huge[69999] = '\0';
    for (int i = 0; i < 2; i++) {
        many = apr_pstrcat(w->pool, many, i ? "," : "", make_jwk(w->keys[0], huge + i, "", w->pool), NULL);
    }
    many = make_jwks(many, w->pool);
    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        clerk_keystore_stats stats;

        if (cases[i].status) {
            answer_with(w, 0, cases[i].status, cases[i].body ? cases[i].body : many);
        } else {
            answer_nothing(w, 0);
        }
        world_pass(TTL);
        tick(w);
        stats = stats_of(w, 0);
        if (!strstr(stats.last_error, cases[i].text) || strstr(stats.last_error, SECRET)) {
            fail_msg("case %d: '%s'", (int)i, stats.last_error);
        }
        assert_int_equal(stats.failures, i + 1);
        assert_int_equal(stats.generation, 1);
        assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    }
    answer_with(w, 0, 200, w->one);
    world_pass(TTL);
    tick(w);
    assert_string_equal(stats_of(w, 0).last_error, "");
    assert_int_equal(stats_of(w, 0).failing_since, 0);
    assert_int_equal(stats_of(w, 0).generation, 1);
    /* Logged once at the beginning, and at each change between an outage and a refused credential. */
    assert_int_equal(logged(w, 1001), 3);
    assert_int_equal(logged(w, 1002), 1);
}

static void cold_failures_are_told_apart(void **state)
{
    world *w = *state;

    world_run(w);
    answer_with(w, 0, 401, "{}");
    answer_nothing(w, 1);
    assert_int_equal(ask(w, 0), CLERK_KEYS_REFUSED);
    assert_int_equal(ask(w, 1), CLERK_KEYS_UNAVAILABLE);
    /* During the back-off time, the same result at once, without a call. */
    for (int i = 0; i < 50; i++) {
        assert_int_equal(ask(w, 0), CLERK_KEYS_REFUSED);
        assert_int_equal(ask_for(w, 1, CLERK_KEYS_UNKNOWN_KID, 0), CLERK_KEYS_UNAVAILABLE);
    }
    assert_int_equal(calls(w), 2);
    assert_int_equal(logged(w, 1001), 2);
    answer_with(w, 0, 200, w->one);
    world_pass(apr_time_from_sec(2));
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(logged(w, 1002), 1);
}

static void backoff_doubles_up_to_a_minute(void **state)
{
    static const int seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    world *w = *state;

    world_run(w);
    answer_nothing(w, 0);
    answer_nothing(w, 1);
    for (size_t i = 0; i < COUNT(seconds); i++) {
        apr_interval_time_t wait = apr_time_from_sec(seconds[i]);

        assert_int_equal(ask(w, 0), CLERK_KEYS_UNAVAILABLE);
        assert_int_equal(calls(w), i + 1);
        world_pass(wait / 10 * 8);
        assert_int_equal(ask(w, 0), CLERK_KEYS_UNAVAILABLE);
        assert_int_equal(calls(w), i + 1);
        world_pass(wait / 10 * 4);
    }
    assert_int_equal(logged(w, 1001), 1);
}

static void retry_after_is_honoured(void **state)
{
    static const struct {
        int status, retry_after, waits;
    } cases[] = {{429, 30, 30}, {503, 7200, 600}, {500, 30, 0}, {429, 0, 0}};
    world *w = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        clerk_keystore_stats stats;
        apr_time_t now;

        world_run(w);
        answer_with(w, 0, cases[i].status, "{}");
        atomic_store(&w->state->answers[0].retry_after, cases[i].retry_after);
        assert_int_equal(ask(w, 0), CLERK_KEYS_UNAVAILABLE);
        stats = stats_of(w, 0);
        now = world_clock();
        if (cases[i].waits) {
            assert_in_range(stats.next_refresh, now + apr_time_from_sec(cases[i].waits - 2),
                            now + apr_time_from_sec(cases[i].waits));
        } else {
            assert_true(stats.next_refresh < now + apr_time_from_sec(2));
        }
    }
}

static void outage_is_bridged_up_to_max_stale(void **state)
{
    world *w = *state;

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    answer_nothing(w, 0);
    for (int hour = 1; hour < 24; hour++) {
        world_pass(apr_time_from_sec(3600));
        tick(w);
        assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    }
    assert_int_equal(logged(w, 1001), 1);
    world_pass(apr_time_from_sec(3601));
    assert_int_equal(ask(w, 0), CLERK_KEYS_UNAVAILABLE);
    assert_int_equal(logged(w, 1008), 1);
    world_pass(apr_time_from_sec(3600));
    assert_int_equal(ask(w, 0), CLERK_KEYS_UNAVAILABLE);
    assert_int_equal(logged(w, 1008), 1);
    /* Keys that are too old are fetched again. */
    answer_with(w, 0, 200, w->one);
    world_pass(apr_time_from_sec(120));
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(stats_of(w, 0).generation, 1);
    assert_int_equal(logged(w, 1002), 1);
}

static void clock_set_back_blocks_nothing(void **state)
{
    world *w = *state;
    int before;

    world_pass(apr_time_from_sec(1000 * 86400));
    world_run(w);
    answer_nothing(w, 1);
    tick(w);
    assert_int_equal(ask(w, 1), CLERK_KEYS_UNAVAILABLE);
    world_pass(-apr_time_from_sec(1000 * 86400));
    before = calls(w);
    answer_with(w, 1, 200, w->one);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(ask(w, 1), CLERK_KEYS_OK);
    tick(w);
    assert_int_equal(calls(w), before + 2);
}

static void invented_kids_do_not_become_fetches(void **state)
{
    world *w = *state;
    int before;

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 1), CLERK_KEYS_UNCHANGED);
    }
    assert_int_equal(calls(w), 1 + 3);
    assert_int_equal(stats_of(w, 0).early_refreshes, 3);
    assert_int_equal(stats_of(w, 0).early_refused, 10000 - 3);
    /* 100 calls a second for 100 seconds, by the clock of the test: one fetch in ten seconds. */
    before = calls(w);
    for (int i = 0; i < 10000; i++) {
        world_pass(apr_time_from_msec(10));
        ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 1);
    }
    assert_in_range(calls(w) - before, 9, 11);
    /* Another slot has an allowance of its own. */
    assert_int_equal(ask(w, 1), CLERK_KEYS_OK);
    before = calls(w);
    assert_int_equal(ask_for(w, 1, CLERK_KEYS_UNKNOWN_KID, 1), CLERK_KEYS_UNCHANGED);
    assert_int_equal(calls(w), before + 1);
}

static void unknown_kid_finds_a_new_key(void **state)
{
    world *w = *state;
    clerk_keys_pin pin;

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    answer_with(w, 0, 200, w->two);
    assert_int_equal(clerk_keystore_acquire(&pin, w->store, 0, CLERK_KEYS_UNKNOWN_KID, 1, w->pool), CLERK_KEYS_OK);
    assert_int_equal(pin.generation, 2);
    assert_non_null(jose_keyset_find(pin.set, "ins_2"));
    clerk_keystore_release(w->store, &pin);
    /* A set that is already newer costs no fetch. */
    assert_int_equal(ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 1), CLERK_KEYS_OK);
    assert_int_equal(calls(w), 2);
    /* A key that is no longer published is gone: a new set replaces the old one. */
    answer_with(w, 0, 200, w->one);
    world_pass(TTL);
    tick(w);
    assert_int_equal(clerk_keystore_acquire(&pin, w->store, 0, CLERK_KEYS_CURRENT, 0, w->pool), CLERK_KEYS_OK);
    assert_null(jose_keyset_find(pin.set, "ins_2"));
    clerk_keystore_release(w->store, &pin);
}

/* Acquire keys as a verifier does, with one retry after a bad signature. */
static jose_status verify(world *w, unsigned int slot, const char *token)
{
    jose_jws *jws = decode_token(token, w->pool);
    apr_uint32_t seen;
    jose_status status;
    clerk_keys_pin pin;

    assert_int_equal(clerk_keystore_acquire(&pin, w->store, slot, CLERK_KEYS_CURRENT, 0, w->pool), CLERK_KEYS_OK);
    status = jose_verify(jws, jose_keyset_find(pin.set, "ins_1"));
    seen = pin.generation;
    clerk_keystore_release(w->store, &pin);
    if (status == JOSE_BAD_SIGNATURE
        && clerk_keystore_acquire(&pin, w->store, slot, CLERK_KEYS_BAD_SIGNATURE, seen, w->pool) == CLERK_KEYS_OK) {
        status = jose_verify(jws, jose_keyset_find(pin.set, "ins_1"));
        clerk_keystore_release(w->store, &pin);
    }
    return status;
}

static void rotation_under_the_same_kid(void **state)
{
    world *w = *state;
    const char *header = "{\"alg\":\"ES256\",\"kid\":\"ins_1\"}";
    const char *old_token = make_token(w->keys[0], "SHA256", header, "{}", w->pool);
    const char *new_token = make_token(w->keys[1], "SHA256", header, "{}", w->pool);

    world_run(w);
    assert_status(verify(w, 0, old_token), JOSE_OK, "before");
    answer_with(w, 0, 200, w->rotated);
    /* Shortly after a good fetch, a bad signature causes none. */
    assert_status(verify(w, 0, new_token), JOSE_BAD_SIGNATURE, "too soon");
    assert_int_equal(calls(w), 1);
    assert_int_equal(stats_of(w, 0).early_refused, 1);
    world_pass(apr_time_from_sec(6));
    assert_status(verify(w, 0, new_token), JOSE_OK, "after");
    assert_int_equal(calls(w), 2);
    assert_status(verify(w, 0, old_token), JOSE_BAD_SIGNATURE, "old key");
    for (int i = 0; i < 1000; i++) {
        world_pass(apr_time_from_msec(100));
        verify(w, 0, old_token);
    }
    assert_in_range(calls(w), 2 + 10, 2 + 14);
}

static void slots_are_isolated(void **state)
{
    world *w = *state;
    const char *header = "{\"alg\":\"ES256\",\"kid\":\"ins_1\"}";
    const char *first = make_token(w->keys[0], "SHA256", header, "{}", w->pool);
    const char *second = make_token(w->keys[1], "SHA256", header, "{}", w->pool);

    world_run(w);
    assert_status(verify(w, 0, first), JOSE_OK, "first at first");
    assert_status(verify(w, 1, second), JOSE_OK, "second at second");
    world_pass(apr_time_from_sec(6));
    assert_status(verify(w, 1, first), JOSE_BAD_SIGNATURE, "first at second");
    assert_status(verify(w, 0, second), JOSE_BAD_SIGNATURE, "second at first");
}

static void early_fetches_respect_the_backoff(void **state)
{
    world *w = *state;

    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    answer_nothing(w, 0);
    world_pass(apr_time_from_sec(6));
    assert_int_equal(ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 1), CLERK_KEYS_UNCHANGED);
    assert_int_equal(ask_for(w, 0, CLERK_KEYS_UNKNOWN_KID, 1), CLERK_KEYS_UNCHANGED);
    assert_int_equal(ask_for(w, 0, CLERK_KEYS_BAD_SIGNATURE, 1), CLERK_KEYS_UNCHANGED);
    assert_int_equal(calls(w), 2);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
}

static void a_fetch_that_has_just_ended_is_enough(void **state)
{
    world *w = *state;

    world_run(w);
    assert_int_equal(clerk_keystore_fetch(w->store, 0, 0, SEGMENT_ALLOWANCES, TIMEOUT, w->pool), FETCH_DONE);
    /* A process that saw no keys before that fetch, and gets the lease after it. */
    assert_int_equal(clerk_keystore_fetch(w->store, 0, 0, SEGMENT_ALLOWANCES, TIMEOUT, w->pool), FETCH_BUSY);
    assert_int_equal(calls(w), 1);
    assert_false(clerk_keystore_fetch_under_way(w->store, 0));
    assert_int_equal(clerk_keystore_fetch(w->store, 0, 1, SEGMENT_ALLOWANCES, TIMEOUT, w->pool), FETCH_DONE);
    assert_int_equal(calls(w), 2);
}

static void a_stopping_process_is_not_a_failure_of_the_source(void **state)
{
    world *w = *state;

    world_run(w);
    atomic_store(&w->state->answers[0].rv, APR_EINTR);
    assert_int_equal(ask(w, 0), CLERK_KEYS_UNAVAILABLE);
    tick(w);
    assert_int_equal(stats_of(w, 0).failures, 0);
    assert_int_equal(logged(w, 1001), 0);
    answer_with(w, 0, 200, w->one);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(first_request_fetches_and_others_do_not),
        world_test(no_keys_before_the_child_is_set_up),
        world_test(segment_is_checked),
        world_test(background_refresh_keeps_the_generation_of_an_unchanged_document),
        world_test(requests_refresh_where_the_background_thread_is_missing),
        world_test(bad_answers_never_replace_good_keys),
        world_test(cold_failures_are_told_apart),
        world_test(backoff_doubles_up_to_a_minute),
        world_test(retry_after_is_honoured),
        world_test(outage_is_bridged_up_to_max_stale),
        world_test(clock_set_back_blocks_nothing),
        world_test(invented_kids_do_not_become_fetches),
        world_test(unknown_kid_finds_a_new_key),
        world_test(rotation_under_the_same_kid),
        world_test(slots_are_isolated),
        world_test(early_fetches_respect_the_backoff),
        world_test(a_fetch_that_has_just_ended_is_enough),
        world_test(a_stopping_process_is_not_a_failure_of_the_source),
    };

    return cmocka_run_group_tests_name("shared/keystore", tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
