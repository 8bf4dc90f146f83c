/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/instance/backend_api.h"

#include <strings.h>

#include <apr_strings.h>
#include <openssl/evp.h>

#include "clerk/protocol.h"
#include "jose/json.h"
#include "shared/log.h"
#include "text/text.h"

#define MAX_REPLY 262144
/* How long the reply to a refresh is remembered. */
#define REMEMBERED apr_time_from_sec(10)
/* The same for a profile, which is stored elsewhere: as long as that may take. */
#define PROFILE_REMEMBERED apr_time_from_sec(2)
/* How long a stranger's thread waits for a place. */
#define STRANGERS_WAIT apr_time_from_sec(1)
/* What a holder of a place or a leader needs beyond the call itself. */
#define SLACK apr_time_from_sec(2)
#define HTTP_NOT_FOUND 404
#define HTTP_TOO_MANY_REQUESTS 429
#define PAUSE_DEFAULT 10
#define PAUSE_MAX 300

static const char *const group_texts[CLERK_BACKEND_GROUPS]
    = {[CLERK_BACKEND_STRANGERS] = "handshake nonces",
       [CLERK_BACKEND_NEW_SESSIONS] = "refreshes of new sessions",
       [CLERK_BACKEND_KNOWN_SESSIONS] = "refreshes of sessions",
       [CLERK_BACKEND_PROFILES] = "user profiles",
       [CLERK_BACKEND_NEW_MACHINES] = "verifications of new machine tokens",
       [CLERK_BACKEND_KNOWN_MACHINES] = "verifications of machine tokens",
       [CLERK_BACKEND_CHECKS] = "checks of sessions"};

/* What happens while the API is not called. */
static const char *const group_consequences[CLERK_BACKEND_GROUPS]
    = {[CLERK_BACKEND_STRANGERS] = "handshake nonces fall back to redirects",
       [CLERK_BACKEND_NEW_SESSIONS] = "refreshes of new sessions fall back to redirects",
       [CLERK_BACKEND_KNOWN_SESSIONS] = "refreshes of sessions fall back to redirects",
       [CLERK_BACKEND_PROFILES] = "the user profiles that were kept are used",
       [CLERK_BACKEND_NEW_MACHINES] = "verifications of new machine tokens are answered with 503",
       [CLERK_BACKEND_KNOWN_MACHINES] = "verifications of machine tokens are answered with 503",
       [CLERK_BACKEND_CHECKS] = "sessions that end are good until their tokens expire"};

/* A call and what there is to do about it. */
typedef struct attempt {
    clerk_backend_api *api;
    const clerk_backend_call *call;
    clerk_backend_reply *reply;
    clerk_backend_caller caller;
    clerk_backend_wait wait;
    clerk_backend_reservation reservation;
    apr_time_t believed_until; /* what is known of a machine token; 0: no limit of its own */
    apr_pool_t *pool;
} attempt;

