/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the Backend API: how they are made, when they are held back, and that threads and processes that need the
 * same reply make one call.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "clerk/instance/backend_api.h"
#include "shared/keystore/keystore.h"
#include "shared/log.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "sk_test_canary_51c2"
#define SECONDS(n) apr_time_from_sec(n)
/* Places for so many workers: 32 for calls of sessions, 24 of them for new ones, 4 for one user; 8 for those of
 * strangers, 4 for an address. 48 threads may wait for sessions, 32 of them until their time is over. */
#define WORKERS 128
#define SESSION_PLACES 32
#define NEW_SESSION_PLACES 24
#define WAITING_PLACES 48
#define PATIENT_PLACES 16 /* of these */
#define USER_PLACES 4
#define STRANGER_PLACES 8
#define ADDRESS_PLACES 4
#define GOOD "{\"cookies\":[\"__session=x\"]}"

/* A server that answers as told, or keeps callers waiting while `held`. Shared by all processes of a test, some of
 * which are killed: so no locks. */
typedef struct server {
    atomic_int held;
    atomic_int inside;
    atomic_int most_inside;
    atomic_int calls;
    _Atomic(apr_status_t) rv;
    atomic_int status;
    atomic_int retry_after;
    char body[CLERK_SINGLE_FLIGHT_ANSWER_MAX + 1];
    char content_type[64];
    atomic_int logged[4]; /* AC1040, AC1041, AC2001, AC2002 */
} server;

typedef struct fixture {
    apr_pool_t *pool;
    server *server;
    clerk_http http;
    clerk_http_request request; /* the first one; what it points to lives as long as the caller's pool */
    clerk_backend_state *state;
    clerk_backend_api api;
    atomic_int callers; /* made so far: each is another user's */
    void *memory;
    apr_size_t size;
} fixture;

static fixture *current; /* of the test that runs, for what has no baton */

static apr_status_t perform(void *baton, clerk_http_response **presponse, const clerk_http_request *request,
                            apr_pool_t *pool)
{
    server *s = baton;
    clerk_http_response *response = apr_pcalloc(pool, sizeof(*response));
    int inside, most = atomic_load(&s->most_inside);
    apr_status_t rv;

    if (atomic_fetch_add(&s->calls, 1) == 0) {
        current->request = *request;
    }
    inside = atomic_fetch_add(&s->inside, 1) + 1;
    while (inside > most && !atomic_compare_exchange_weak(&s->most_inside, &most, inside)) {
    }
    while (s->held) {
        apr_sleep(300);
    }
    atomic_fetch_sub(&s->inside, 1);
    rv = s->rv;
    response->status = rv == APR_SUCCESS ? s->status : 0;
    response->retry_after = s->retry_after;
    response->content_type = *s->content_type ? apr_pstrdup(pool, s->content_type) : NULL;
    response->body = rv == APR_SUCCESS ? apr_pstrdup(pool, s->body) : "";
    response->body_len = strlen(response->body);
    *presponse = response;
    return rv;
}

static void sink(void *baton, clerk_log_level level, int number, const char *text)
{
    static const int numbers[] = {1040, 1041, 2001, 2002};
    server *s = baton;

    (void)level;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        s->logged[i] += number == numbers[i] && !strstr(text, SECRET);
    }
}

static void *shared_memory(apr_size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
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
    f->size = clerk_backend_limits_size(WORKERS);
    f->memory = shared_memory(f->size);
    f->server = shared_memory(sizeof(*f->server));
    f->state = shared_memory(sizeof(*f->state));
    f->server->status = 200;
    f->server->retry_after = -1;
    strcpy(f->server->body, "{}");
    f->http.baton = f->server;
    f->http.perform = perform;
    f->api.name = "test";
    f->api.number = 3;
    f->api.api_url = "https://api.example.test";
    f->api.secret_key = SECRET;
    f->api.timeout = SECONDS(2);
    f->api.http = &f->http;
    f->api.state = f->state;
    if (clerk_backend_limits_create(&f->api.limits, f->memory, WORKERS, pool) != APR_SUCCESS) {
        return -1;
    }
    clerk_log_set_sink(sink, f->server);
    current = f;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;

    clerk_log_set_sink(NULL, NULL);
    munmap(f->memory, f->size);
    munmap(f->server, sizeof(*f->server));
    munmap(f->state, sizeof(*f->state));
    apr_pool_destroy(f->pool);
    return 0;
}

/* Calls */

/* Another nonce each time. */
static clerk_backend_call nonce_from(const char *ip)
{
    static atomic_int number;

    return (clerk_backend_call){
        .cause = CLERK_BACKEND_FOR_ANY_CLIENT,
        .method = "GET",
        .path = apr_psprintf(current->pool, "/v1/clients/handshake_payload?nonce=n_%d", atomic_fetch_add(&number, 1)),
        .client_ip = ip};
}

static clerk_backend_call refresh_of(const char *user, const char *expired_token, const char *refresh_token)
{
    return (clerk_backend_call){.cause = CLERK_BACKEND_FOR_SESSION,
                                .method = "POST",
                                .path = "/v1/sessions/sess_1/refresh",
                                .json = "{\"a\":1}",
                                .client_ip = "192.0.2.1",
                                .user_id = user,
                                .expired_token = expired_token,
                                .refresh_token = refresh_token};
}

