/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_INSTANCE_BACKEND_API_H
#define CLERK_INSTANCE_BACKEND_API_H

#include "clerk/instance/backend_circuit.h"
#include "clerk/instance/backend_limits.h"
#include "clerk/services.h"
#include "net/http.h"

/** What all processes know about the Backend API of one instance. Zeroed shared memory; atomics only. */
typedef struct clerk_backend_state {
    clerk_backend_circuit circuits[CLERK_BACKEND_GROUPS];
    clerk_backend_failures failures;
    _Atomic(apr_int64_t) left_alone_until[CLERK_BACKEND_GROUPS]; /**< because of a 429 */
    _Atomic(apr_int64_t) logged_at[CLERK_BACKEND_GROUPS];        /**< AC1040 */
    _Atomic(apr_uint64_t) ended;                                 /**< calls for sessions that were made and are over */
    _Atomic(apr_uint64_t) calls;
    _Atomic(apr_uint64_t) rejected; /**< calls not made */
    _Atomic(apr_uint64_t) shared;   /**< replies that the call of another thread brought */
    _Atomic(apr_uint64_t) recalled; /**< replies about machine tokens that the memory had */
} clerk_backend_state;

/** How a process calls the Backend API of one instance. */
typedef struct clerk_backend_api {
    const char *name;               /**< the instance, for logs */
    unsigned int number;            /**< its number among all instances */
    const char *api_url;            /**< no trailing '/' */
    const char *secret_key;         /**< or NULL */
    const char *machine_secret_key; /**< or NULL */
    const char *http_proxy;         /**< or NULL */
    const char *ca_file;            /**< or NULL */
    apr_interval_time_t timeout;
    const clerk_http *http;       /**< set in child_init */
    clerk_backend_state *state;   /**< in shared memory, set in post_config */
    clerk_backend_limits *limits; /**< the server's, set in post_config */
} clerk_backend_api;

/** Numbers for the status page: a copy. */
typedef struct clerk_backend_stats {
    apr_time_t open_until;       /**< the circuit that stays open longest; 0: all are closed */
    apr_uint32_t failures;       /**< the most in a row */
    apr_time_t left_alone_until; /**< because of a 429; 0: not */
    apr_uint64_t calls;
    apr_uint64_t rejected;
    apr_uint64_t shared;
    apr_uint64_t recalled;
} clerk_backend_stats;

void clerk_backend_api_get_stats(clerk_backend_stats *stats, const clerk_backend_api *api, apr_time_t now);

/**
 * Make a call with the secret key (protocol.md Appendix B), or use what another thread's call brings: one that
 * refreshes the same session with the same tokens, or verifies the same machine token, in any process, at the same time
 * or within the last ten seconds; or one for the same profile, at the same time or within the last two seconds.
 * Bounded by the timeout for waiting, and by the timeout again for the call itself. What the call's memory has is
 * looked up first, within the same bounds of how much happens at the same time.
 *
 * The call is held back, with status 0, where
 * - the circuit of its group is open: no response and 5xx are failures;
 * - Clerk said 429, for what strangers, new sessions and machines cause, for profiles and for checks: until its
 * Retry-After, at most five minutes;
 * - Clerk refused too many calls that were made for the group, the client's address or the user;
 * - there was no place in time: the number of calls under way and of threads that wait is bounded;
 * - Clerk has answered the nonce before.
 */
void clerk_backend_api_call(clerk_backend_api *api, clerk_backend_reply *reply, const clerk_backend_call *call,
                            apr_pool_t *pool);

#endif
