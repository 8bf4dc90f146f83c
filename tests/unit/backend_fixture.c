/* SPDX-License-Identifier: Apache-2.0 */
#include "backend_fixture.h"

#include <sys/mman.h>

#include "shared/log.h"

static backend_fixture *current; /* of the test that runs, for what has no baton */

static apr_status_t perform(void *baton, clerk_http_response **presponse, const clerk_http_request *request,
                            apr_pool_t *pool)
{
    backend_server *s = baton;
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
    backend_server *s = baton;

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

int backend_fixture_setup(void **state)
{
    apr_pool_t *pool;
    backend_fixture *f;

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

int backend_fixture_teardown(void **state)
{
    backend_fixture *f = *state;

    clerk_log_set_sink(NULL, NULL);
    munmap(f->memory, f->size);
    munmap(f->server, sizeof(*f->server));
    munmap(f->state, sizeof(*f->state));
    apr_pool_destroy(f->pool);
    return 0;
}

clerk_backend_call nonce_from(const char *ip)
{
    static atomic_int number;

    return (clerk_backend_call){
        .cause = CLERK_BACKEND_FOR_ANY_CLIENT,
        .method = "GET",
        .path = apr_psprintf(current->pool, "/v1/clients/handshake_payload?nonce=n_%d", atomic_fetch_add(&number, 1)),
        .client_ip = ip};
}

clerk_backend_call refresh_of(const char *user, const char *expired_token, const char *refresh_token)
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

clerk_backend_call profile_of(const char *user)
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

clerk_backend_call verification_of(const char *token, const char *ip)
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

clerk_backend_call fresh_call(backend_fixture *f, clerk_backend_group group, apr_pool_t *pool)
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

clerk_backend_reply reply_to(backend_fixture *f, clerk_backend_call call)
{
    clerk_backend_reply reply;

    clerk_backend_api_call(&f->api, &reply, &call, f->pool);
    assert_non_null(reply.body);
    return reply;
}

clerk_backend_reply reply_to_group(backend_fixture *f, clerk_backend_group group)
{
    return reply_to(f, fresh_call(f, group, f->pool));
}

int status_of_call(backend_fixture *f)
{
    return reply_to_group(f, CLERK_BACKEND_KNOWN_SESSIONS).status;
}

void fail_times(backend_fixture *f, int times)
{
    f->server->rv = APR_TIMEUP;
    for (int i = 0; i < times; i++) {
        assert_int_equal(status_of_call(f), 0);
    }
}

clerk_backend_circuit *circuit_of(backend_fixture *f)
{
    return &f->state->circuits[CLERK_BACKEND_KNOWN_SESSIONS];
}

int pause_of(backend_fixture *f)
{
    apr_int64_t until = atomic_load(&circuit_of(f)->open_until);

    return until ? (int)((until - apr_time_now() + SECONDS(1) - 1) / SECONDS(1)) : 0;
}

void let_the_pause_pass(backend_fixture *f)
{
    atomic_store(&circuit_of(f)->open_until, apr_time_now() - 1);
}

static void *one_call(void *baton)
{
    backend_caller *c = baton;

    clerk_backend_api_call(&c->f->api, &c->reply, &c->call, c->pool);
    return NULL;
}

void start_call(backend_fixture *f, backend_caller *c, clerk_backend_call made)
{
    c->f = f;
    c->call = made;
    apr_pool_create(&c->pool, NULL);
    assert_int_equal(pthread_create(&c->thread, NULL, one_call, c), 0);
}

void start_group(backend_fixture *f, backend_caller *callers, int count, clerk_backend_group group)
{
    for (int i = 0; i < count; i++) {
        start_call(f, &callers[i], fresh_call(f, group, f->pool));
    }
}

void start_known(backend_fixture *f, backend_caller *callers, int count)
{
    start_group(f, callers, count, CLERK_BACKEND_KNOWN_SESSIONS);
}

void wait_until_inside(backend_fixture *f, int count)
{
    while (f->server->inside < count) {
        apr_sleep(300);
    }
}

void hold_server(backend_fixture *f, int held, apr_status_t rv)
{
    f->server->rv = rv;
    f->server->held = held;
}

int join_callers(backend_caller *callers, int count)
{
    int answered = 0;

    for (int i = 0; i < count; i++) {
        pthread_join(callers[i].thread, NULL);
        answered += callers[i].reply.status == 200;
        apr_pool_destroy(callers[i].pool);
    }
    return answered;
}