/* What is needed of a profile: its length. */
static void condense(clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool)
{
    reply->body = apr_psprintf(pool, "%s %s %d", call->user_id, reply->body, (int)reply->body_len);
    reply->body_len = strlen(reply->body);
}

static clerk_backend_call profile_of(const char *user)
{
    return (clerk_backend_call){.cause = CLERK_BACKEND_FOR_PROFILE,
                                .method = "GET",
                                .path = apr_psprintf(current->pool, "/v1/users/%s", user),
                                .client_ip = "192.0.2.1",
                                .user_id = user,
                                .condense = condense};
}

/* 404 says that the token is bad, and so does a 2xx with a "no" in it. */
static apr_time_t verdict(int *pgood, const clerk_backend_call *call, const clerk_backend_reply *reply,
                          apr_pool_t *pool)
{
    (void)pool;
    *pgood = reply->status == 200 && !strstr(reply->body, "no");
    return reply->status == 200 || reply->status == 404 ? reply->asked_at + call->shared_for : 0;
}

static clerk_backend_call verification_of(const char *token, const char *ip)
{
    return (clerk_backend_call){.cause = CLERK_BACKEND_FOR_MACHINE,
                                .method = "POST",
                                .path = "/api_keys/verify",
                                .json = "{}",
                                .client_ip = ip,
                                .machine_token = token,
                                .verdict = verdict,
                                .shared_for = SECONDS(10)};
}

/* Of a user that no other call is of, and from an address that no other call is from. */
static clerk_backend_call fresh_call(fixture *f, clerk_backend_group group, apr_pool_t *pool)
{
    int number = atomic_fetch_add(&f->callers, 1);
    const char *ip = apr_psprintf(pool, "10.%d.%d.%d", number >> 16, number >> 8 & 255, number & 255);
    clerk_backend_call call;

    if (group == CLERK_BACKEND_STRANGERS) {
        return nonce_from(ip);
    }
    if (group == CLERK_BACKEND_PROFILES) {
        return profile_of(apr_psprintf(pool, "user_%d", number));
    }
    if (group == CLERK_BACKEND_CHECKS) {
        return (clerk_backend_call){.cause = CLERK_BACKEND_FOR_CHECK,
                                    .method = "GET",
                                    .path = apr_psprintf(pool, "/v1/sessions/sess_%d", number),
                                    .user_id = apr_psprintf(pool, "user_%d", number)};
    }
    if (group == CLERK_BACKEND_NEW_MACHINES || group == CLERK_BACKEND_KNOWN_MACHINES) {
        call = verification_of(apr_psprintf(pool, "ak_%d", number), ip);
        if (group == CLERK_BACKEND_KNOWN_MACHINES) {
            clerk_backend_limits_note(f->api.limits, f->api.number, call.machine_token, 1);
        }
        return call;
    }
    call = refresh_of(apr_psprintf(pool, "user_%d", number), apr_psprintf(pool, "expired_%d", number),
                      apr_psprintf(pool, "refresh_%d", number));
    call.client_ip = ip;
    if (group == CLERK_BACKEND_KNOWN_SESSIONS) {
        clerk_backend_limits_note(f->api.limits, f->api.number, call.refresh_token, 1);
    }
    return call;
}

static clerk_backend_reply make(fixture *f, clerk_backend_call call)
{
    clerk_backend_reply reply;

    clerk_backend_api_call(&f->api, &reply, &call, f->pool);
    assert_non_null(reply.body);
    return reply;
}

static clerk_backend_reply call_of(fixture *f, clerk_backend_group group)
{
    return make(f, fresh_call(f, group, f->pool));
}

/* @return the status of the reply; 0: none */
static int call(fixture *f)
{
    return call_of(f, CLERK_BACKEND_KNOWN_SESSIONS).status;
}

static void fail_times(fixture *f, int times)
{
    f->server->rv = APR_TIMEUP;
    for (int i = 0; i < times; i++) {
        assert_int_equal(call(f), 0);
    }
}

static clerk_backend_circuit *circuit(fixture *f)
{
    return &f->state->circuits[CLERK_BACKEND_KNOWN_SESSIONS];
}

/* Seconds that the circuit stays open from now on, rounded up. */
static int pause_of(fixture *f)
{
    apr_int64_t until = atomic_load(&circuit(f)->open_until);

    return until ? (int)((until - apr_time_now() + SECONDS(1) - 1) / SECONDS(1)) : 0;
}

static void let_the_pause_pass(fixture *f)
{
    atomic_store(&circuit(f)->open_until, apr_time_now() - 1);
}

static void a_call_is_made_as_clerk_wants_it(void **state)
{
    fixture *f = *state;
    const clerk_http_request *request = &f->request;
    clerk_backend_reply reply;

    f->api.http_proxy = "http://127.0.0.1:3128";
    f->api.ca_file = "/ca.pem";
    reply = make(f, refresh_of("user_1", "e", "r"));
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
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(f->state, 0, sizeof(*f->state));
        f->server->rv = rows[i].rv;
        f->server->status = rows[i].status;
        for (int n = 0; n < 5; n++) {
            assert_int_equal(call(f), n < 3 || !rows[i].failures ? rows[i].status : 0);
        }
        assert_int_equal(atomic_load(&circuit(f)->failures), rows[i].failures);
        assert_int_equal(atomic_load(&f->state->calls), rows[i].failures ? 3 : 5);
        assert_int_equal(atomic_load(&f->state->rejected), rows[i].failures ? 2 : rows[i].rv == APR_EINTR ? 5 : 0);
        assert_int_equal(pause_of(f), rows[i].failures ? 5 : 0);
    }
}

