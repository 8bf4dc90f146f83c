/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_INSTANCE_BACKEND_API_H
#define CLERK_INSTANCE_BACKEND_API_H

#include <stdatomic.h>

#include "clerk/services.h"
#include "net/http.h"

/**
 * The circuit breaker of one Backend API, shared by all processes: a slow or broken API is not called for a while,
 * instead of holding a worker thread for each request. Zeroed shared memory; atomics only.
 */
typedef struct clerk_backend_breaker {
    _Atomic(apr_int64_t) open_until; /**< apr_time_t; calls before it fail at once */
    _Atomic(apr_uint32_t) failures;  /**< in a row; while the circuit is open, only probes count */
    _Atomic(apr_uint64_t) calls;
    _Atomic(apr_uint64_t) rejected; /**< calls not made: circuit open, or too many under way */
} clerk_backend_breaker;

/** How a process calls the Backend API of one instance. */
typedef struct clerk_backend_api {
    const char *name;    /**< the instance, for logs */
    const char *api_url; /**< no trailing '/' */
    const char *secret_key;
    const char *http_proxy; /**< or NULL */
    const char *ca_file;    /**< or NULL */
    apr_interval_time_t timeout;
    const clerk_http *http;                       /**< set in child_init */
    clerk_backend_breaker *breaker;               /**< in shared memory, set in post_config */
    _Atomic(int) under_way[CLERK_BACKEND_CAUSES]; /**< calls of this process */
} clerk_backend_api;

/** The most calls for each cause that a process makes at the same time: a slow API holds no more worker threads. */
#define CLERK_BACKEND_MAX_UNDER_WAY 4

/**
 * Make a call with the secret key (protocol.md Appendix B), at most for the timeout. No response and 5xx are failures.
 * After three failures in a row the circuit opens for 5 s, doubling to 60 s; after that, one call is made as a probe.
 * While the circuit is open, or CLERK_BACKEND_MAX_UNDER_WAY calls are under way, the reply has status 0 at once.
 */
void clerk_backend_api_call(clerk_backend_api *api, clerk_backend_reply *reply, const clerk_backend_call *call,
                            apr_pool_t *pool);

#endif
