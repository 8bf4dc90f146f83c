/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SERVICES_H
#define CLERK_SERVICES_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "clerk/session/token_record.h"
#include "jose/jose.h"
#include "shared/keystore/keystore.h"

/** Who is behind a call: calls that anybody can cause have places of their own and take none from the others. */
typedef enum clerk_backend_cause {
    CLERK_BACKEND_FOR_SESSION, /**< somebody whose token had a good signature: a refresh */
    CLERK_BACKEND_FOR_ANYBODY, /**< whoever sent a cookie or a URL: a handshake nonce */
    CLERK_BACKEND_CAUSES
} clerk_backend_cause;

/** One call to the Backend API. */
typedef struct clerk_backend_call {
    clerk_backend_cause cause;
    const char *method;
    const char
        *path; /**< below the API origin, with version and query, such as "/v1/clients/handshake_payload?nonce=n" */
    const char *json; /**< body, or NULL */
} clerk_backend_call;

typedef struct clerk_backend_reply {
    int status; /**< HTTP status; 0: no answer (network, time-out, circuit open) */
    const char *body;
    apr_size_t body_len;
} clerk_backend_reply;

/** What the decision procedure needs from outside. Bound to one instance; a table of fakes in unit tests. */
typedef struct clerk_services {
    void *baton;
    apr_time_t now; /**< the clock, read once a request */
    /** As clerk_keystore_acquire(). */
    clerk_keys_status (*acquire_keys)(void *baton, clerk_keys_pin *pin, clerk_keys_want want, apr_uint32_t seen,
                                      apr_pool_t *pool);
    void (*release_keys)(void *baton, clerk_keys_pin *pin);
    /**
     * Call the Backend API with the instance's secret key; NULL where there is none. @a reply is never NULL and from
     * @a pool.
     */
    void (*backend)(void *baton, clerk_backend_reply *reply, const clerk_backend_call *call, apr_pool_t *pool);

    /*
     * What was verified before, under the instance's keys as they are now. Both are there, or both are NULL. Only
     * session tokens that passed every check of their kind and signature are ever remembered; their claims are judged
     * for each request.
     */

    /** What is remembered of the token: a copy of the caller's own, from @a pool; or NULL. */
    clerk_token_record *(*recall)(void *baton, jose_slice token, apr_pool_t *pool);
    /**
     * Remember a token that was verified under the keys of that generation.
     * @param lapses when it is worth nothing any more, in seconds since 1970
     * @param pool for temporary allocations
     */
    void (*remember)(void *baton, jose_slice token, apr_uint32_t generation, apr_int64_t lapses,
                     const clerk_token_record *verified, apr_pool_t *pool);
} clerk_services;

#endif