static void a_success_starts_the_count_anew(void **state)
{
    fixture *f = *state;

    fail_times(f, 2);
    f->server->rv = APR_SUCCESS;
    assert_int_equal(call(f), 200);
    fail_times(f, 2);
    assert_int_equal(pause_of(f), 0);
    fail_times(f, 1);
    assert_int_equal(pause_of(f), 5);
    assert_int_equal(f->server->logged[3], 1);
}

static void the_pause_doubles_up_to_a_minute(void **state)
{
    static const int pauses[] = {10, 20, 40, 60, 60, 60};
    fixture *f = *state;
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
        reply = call_of(f, CLERK_BACKEND_KNOWN_SESSIONS);
        assert_true(reply.held_back);
        assert_int_equal(reply.retry_after, pauses[i]);
    }
    assert_int_equal(f->server->logged[3], 1);
    /* It answers: all is as before. */
    let_the_pause_pass(f);
    f->server->rv = APR_SUCCESS;
    assert_int_equal(call(f), 200);
    assert_int_equal(call(f), 200);
    assert_int_equal(pause_of(f), 0);
    assert_int_equal(f->server->logged[2], 1);
    fail_times(f, 3);
    assert_int_equal(pause_of(f), 5);
    assert_int_equal(f->server->logged[3], 2);
}

static void a_clock_that_is_set_back_does_not_hold_it_open(void **state)
{
    fixture *f = *state;

    fail_times(f, 3);
    atomic_store(&circuit(f)->open_until, apr_time_now() + SECONDS(3600));
    f->server->rv = APR_SUCCESS;
    assert_int_equal(call(f), 200);
    assert_int_equal(pause_of(f), 0);
}

/* The call that opens the circuit can be overtaken by another's success between the count and the time. */
static void a_success_closes_a_circuit_whose_count_is_lost(void **state)
{
    fixture *f = *state;

    atomic_store(&circuit(f)->failures, 0);
    let_the_pause_pass(f);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(call(f), 200);
    }
    assert_int_equal(f->server->calls, 5);
    assert_int_equal(atomic_load(&f->state->rejected), 0);
    assert_int_equal(pause_of(f), 0);
}

/* The machine's key only where the call asks for it; one call for the same token; a token is known once confirmed. */
static void a_machine_token_is_verified_as_clerk_wants_it(void **state)
{
    fixture *f = *state;
    clerk_backend_call call = verification_of("ak_1", "192.0.2.1");

    f->api.machine_secret_key = "ak_machine";
    assert_int_equal(make(f, call).status, 200);
    assert_string_equal(f->request.bearer, SECRET);
    assert_int_equal(make(f, call).status, 200);
    assert_int_equal(f->server->calls, 1);
    assert_int_equal(clerk_backend_limits_caller(f->api.limits, f->api.number, &call).group,
                     CLERK_BACKEND_KNOWN_MACHINES);
    call = verification_of("mt_2", "192.0.2.1");
    call.by_machine_key = 1;
    f->server->status = 404;
    f->server->calls = 0;
    assert_int_equal(make(f, call).status, 404);
    assert_string_equal(f->request.bearer, "ak_machine");
    assert_int_equal(make(f, call).status, 404);
    assert_int_equal(f->server->calls, 1);
    assert_int_equal(clerk_backend_limits_caller(f->api.limits, f->api.number, &call).group,
                     CLERK_BACKEND_NEW_MACHINES);
}

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
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        memory m = {{&m, recall, keep}, {0}, 0, 0};
        clerk_backend_call call = verification_of(apr_psprintf(f->pool, "ak_%d", (int)i), "192.0.2.1");

        memset(f->state, 0, sizeof(*f->state));
        call.memory = &m.functions;
        call.shared_for = 0;
        f->server->status = cases[i].status;
        strcpy(f->server->body, cases[i].body);
        f->server->calls = 0;
        assert_int_equal(make(f, call).status, cases[i].status);
        assert_int_equal(m.reply.status, cases[i].kept ? cases[i].status : 0);
        assert_int_equal(m.until, cases[i].kept ? m.reply.asked_at : 0);
        assert_int_equal(make(f, call).status, cases[i].status);
        assert_int_equal(f->server->calls, cases[i].kept ? 1 : 2);
        assert_int_equal(m.asked, 2);
        assert_int_equal(atomic_load(&f->state->recalled), cases[i].kept);
    }
}

/* A 2xx that says that the token is bad is a failure of who brings it. */
static void strangers_may_fail_as_often_whatever_the_status(void **state)
{
    fixture *f = *state;

    strcpy(f->server->body, "no");
    for (int i = 0; i < 30; i++) {
        memory m = {{&m, recall, keep}, {0}, 0, 0};
        clerk_backend_call call = verification_of(apr_psprintf(f->pool, "ak_%d", i), "192.0.2.1");

        call.memory = &m.functions;
        assert_int_equal(make(f, call).status, i < 10 ? 200 : 0);
        assert_int_equal(m.asked, 1);
    }
    assert_int_equal(f->server->calls, 10);
}