static int seconds_of(apr_interval_time_t interval)
{
    return (int)((interval + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC);
}

static void hold_back(const attempt *a, apr_interval_time_t until_next)
{
    a->reply->held_back = 1;
    a->reply->retry_after = until_next > 0 ? seconds_of(until_next) : 1;
    atomic_fetch_add(&a->api->state->rejected, 1);
}

/* One message a minute for each group, whatever the number of processes. */
static void log_too_many(const attempt *a, apr_time_t now)
{
    _Atomic(apr_int64_t) *logged_at = &a->api->state->logged_at[a->caller.group];
    apr_int64_t last = atomic_load(logged_at);

    if ((now - last > apr_time_from_sec(60) || now < last) && atomic_compare_exchange_strong(logged_at, &last, now)) {
        clerk_log(CLERK_LOG_WARNING, 1040,
                  "instance %s: Clerk refuses many %s that requests from outside cause; most of these calls are not "
                  "made until that ends",
                  a->api->name, group_texts[a->caller.group]);
    }
}

/* How long no call of this kind may be made; 0: it may be made now. */
static apr_interval_time_t pause_for(const attempt *a, apr_time_t now)
{
    clerk_backend_state *state = a->api->state;
    clerk_backend_group group = a->caller.group;
    apr_interval_time_t pause = clerk_backend_circuit_pause(&state->circuits[group], now, a->api->timeout);
    apr_interval_time_t left_alone = atomic_load(&state->left_alone_until[group]) - now;

    if (pause == 0 && left_alone > 0 && left_alone <= apr_time_from_sec(PAUSE_MAX)) {
        pause = left_alone;
    }
    if (pause == 0) {
        pause = clerk_backend_limits_wait(a->api->limits, &state->failures, &a->caller, now);
        if (pause > 0) {
            log_too_many(a, now);
        }
    }
    return pause;
}

/* In any spelling, with or without parameters (differences.md row 37). */
static int is_json(const char *content_type)
{
    static const char type[] = "application/json";

    return content_type && !strncasecmp(content_type, type, sizeof(type) - 1)
           && strchr("; \t", content_type[sizeof(type) - 1]);
}

static apr_status_t perform(const attempt *a)
{
    const clerk_backend_api *api = a->api;
    const clerk_backend_call *call = a->call;
    apr_table_t *headers = apr_table_make(a->pool, 4);
    clerk_http_request request = {.method = call->method,
                                  .url = apr_pstrcat(a->pool, api->api_url, call->path, NULL),
                                  .bearer = call->by_machine_key ? api->machine_secret_key : api->secret_key,
                                  .headers = headers,
                                  .body = call->json,
                                  .body_len = call->json ? strlen(call->json) : 0,
                                  .proxy = api->http_proxy,
                                  .ca_file = api->ca_file,
                                  .timeout = api->timeout,
                                  .max_response = MAX_REPLY};
    clerk_http_response *response;
    apr_status_t rv;

    apr_table_setn(headers, "Accept", "application/json");
    apr_table_setn(headers, "Clerk-API-Version", CLERK_API_VERSION);
    if (call->json) {
        apr_table_setn(headers, "Content-Type", "application/json");
    }
    atomic_fetch_add(&api->state->calls, 1);
    a->reply->asked_at = apr_time_now();
    rv = api->http->perform(api->http->baton, &response, &request, a->pool);
    if (rv == APR_SUCCESS) {
        a->reply->status = response->status;
        a->reply->body = response->body;
        a->reply->body_len = response->body_len;
        a->reply->is_json = is_json(response->content_type);
        a->reply->retry_after = response->retry_after > 0 ? response->retry_after : 0;
    }
    return rv;
}

/* 429: calls that strangers, new sessions and machines cause, and those for profiles and checks, are left alone. Those
 * of known sessions are not. */
static void leave_alone(const attempt *a, apr_time_t now)
{
    clerk_backend_group group
        = a->caller.group == CLERK_BACKEND_KNOWN_SESSIONS ? CLERK_BACKEND_NEW_SESSIONS : a->caller.group;
    _Atomic(apr_int64_t) *until = &a->api->state->left_alone_until[group];
    int pause = a->reply->retry_after ? a->reply->retry_after : PAUSE_DEFAULT;
    apr_int64_t last;

    pause = pause < PAUSE_MAX ? pause : PAUSE_MAX;
    last = atomic_exchange(until, now + apr_time_from_sec(pause));
    if (last < now) {
        clerk_log(CLERK_LOG_WARNING, 1041,
                  "instance %s: the Backend API answers 429, too many requests; it is not called for %s for %d s",
                  a->api->name, group_texts[group], pause);
    }
}

/* Clerk may replace the refresh token: the new one belongs to the same session. */
static void note_new_refresh_tokens(const attempt *a)
{
    json_t *body, *cookie;
    size_t i;

    if (jose_json_parse_object(&body, a->reply->body, a->reply->body_len, JOSE_JSON_MAX_DEPTH, a->pool) != JOSE_OK) {
        return;
    }
    json_array_foreach(json_object_get(body, "cookies"), i, cookie)
    {
        const char *text = json_string_value(cookie);
        const char *value = text && clerk_text_begins_with(text, CLERK_COOKIE_REFRESH) ? strchr(text, '=') : NULL;

        if (value) {
            clerk_backend_limits_note(a->api->limits, a->api->number,
                                      apr_pstrmemdup(a->pool, value + 1, strcspn(value + 1, ";")), 1);
        }
    }
}

static void note_refresh_token(const attempt *a, int accepted)
{
    if (accepted) {
        note_new_refresh_tokens(a);
    }
    clerk_backend_limits_note(a->api->limits, a->api->number, a->call->refresh_token, accepted);
}

static void note_circuit(const attempt *a, clerk_backend_admission how, apr_time_t now)
{
    clerk_backend_api *api = a->api;
    clerk_backend_circuit *circuit = &api->state->circuits[a->caller.group];

    if (a->reply->status != 0 && a->reply->status < 500) {
        if (clerk_backend_circuit_succeed(circuit)) {
            clerk_log(CLERK_LOG_NOTICE, 2001, "Clerk instance %s: the Backend API answers again (%s)", api->name,
                      group_texts[a->caller.group]);
        }
    } else if (clerk_backend_circuit_fail(circuit, how, now)) {
        clerk_log(CLERK_LOG_WARNING, 2002,
                  "Clerk instance %s: the Backend API (%s) fails; it is not called for a while, "
                  "%s until it answers; clerkctl doctor tries it",
                  api->name, api->api_url, group_consequences[a->caller.group]);
    }
}

/* What is known of a machine token: @return whether the reply says that it is good. A 2xx may say that it is revoked.
 */
static int judge_machine(attempt *a)
{
    int good;

    a->believed_until = a->call->verdict(&good, a->call, a->reply, a->pool);
    if (a->believed_until) {
        clerk_backend_limits_note(a->api->limits, a->api->number, a->call->machine_token, good);
    }
    return good;
}

/* What a call says about the API, about the client, and about the refresh token or the machine's token. */
static void note_reply(attempt *a, clerk_backend_admission how)
{
    clerk_backend_state *state = a->api->state;
    int status = a->reply->status, is_2xx = status >= 200 && status <= 299;
    int succeeded = a->call->machine_token ? judge_machine(a) : is_2xx;
    apr_time_t now = apr_time_now();

    note_circuit(a, how, now);
    if (succeeded || status == HTTP_NOT_FOUND) {
        clerk_backend_limits_spend(a->api->limits, &a->caller);
    }
    clerk_backend_limits_settle(&a->reservation, a->api->limits, &state->failures, &a->caller,
                                succeeded ? CLERK_BACKEND_SUCCEEDED : CLERK_BACKEND_FAILED, now);
    if (status == HTTP_TOO_MANY_REQUESTS) {
        leave_alone(a, now);
    } else if (a->call->refresh_token && (succeeded || (status >= 400 && status < 500))) {
        note_refresh_token(a, succeeded);
    }
}

static int reserve(attempt *a, apr_time_t now)
{
    return clerk_backend_limits_reserve(&a->reservation, a->api->limits, &a->api->state->failures, &a->caller, now);
}

/*
 * Take a place for the call, and reserve what it may cost.
 * @param to_recall only take the place: what is remembered costs Clerk nothing, and may be asked for at any time
 * @return 0: it is held back
 */
static int enter(attempt *a, clerk_place_ticket *place, int to_recall)
{
    clerk_backend_api *api = a->api;

    for (;;) {
        apr_time_t now = apr_time_now();
        apr_interval_time_t pause = to_recall ? 0 : pause_for(a, now);

        if (pause > 0 || clerk_backend_limits_is_spent(api->limits, &a->caller)) {
            hold_back(a, pause);
            return 0;
        }
        if (clerk_backend_limits_enter(api->limits, place, &a->caller, now, api->timeout + SLACK)) {
            if (to_recall || reserve(a, now)) {
                return 1;
            }
            clerk_places_give_back(place);
        }
        if (!clerk_backend_limits_sleep(api->limits, &a->wait)) {
            hold_back(a, 0);
            return 0;
        }
    }
}

static int recall(attempt *a)
{
    const clerk_backend_memory *memory = a->call->memory;

    if (!memory->recall(memory->baton, a->reply, a->call, a->pool)) {
        return 0;
    }
    (void)judge_machine(a);
    atomic_fetch_add(&a->api->state->recalled, 1);
    return 1;
}

/* Ask Clerk, in the place that was taken, with what was reserved. */
static void ask(attempt *a)
{
    clerk_backend_state *state = a->api->state;
    const clerk_backend_memory *memory = a->call->memory;
    apr_time_t now = apr_time_now();
    clerk_backend_admission how = clerk_backend_circuit_admit(&state->circuits[a->caller.group], now, a->api->timeout);

    /* EINTR: this process is stopping; no failure of the API. */
    if (how == CLERK_BACKEND_REJECTED || perform(a) == APR_EINTR) {
        clerk_backend_limits_settle(&a->reservation, a->api->limits, &state->failures, &a->caller,
                                    CLERK_BACKEND_NOT_MADE, apr_time_now());
        hold_back(a, 0);
        return;
    }
    note_reply(a, how);
    if (a->call->condense) {
        a->call->condense(a->reply, a->call, a->pool);
    }
    if (memory && a->believed_until) {
        memory->keep(memory->baton, a->reply, a->call, a->believed_until, a->pool);
    }
}

/*
 * Look, in the place that was taken, whether the reply is remembered.
 * @return whether Clerk has to be asked: then there is a place, and what it may cost is reserved. 0: it need not, or
 * the call is held back
 */
static int must_ask(attempt *a, clerk_place_ticket *place)
{
    apr_time_t now;
    int entered;

    if (recall(a)) {
        return 0;
    }
    now = apr_time_now();
    if (pause_for(a, now) == 0 && reserve(a, now)) {
        return 1;
    }
    clerk_places_give_back(place);
    entered = enter(a, place, 0);
    clerk_backend_limits_wake(&a->wait);
    return entered;
}

/* Make the call, or hold it back. */
static void make_call(attempt *a)
{
    int to_recall = a->call->memory != NULL;
    clerk_place_ticket place;

    if (!enter(a, &place, to_recall)) {
        return;
    }
    clerk_backend_limits_wake(&a->wait);
    if (!to_recall || must_ask(a, &place)) {
        ask(a);
    }
    clerk_places_give_back(&place);
    if (clerk_backend_limits_is_of_sessions(&a->caller)) {
        atomic_fetch_add(&a->api->state->ended, 1);
    }
}

/* What is shared of a reply; its body follows. */
typedef struct shared_reply {
    int status;
    int is_json;
    int retry_after;
    apr_time_t asked_at;
} shared_reply;

static void publish(const attempt *a, clerk_single_flight_ticket *ticket)
{
    apr_interval_time_t remembered = a->call->machine_token ? a->call->shared_for
                                     : a->call->condense    ? PROFILE_REMEMBERED
                                                            : REMEMBERED;
    clerk_single_flight *flights = clerk_backend_limits_single_flight(a->api->limits);
    shared_reply head = {a->reply->status, a->reply->is_json, a->reply->retry_after, a->reply->asked_at};
    apr_size_t body_len = a->reply->body_len, len;
    apr_time_t now = apr_time_now(), until = now + remembered;
    char *answer;

    if (a->reply->held_back) {
        clerk_single_flight_give_up(ticket, flights);
        return;
    }
    if (a->believed_until && a->believed_until < until) {
        until = a->believed_until;
    }
    if (sizeof(head) + body_len > CLERK_SINGLE_FLIGHT_ANSWER_MAX) {
        /* No browser keeps so many cookies. The others must not all ask for them. */
        head.status = 0;
        body_len = 0;
    }
    len = sizeof(head) + body_len;
    answer = apr_palloc(a->pool, len);
    memcpy(answer, &head, sizeof(head));
    memcpy(answer + sizeof(head), a->reply->body, body_len);
    (void)clerk_single_flight_publish(ticket, flights, answer, len, now, until);
}

static void use_published(const attempt *a, const clerk_single_flight_ticket *ticket)
{
    shared_reply head = {0};

    if (ticket->len >= sizeof(head)) {
        memcpy(&head, ticket->answer, sizeof(head));
        a->reply->status = head.status;
        a->reply->is_json = head.is_json;
        a->reply->retry_after = head.retry_after;
        a->reply->asked_at = head.asked_at;
        a->reply->shared = 1;
        a->reply->body_len = ticket->len - sizeof(head);
        a->reply->body = apr_pstrmemdup(a->pool, (const char *)ticket->answer + sizeof(head), a->reply->body_len);
    }
    atomic_fetch_add(&a->api->state->shared, 1);
}

/* One call for all threads that ask for the same; @param ticket with the key of the call */
static void share_call(attempt *a, clerk_single_flight_ticket *ticket)
{
    clerk_backend_api *api = a->api;
    clerk_single_flight *flights = clerk_backend_limits_single_flight(api->limits);

    for (;;) {
        switch (clerk_single_flight_ask(ticket, flights, apr_time_now(), 2 * api->timeout + SLACK, a->pool)) {
        case CLERK_SINGLE_FLIGHT_LEADER:
            make_call(a);
            publish(a, ticket);
            return;
        case CLERK_SINGLE_FLIGHT_ANSWERED:
            use_published(a, ticket);
            return;
        case CLERK_SINGLE_FLIGHT_FULL:
            make_call(a);
            return;
        default:
            if (!clerk_backend_limits_sleep(api->limits, &a->wait)) {
                hold_back(a, 0);
                return;
            }
        }
    }
}

static int digest_text(EVP_MD_CTX *context, const char *text)
{
    return EVP_DigestUpdate(context, text ? text : "", text ? strlen(text) + 1 : 0);
}

/* What two calls must have in common for one reply to do for both. */
static int make_key(unsigned char key[CLERK_SINGLE_FLIGHT_KEY], const clerk_backend_api *api,
                    const clerk_backend_call *call)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int done = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)
               && EVP_DigestUpdate(context, &api->number, sizeof(api->number))
               && EVP_DigestUpdate(context, call->path, strlen(call->path) + 1)
               && digest_text(context, call->expired_token) && digest_text(context, call->refresh_token)
               && digest_text(context, call->machine_token) && EVP_DigestFinal_ex(context, key, NULL);

    EVP_MD_CTX_free(context);
    return done;
}

