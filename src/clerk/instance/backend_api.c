/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/instance/backend_api.h"

#include <apr_strings.h>

#include "clerk/protocol.h"
#include "shared/log.h"

#define FAILURES_TO_OPEN 3
#define FIRST_PAUSE apr_time_from_sec(5)
#define LONGEST_PAUSE apr_time_from_sec(60)
#define MAX_REPLY 262144

/* Whether a call may be made; PROBE: the one call that finds out whether the API works again. */
typedef enum admission {
    REJECTED,
    ADMITTED,
    PROBE
} admission;

/* How long the circuit stays open after so many failures. */
static apr_interval_time_t pause_after(apr_uint32_t failures)
{
    apr_interval_time_t pause = FIRST_PAUSE;

    for (apr_uint32_t i = FAILURES_TO_OPEN; i < failures && pause < LONGEST_PAUSE; i++) {
        pause *= 2;
    }
    return pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
}

static void note_success(const clerk_backend_api *api)
{
    /* Check open_until as well: note_failure() sets it after the count, and another call may have reset that. */
    if (atomic_exchange(&api->breaker->failures, 0) >= FAILURES_TO_OPEN || atomic_load(&api->breaker->open_until)) {
        atomic_store(&api->breaker->open_until, 0);
        clerk_log(CLERK_LOG_NOTICE, 2001, "Clerk instance %s: the Backend API answers again", api->name);
    }
}

/* Calls that were under way when the circuit opened are not counted when they fail too: only a probe prolongs the
 * pause. */
static void note_failure(const clerk_backend_api *api, admission how)
{
    clerk_backend_breaker *breaker = api->breaker;
    apr_uint32_t failures = atomic_load(&breaker->failures);

    do {
        if (failures >= FAILURES_TO_OPEN && how != PROBE) {
            return;
        }
    } while (!atomic_compare_exchange_weak(&breaker->failures, &failures, failures + 1));
    failures++;
    if (failures >= FAILURES_TO_OPEN) {
        atomic_store(&breaker->open_until, apr_time_now() + pause_after(failures));
    }
    if (failures == FAILURES_TO_OPEN) {
        clerk_log(CLERK_LOG_WARNING, 2002,
                  "Clerk instance %s: the Backend API (%s) fails; it is not called for a while, "
                  "session refresh and handshake nonces fall back to redirects until it answers",
                  api->name, api->api_url);
    }
}

/* Whether a call may be made now: none while the circuit is open, one as a probe after the pause. */
static admission admit(clerk_backend_api *api)
{
    apr_int64_t open_until = atomic_load(&api->breaker->open_until);
    apr_time_t now = apr_time_now();

    if (!open_until) {
        return ADMITTED;
    }
    /* A time further away than any pause is from before the clock was set back. */
    if (now < open_until && open_until - now <= LONGEST_PAUSE + api->timeout) {
        return REJECTED;
    }
    /* Of several callers, the one that moves the time on makes the probe. */
    return atomic_compare_exchange_strong(&api->breaker->open_until, &open_until, now + api->timeout) ? PROBE
                                                                                                      : REJECTED;
}

/* Begin a call, unless too many of its cause are under way in this process. */
static admission begin(clerk_backend_api *api, clerk_backend_cause cause)
{
    admission how = REJECTED;

    if (!api->http) {
        return REJECTED;
    }
    if (atomic_fetch_add(&api->under_way[cause], 1) < CLERK_BACKEND_MAX_UNDER_WAY) {
        how = admit(api);
    }
    if (how == REJECTED) {
        atomic_fetch_sub(&api->under_way[cause], 1);
    }
    return how;
}

void clerk_backend_api_call(clerk_backend_api *api, clerk_backend_reply *reply, const clerk_backend_call *call,
                            apr_pool_t *pool)
{
    clerk_http_request request;
    clerk_http_response *response;
    apr_table_t *headers;
    apr_status_t rv;
    admission how;

    memset(reply, 0, sizeof(*reply));
    reply->body = "";
    how = begin(api, call->cause);
    if (how == REJECTED) {
        atomic_fetch_add(&api->breaker->rejected, 1);
        return;
    }
    headers = apr_table_make(pool, 4);
    apr_table_setn(headers, "Accept", "application/json");
    apr_table_setn(headers, "Clerk-API-Version", CLERK_API_VERSION);
    if (call->json) {
        apr_table_setn(headers, "Content-Type", "application/json");
    }
    memset(&request, 0, sizeof(request));
    request.method = call->method;
    request.url = apr_pstrcat(pool, api->api_url, call->path, NULL);
    request.bearer = api->secret_key;
    request.headers = headers;
    request.body = call->json;
    request.body_len = call->json ? strlen(call->json) : 0;
    request.proxy = api->http_proxy;
    request.ca_file = api->ca_file;
    request.timeout = api->timeout;
    request.max_response = MAX_REPLY;
    atomic_fetch_add(&api->breaker->calls, 1);
    rv = api->http->perform(api->http->baton, &response, &request, pool);
    if (rv == APR_SUCCESS) {
        reply->status = response->status;
        reply->body = response->body;
        reply->body_len = response->body_len;
    }
    atomic_fetch_sub(&api->under_way[call->cause], 1);
    if (reply->status != 0 && reply->status < 500) {
        note_success(api);
    } else if (rv != APR_EINTR) {
        /* APR_EINTR: this process is stopping; no failure of the API. */
        note_failure(api, how);
    }
}