/* Of so many users two may share a word of the table of allowances: that of a known machine then waits for what the
 * other's failure cost. This is about circuits, which are elsewhere. */
static clerk_backend_reply first_call_of(fixture *f, clerk_backend_group group)
{
    memset(f->memory, 0, f->size);
    return call_of(f, group);
}

static void no_group_opens_the_circuit_of_another(void **state)
{
    fixture *f = *state;

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

static void without_a_way_out_there_is_no_answer(void **state)
{
    fixture *f = *state;

    f->api.http = NULL;
    assert_int_equal(call(f), 0);
    assert_int_equal(atomic_load(&f->state->rejected), 1);
}

/* Rates */

/* @return how many of ten calls were made */
static int made_of_ten(fixture *f, clerk_backend_call one)
{
    int made = 0;

    for (int i = 0; i < 10; i++) {
        /* Another refresh token each time, so that no reply is shared. */
        if (one.refresh_token) {
            one.refresh_token = apr_psprintf(f->pool, "junk_%d", atomic_fetch_add(&f->callers, 1));
        } else {
            one = nonce_from(one.client_ip);
        }
        made += !make(f, one).held_back;
    }
    return made;
}

static void a_client_that_is_refused_is_held_back(void **state)
{
    fixture *f = *state;
    clerk_backend_reply reply;

    f->server->status = 404;
    assert_int_equal(made_of_ten(f, nonce_from("192.0.2.7")), 10);
    assert_int_equal(made_of_ten(f, nonce_from("192.0.2.7")), 0);
    reply = make(f, nonce_from("192.0.2.7"));
    assert_int_equal(reply.status, 0);
    assert_in_range(reply.retry_after, 4, 5);
    assert_int_equal(f->server->logged[0], 1);
    /* Only that one. */
    assert_false(make(f, nonce_from("192.0.2.8")).held_back);
    assert_false(call_of(f, CLERK_BACKEND_NEW_SESSIONS).held_back);
    assert_false(call_of(f, CLERK_BACKEND_KNOWN_SESSIONS).held_back);
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
    fixture *f = *state;

    f->server->status = 404;
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(f->state, 0, sizeof(*f->state));
        memset(f->memory, 0, f->size);
        (void)made_of_ten(f, nonce_from(rows[i].one));
        assert_int_equal(make(f, nonce_from(rows[i].other)).held_back, rows[i].same);
    }
}

static void success_costs_a_client_nothing(void **state)
{
    fixture *f = *state;

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
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_backend_call one = nonce_from("192.0.2.7"), other = nonce_from("192.0.2.7");

        f->server->rv = rows[i].rv;
        f->server->status = rows[i].status;
        assert_int_equal(make(f, one).status, rows[i].status);
        f->server->rv = APR_SUCCESS;
        f->server->status = 200;
        assert_int_equal(make(f, one).held_back, rows[i].is_spent);
        assert_false(make(f, other).held_back);
        /* Another instance's is another nonce. */
        f->api.number++;
        assert_false(make(f, other).held_back);
    }
}

static void strangers_are_held_back_in_all(void **state)
{
    static const clerk_backend_group groups[] = {CLERK_BACKEND_STRANGERS, CLERK_BACKEND_NEW_SESSIONS};
    fixture *f = *state;

    f->server->status = 404;
    for (size_t i = 0; i < COUNT(groups); i++) {
        int made = 0;

        for (int n = 0; n < 100; n++) {
            made += !call_of(f, groups[i]).held_back;
        }
        /* 20, and one for each half second that this took. */
        assert_in_range(made, 20, 24);
    }
    assert_false(call_of(f, CLERK_BACKEND_KNOWN_SESSIONS).held_back);
}

static void a_user_who_is_refused_is_held_back(void **state)
{
    fixture *f = *state;
    clerk_backend_call junk = refresh_of("user_1", "e", "r"), known = refresh_of("user_1", "e", "r");

    f->server->status = 401;
    assert_in_range(made_of_ten(f, junk), 5, 6);
    assert_true(make(f, junk).held_back);
    assert_false(call_of(f, CLERK_BACKEND_NEW_SESSIONS).held_back);
    /* With what was junk the user's real sessions have nothing to do. */
    clerk_backend_limits_note(f->api.limits, f->api.number, "r", 1);
    assert_false(make(f, known).held_back);
}

static void a_user_renews_so_often_and_no_more(void **state)
{
    fixture *f = *state;
    int made = 0;

    for (int i = 0; i < 10; i++) {
        made += made_of_ten(f, refresh_of("user_1", "e", "r"));
    }
    assert_in_range(made, 20, 22);
}