void clerk_backend_api_call(clerk_backend_api *api, clerk_backend_reply *reply, const clerk_backend_call *call,
                            apr_pool_t *pool)
{
    attempt a = {.api = api, .call = call, .reply = reply, .pool = pool};
    clerk_single_flight_ticket ticket = {.entry = 0};

    memset(reply, 0, sizeof(*reply));
    reply->body = "";
    if (!api->http) {
        hold_back(&a, 0);
        return;
    }
    a.caller = clerk_backend_limits_caller(api->limits, api->number, call);
    a.wait.caller = &a.caller;
    a.wait.progress = &api->state->ended;
    a.wait.deadline = apr_time_now();
    a.wait.deadline
        += clerk_backend_limits_is_stranger(&a.caller) && STRANGERS_WAIT < api->timeout ? STRANGERS_WAIT : api->timeout;
    if (((call->expired_token && call->refresh_token) || call->condense || call->machine_token)
        && make_key(ticket.key, api, call)) {
        share_call(&a, &ticket);
    } else {
        make_call(&a);
    }
    clerk_backend_limits_wake(&a.wait);
}

void clerk_backend_api_get_stats(clerk_backend_stats *stats, const clerk_backend_api *api, apr_time_t now)
{
    const clerk_backend_state *state = api->state;

    memset(stats, 0, sizeof(*stats));
    for (int group = 0; group < CLERK_BACKEND_GROUPS; group++) {
        apr_time_t open_until = atomic_load(&state->circuits[group].open_until);
        apr_time_t left_alone_until = atomic_load(&state->left_alone_until[group]);
        apr_uint32_t failures = atomic_load(&state->circuits[group].failures);

        stats->failures = failures > stats->failures ? failures : stats->failures;
        stats->open_until = open_until > now && open_until > stats->open_until ? open_until : stats->open_until;
        if (left_alone_until > now && left_alone_until > stats->left_alone_until) {
            stats->left_alone_until = left_alone_until;
        }
    }
    stats->calls = atomic_load(&state->calls);
    stats->rejected = atomic_load(&state->rejected);
    stats->shared = atomic_load(&state->shared);
    stats->recalled = atomic_load(&state->recalled);
}