static void a_refresh_token_that_clerk_accepts_becomes_known(void **state)
{
    fixture *f = *state;
    clerk_backend_limits *limits = f->api.limits;
    clerk_backend_call one = refresh_of("user_1", "e", "r_1"), next = refresh_of("user_1", "e", "r_2");

    assert_int_equal(clerk_backend_limits_caller(limits, 3, &one).group, CLERK_BACKEND_NEW_SESSIONS);
    strcpy(f->server->body, "{\"cookies\":[\"__session=x\",\"__refresh_abc=r_2; Path=/\",\"__refresh_abc\",1]}");
    (void)make(f, one);
    assert_int_equal(clerk_backend_limits_caller(limits, 3, &one).group, CLERK_BACKEND_KNOWN_SESSIONS);
    assert_int_equal(clerk_backend_limits_caller(limits, 3, &next).group, CLERK_BACKEND_KNOWN_SESSIONS);
    /* Of this instance only. */
    assert_int_equal(clerk_backend_limits_caller(limits, 4, &one).group, CLERK_BACKEND_NEW_SESSIONS);
    /* 429 and 5xx say nothing about it; a refusal does. */
    f->server->status = 429;
    (void)make(f, next);
    f->server->status = 503;
    next.expired_token = "e2";
    (void)make(f, next);
    assert_int_equal(clerk_backend_limits_caller(limits, 3, &next).group, CLERK_BACKEND_KNOWN_SESSIONS);
    f->server->status = 401;
    next.expired_token = "e3";
    (void)make(f, next);
    assert_int_equal(clerk_backend_limits_caller(limits, 3, &next).group, CLERK_BACKEND_NEW_SESSIONS);
}

/* 429 */

static void a_429_stops_what_strangers_cause(void **state)
{
    static const struct {
        int retry_after;
        int seconds;
    } rows[] = {{60, 60}, {1, 1}, {0, 10}, {-1, 10}, {100000, 300}};
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_backend_reply reply;

        memset(f->state, 0, sizeof(*f->state));
        f->server->logged[1] = 0;
        f->server->status = 429;
        f->server->retry_after = rows[i].retry_after;
        reply = call_of(f, CLERK_BACKEND_STRANGERS);
        assert_int_equal(reply.status, 429);
        f->server->status = 200;
        reply = call_of(f, CLERK_BACKEND_STRANGERS);
        assert_true(reply.held_back);
        assert_int_equal(reply.retry_after, rows[i].seconds);
        assert_int_equal(f->server->logged[1], 1);
        /* It is another endpoint's. */
        assert_int_equal(call_of(f, CLERK_BACKEND_NEW_SESSIONS).status, 200);
        assert_int_equal(call(f), 200);
        atomic_store(&f->state->left_alone_until[CLERK_BACKEND_STRANGERS], apr_time_now() - 1);
        assert_int_equal(call_of(f, CLERK_BACKEND_STRANGERS).status, 200);
    }
}

static void a_429_stops_no_known_session(void **state)
{
    fixture *f = *state;

    f->server->status = 429;
    f->server->retry_after = 60;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(call(f), 429);
    }
    assert_true(call_of(f, CLERK_BACKEND_NEW_SESSIONS).held_back);
    assert_int_equal(f->server->logged[1], 1);
    f->server->status = 200;
    assert_int_equal(call(f), 200);
    assert_int_equal(call_of(f, CLERK_BACKEND_STRANGERS).status, 200);
}

/* Threads */

typedef struct caller {
    pthread_t thread;
    fixture *f;
    clerk_backend_call call;
    clerk_backend_reply reply;
    apr_pool_t *pool;
} caller;

static void *one_call(void *baton)
{
    caller *c = baton;

    clerk_backend_api_call(&c->f->api, &c->reply, &c->call, c->pool);
    return NULL;
}

static void start_call(fixture *f, caller *c, clerk_backend_call made)
{
    c->f = f;
    c->call = made;
    apr_pool_create(&c->pool, NULL);
    assert_int_equal(pthread_create(&c->thread, NULL, one_call, c), 0);
}

static void start_group(fixture *f, caller *callers, int count, clerk_backend_group group)
{
    for (int i = 0; i < count; i++) {
        start_call(f, &callers[i], fresh_call(f, group, f->pool));
    }
}

static void start(fixture *f, caller *callers, int count)
{
    start_group(f, callers, count, CLERK_BACKEND_KNOWN_SESSIONS);
}

static void wait_until_inside(fixture *f, int count)
{
    while (f->server->inside < count) {
        apr_sleep(300);
    }
}

static void hold(fixture *f, int held, apr_status_t rv)
{
    f->server->rv = rv;
    f->server->held = held;
}

/* @return how many got an answer */
static int join(caller *callers, int count)
{
    int answered = 0;

    for (int i = 0; i < count; i++) {
        pthread_join(callers[i].thread, NULL);
        answered += callers[i].reply.status == 200;
        apr_pool_destroy(callers[i].pool);
    }
    return answered;
}

/* How long it takes to start so many threads is not known here: what shall not end has a time that is far away. */
static void a_slow_api_holds_no_more_threads_than_there_are_places(void **state)
{
    fixture *f = *state;
    caller slow[SESSION_PLACES], more[WAITING_PLACES], excess[5], late[5];
    int rejected;

    f->api.timeout = SECONDS(600);
    hold(f, 1, APR_SUCCESS);
    start(f, slow, SESSION_PLACES);
    wait_until_inside(f, SESSION_PLACES);
    start(f, more, WAITING_PLACES);
    /* Some of these wait only as long as calls end, and give up after a second in which none does. */
    while ((int)clerk_backend_limits_waiting(f->api.limits, apr_time_now()) + atomic_load(&f->state->rejected)
           < WAITING_PLACES) {
        apr_sleep(300);
    }
    /* The others come back while the API holds all of those. */
    start(f, excess, COUNT(excess));
    assert_int_equal(join(excess, COUNT(excess)), 0);
    assert_int_equal(f->server->inside, SESSION_PLACES);
    /* So do those whose time is over. */
    f->api.timeout = apr_time_from_msec(300);
    start(f, late, COUNT(late));
    assert_int_equal(join(late, COUNT(late)), 0);
    assert_int_equal(f->server->inside, SESSION_PLACES);
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(slow, SESSION_PLACES), SESSION_PLACES);
    rejected = WAITING_PLACES - join(more, WAITING_PLACES);
    assert_in_range(rejected, 0, PATIENT_PLACES);
    assert_int_equal(atomic_load(&f->state->rejected), rejected + COUNT(excess) + COUNT(late));
    assert_int_equal(f->server->most_inside, SESSION_PLACES);
    /* Too many at once is no failure. */
    assert_int_equal(atomic_load(&circuit(f)->failures), 0);
    assert_int_equal(call(f), 200);
}

static void places_are_waited_for_while_calls_end(void **state)
{
    fixture *f = *state;
    caller first[SESSION_PLACES], more[40];

    hold(f, 1, APR_SUCCESS);
    start(f, first, SESSION_PLACES);
    wait_until_inside(f, SESSION_PLACES);
    start(f, more, COUNT(more));
    apr_sleep(apr_time_from_msec(200));
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(first, SESSION_PLACES), SESSION_PLACES);
    assert_int_equal(join(more, COUNT(more)), COUNT(more));
    assert_int_equal(f->server->calls, SESSION_PLACES + (int)COUNT(more));
    assert_true(f->server->most_inside <= SESSION_PLACES);
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
    fixture *f = *state;

    f->api.timeout = apr_time_from_msec(300);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int before = rows[i].may_fail - 2, together = rows[i].together;
        caller callers[STRANGER_PLACES];
        apr_time_t begun;

        memset(f->state, 0, sizeof(*f->state));
        memset(f->memory, 0, f->size);
        f->server->status = 404;
        begun = apr_time_now();
        for (int n = 0; n < before + together; n++) {
            clerk_backend_call one = fresh_call(f, rows[i].group, f->pool);

            one.client_ip = rows[i].ip ? rows[i].ip : one.client_ip;
            if (n < before) {
                assert_int_equal(make(f, one).status, 404);
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
        hold(f, 0, APR_SUCCESS);
        (void)join(callers, together);
        assert_in_range(f->server->calls, rows[i].may_fail - 1,
                        rows[i].may_fail + (apr_time_now() - begun) / rows[i].interval);
    }
}

/* What succeeds has cost nothing: who waited for it goes on. */
static void calls_that_succeed_make_room_for_others(void **state)
{
    fixture *f = *state;
    caller callers[STRANGER_PLACES];

    f->server->status = 404;
    for (int i = 0; i < 17; i++) {
        assert_int_equal(call_of(f, CLERK_BACKEND_NEW_MACHINES).status, 404);
    }
    f->server->status = 200;
    f->api.timeout = SECONDS(60);
    hold(f, 1, APR_SUCCESS);
    start_group(f, callers, COUNT(callers), CLERK_BACKEND_NEW_MACHINES);
    wait_until_inside(f, 3);
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(callers, COUNT(callers)), COUNT(callers));
    assert_int_equal(atomic_load(&f->state->rejected), 0);
    /* And what is held back, or ends with the process, costs nothing either. */
    f->server->rv = APR_EINTR;
    for (int i = 0; i < 100; i++) {
        assert_true(call_of(f, CLERK_BACKEND_NEW_MACHINES).held_back);
    }
    f->server->rv = APR_SUCCESS;
    assert_int_equal(call_of(f, CLERK_BACKEND_NEW_MACHINES).status, 200);
}

/* A crowd with tokens that Clerk has signed, behind one address: as many calls as there are places. */
static void sessions_do_not_wait_for_what_may_fail(void **state)
{
    fixture *f = *state;
    caller callers[NEW_SESSION_PLACES];

    hold(f, 1, APR_SUCCESS);
    for (int i = 0; i < NEW_SESSION_PLACES; i++) {
        clerk_backend_call one = fresh_call(f, CLERK_BACKEND_NEW_SESSIONS, f->pool);

        one.client_ip = "192.0.2.7";
        start_call(f, &callers[i], one);
    }
    wait_until_inside(f, NEW_SESSION_PLACES);
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(callers, NEW_SESSION_PLACES), NEW_SESSION_PLACES);
}

static void each_group_has_places_that_no_other_takes(void **state)
{
    fixture *f = *state;
    caller strangers[STRANGER_PLACES + 2], fresh[NEW_SESSION_PLACES + 2], known[SESSION_PLACES - NEW_SESSION_PLACES];

    hold(f, 1, APR_SUCCESS);
    start_group(f, strangers, COUNT(strangers), CLERK_BACKEND_STRANGERS);
    wait_until_inside(f, STRANGER_PLACES);
    start_group(f, fresh, COUNT(fresh), CLERK_BACKEND_NEW_SESSIONS);
    wait_until_inside(f, STRANGER_PLACES + NEW_SESSION_PLACES);
    start(f, known, COUNT(known));
    wait_until_inside(f, STRANGER_PLACES + SESSION_PLACES);
    apr_sleep(apr_time_from_msec(50));
    assert_int_equal(f->server->inside, STRANGER_PLACES + SESSION_PLACES);
    hold(f, 0, APR_SUCCESS);
    (void)join(strangers, COUNT(strangers));
    assert_int_equal(join(fresh, COUNT(fresh)), COUNT(fresh));
    assert_int_equal(join(known, COUNT(known)), COUNT(known));
}

static void one_user_and_one_address_take_a_part_of_the_places(void **state)
{
    fixture *f = *state;
    caller mine[12], strangers[6];

    hold(f, 1, APR_SUCCESS);
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
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(mine, COUNT(mine)), USER_PLACES);
    assert_int_equal(join(strangers, COUNT(strangers)), ADDRESS_PLACES);
}

static void calls_that_fail_together_count_as_one_outage(void **state)
{
    fixture *f = *state;
    caller callers[8];

    fail_times(f, 2);
    hold(f, 1, APR_TIMEUP);
    start(f, callers, COUNT(callers));
    wait_until_inside(f, COUNT(callers));
    hold(f, 0, APR_TIMEUP);
    join(callers, COUNT(callers));
    assert_int_equal(atomic_load(&circuit(f)->failures), 3);
    assert_int_equal(pause_of(f), 5);
    assert_int_equal(f->server->logged[3], 1);
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
    assert_int_equal(f->server->calls, 4);
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
        int calls = f->server->calls;

        let_the_pause_pass(f);
        start(f, callers, COUNT(callers));
        join(callers, COUNT(callers));
        assert_int_equal(f->server->calls, calls + 1);
    }
    assert_int_equal(pause_of(f), 60);
}

/* One call for all that need its reply */

static void threads_that_refresh_the_same_make_one_call(void **state)
{
    fixture *f = *state;
    caller same[40], other[2];

    strcpy(f->server->body, GOOD);
    hold(f, 1, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(same); i++) {
        start_call(f, &same[i], refresh_of("user_1", "e", "r"));
    }
    /* Another expired token, another refresh token: not the same. */
    start_call(f, &other[0], refresh_of("user_1", "e2", "r"));
    start_call(f, &other[1], refresh_of("user_1", "e", "r2"));
    wait_until_inside(f, 3);
    apr_sleep(apr_time_from_msec(50));
    hold(f, 0, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(same); i++) {
        pthread_join(same[i].thread, NULL);
        assert_int_equal(same[i].reply.status, 200);
        assert_string_equal(same[i].reply.body, GOOD);
        assert_int_equal(same[i].reply.body_len, strlen(GOOD));
        apr_pool_destroy(same[i].pool);
    }
    assert_int_equal(join(other, 2), 2);
    assert_int_equal(f->server->calls, 3);
    assert_int_equal(atomic_load(&f->state->shared), COUNT(same) - 1);
    /* And all that come within ten seconds. */
    assert_string_equal(make(f, refresh_of("user_1", "e", "r")).body, GOOD);
    assert_int_equal(f->server->calls, 3);
}

static void threads_that_need_the_same_profile_make_one_call(void **state)
{
    fixture *f = *state;
    caller same[20], other;
    int shared = 0;

    strcpy(f->server->body, "{}");
    hold(f, 1, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(same); i++) {
        start_call(f, &same[i], profile_of("user_1"));
    }
    start_call(f, &other, profile_of("user_2"));
    wait_until_inside(f, 2);
    apr_sleep(apr_time_from_msec(50));
    hold(f, 0, APR_SUCCESS);
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

/* And a 429 for checks stops checks only. */
static void a_429_for_background_work_stops_only_that(void **state)
{
    static const clerk_backend_group groups[] = {CLERK_BACKEND_PROFILES, CLERK_BACKEND_CHECKS};
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(groups); i++) {
        memset(f->state, 0, sizeof(*f->state));
        f->server->status = 429;
        f->server->retry_after = 30;
        assert_int_equal(call_of(f, groups[i]).status, 429);
        f->server->status = 200;
        for (int group = 0; group < CLERK_BACKEND_GROUPS; group++) {
            assert_int_equal(call_of(f, group).status, group == (int)groups[i] ? 0 : 200);
        }
    }
}

/* It waits for no worker's place, and who waits for one does not take it for a sign that calls end. */
static void a_check_takes_no_place(void **state)
{
    fixture *f = *state;
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
    assert_int_equal(call_of(f, CLERK_BACKEND_CHECKS).status, 200);
    assert_int_equal(atomic_load(&f->state->ended), ended);
    while (count-- > 0) {
        clerk_places_give_back(&held[count]);
    }
}

static void failures_are_shared_and_remembered_too(void **state)
{
    static const struct {
        apr_status_t rv;
        int status;
        int retry_after;
    } rows[] = {{APR_SUCCESS, 401, 0}, {APR_SUCCESS, 429, 7}, {APR_SUCCESS, 503, 0}, {APR_TIMEUP, 0, 0}};
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_backend_call one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);
        clerk_backend_reply first, second;

        f->server->rv = rows[i].rv;
        f->server->status = rows[i].status;
        f->server->retry_after = rows[i].retry_after;
        f->server->calls = 0;
        first = make(f, one);
        f->server->rv = APR_SUCCESS;
        f->server->status = 200;
        second = make(f, one);
        assert_int_equal(first.status, rows[i].status);
        assert_int_equal(second.status, rows[i].status);
        assert_int_equal(second.retry_after, first.retry_after);
        assert_false(second.held_back);
        assert_string_equal(second.body, first.body);
        assert_int_equal(f->server->calls, 1);
    }
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
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_backend_call one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);

        apr_cpystrn(f->server->content_type, rows[i].content_type, sizeof(f->server->content_type));
        f->server->calls = 0;
        /* Also of a reply that is shared. */
        for (int times = 0; times < 2; times++) {
            assert_int_equal(make(f, one).is_json, rows[i].is_json);
        }
        assert_int_equal(f->server->calls, 1);
    }
}

static void what_was_held_back_is_not_remembered(void **state)
{
    fixture *f = *state;
    clerk_backend_call one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);

    atomic_store(&circuit(f)->open_until, apr_time_now() + SECONDS(5));
    assert_true(make(f, one).held_back);
    atomic_store(&circuit(f)->open_until, 0);
    assert_int_equal(make(f, one).status, 200);
    /* Nor a call that this process was stopped in. */
    one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);
    f->server->rv = APR_EINTR;
    assert_true(make(f, one).held_back);
    f->server->rv = APR_SUCCESS;
    assert_int_equal(make(f, one).status, 200);
}

static void who_waits_too_long_gives_up(void **state)
{
    fixture *f = *state;
    caller leader, waiting[4];

    f->api.timeout = apr_time_from_msec(300);
    hold(f, 1, APR_SUCCESS);
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
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(&leader, 1), 1);
    assert_int_equal(f->server->calls, 1);
}

static void a_reply_that_is_too_long_is_the_leaders_alone(void **state)
{
    fixture *f = *state;
    clerk_backend_call one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);

    memset(f->server->body, 'x', sizeof(f->server->body) - 1);
    assert_int_equal(make(f, one).status, 200);
    assert_int_equal(make(f, one).status, 0);
    assert_int_equal(f->server->calls, 1);
    one = fresh_call(f, CLERK_BACKEND_KNOWN_SESSIONS, f->pool);
    f->server->body[CLERK_SINGLE_FLIGHT_ANSWER_MAX - 24] = '\0';
    assert_int_equal(make(f, one).body_len, CLERK_SINGLE_FLIGHT_ANSWER_MAX - 24);
    assert_int_equal(make(f, one).body_len, CLERK_SINGLE_FLIGHT_ANSWER_MAX - 24);
    assert_int_equal(f->server->calls, 2);
}

/* Processes */

static void refresh_in_process(fixture *f)
{
    clerk_backend_call made = refresh_of("user_1", "e", "r");
    clerk_backend_reply reply;

    clerk_backend_api_call(&f->api, &reply, &made, f->pool);
    _exit(reply.status == 200 && !strcmp(reply.body, GOOD) ? 0 : 1);
}

static pid_t start_process(fixture *f)
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
    fixture *f = *state;
    pid_t pids[12];
    int status;

    strcpy(f->server->body, GOOD);
    hold(f, 1, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(pids); i++) {
        pids[i] = start_process(f);
    }
    wait_until_inside(f, 1);
    apr_sleep(apr_time_from_msec(100));
    hold(f, 0, APR_SUCCESS);
    for (size_t i = 0; i < COUNT(pids); i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(f->server->calls, 1);
}

static void a_process_that_is_killed_in_its_call_is_replaced(void **state)
{
    fixture *f = *state;
    caller waiting[6];
    pid_t leader;

    f->api.timeout = SECONDS(10);
    strcpy(f->server->body, GOOD);
    hold(f, 1, APR_SUCCESS);
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
    hold(f, 0, APR_SUCCESS);
    assert_int_equal(join(waiting, COUNT(waiting)), COUNT(waiting));
    assert_int_equal(f->server->calls, 2);
}

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
        test(a_machine_token_is_verified_as_clerk_wants_it),
        test(what_is_remembered_is_not_asked_again),
        test(strangers_may_fail_as_often_whatever_the_status),
        test(no_group_opens_the_circuit_of_another),
        test(without_a_way_out_there_is_no_answer),
        cmocka_unit_test(small_servers_keep_workers_for_others),
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
        test(a_slow_api_holds_no_more_threads_than_there_are_places),
        test(places_are_waited_for_while_calls_end),
        test(sessions_do_not_wait_for_what_may_fail),
        test(calls_that_fail_together_are_no_more_than_may_fail),
        test(calls_that_succeed_make_room_for_others),
        test(each_group_has_places_that_no_other_takes),
        test(one_user_and_one_address_take_a_part_of_the_places),
        test(calls_that_fail_together_count_as_one_outage),
        test(after_the_pause_one_thread_tries),
        test(many_threads_find_one_probe),
        test(threads_that_refresh_the_same_make_one_call),
        test(threads_that_need_the_same_profile_make_one_call),
        test(a_429_for_background_work_stops_only_that),
        test(a_check_takes_no_place),
        test(failures_are_shared_and_remembered_too),
        test(what_is_json_is_said_by_the_content_type),
        test(what_was_held_back_is_not_remembered),
        test(who_waits_too_long_gives_up),
        test(a_reply_that_is_too_long_is_the_leaders_alone),
        test(processes_that_refresh_the_same_make_one_call),
        test(a_process_that_is_killed_in_its_call_is_replaced),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
