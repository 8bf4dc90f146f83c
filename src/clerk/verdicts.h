/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_VERDICTS_H
#define CLERK_VERDICTS_H

#include <stdatomic.h>

#include "clerk/outcome.h"

/** The number of clerk_status values. */
#define CLERK_STATUS_COUNT (CLERK_BAD_REQUEST + 1)

/**
 * Counters of the decisions for one instance, by status and reason, for all processes: zeroed shared memory, atomics
 * only. Nothing in it identifies a person.
 */
typedef struct clerk_verdicts {
    _Atomic(apr_uint64_t) count[CLERK_STATUS_COUNT][CLERK_REASON_COUNT];
    _Atomic(apr_uint64_t) accepted[CLERK_TOKEN_TYPES]; /**< requests signed in by a credential of this kind */
    _Atomic(apr_uint64_t) refused[CLERK_TOKEN_TYPES];  /**< and those whose credential was refused */
    _Atomic(apr_uint64_t) forbidden;                   /**< signed-in requests that a Require line refused */
    /* Hits and misses of the token cache: */
    _Atomic(apr_uint64_t) cache_hits;   /**< tokens found in the cache; they may have expired */
    _Atomic(apr_uint64_t) cache_misses; /**< signatures checked, good or bad, of sessions and of handshakes */
    _Atomic(apr_uint64_t) renewed;      /**< requests that an expired session was renewed for */
    _Atomic(apr_uint64_t) forms_kept;   /**< forms that wait in their page, because their session has expired */
    /* Of the cache of users' profiles: */
    _Atomic(apr_uint64_t) profile_hits;     /**< fresh profiles in the cache */
    _Atomic(apr_uint64_t) profile_misses;   /**< profiles that Clerk was asked for, or another request's answer used */
    _Atomic(apr_uint64_t) profile_failures; /**< and Clerk did not answer */
    _Atomic(apr_uint64_t) profile_kept;     /**< and an old profile was used instead */
    /* Of ClerkRevocationCheck: */
    _Atomic(apr_uint64_t) checks_made;    /**< sessions that Clerk was asked for, and said something of */
    _Atomic(apr_uint64_t) checks_over;    /**< and they were over */
    _Atomic(apr_uint64_t) checks_failed;  /**< sessions that Clerk said nothing of */
    _Atomic(apr_uint64_t) checks_known;   /**< sessions of which Clerk said more than that there is none */
    _Atomic(apr_uint64_t) checks_put_off; /**< sessions that found no place in the queue */
} clerk_verdicts;

/** Count a decision. Never waits; no memory ordering is implied. */
void clerk_verdicts_add(clerk_verdicts *verdicts, const clerk_outcome *outcome);

/** Increment one of the other counters. */
void clerk_verdicts_tick(_Atomic(apr_uint64_t) *counter);

/** The counter of a status and a reason; 0 for values out of range. */
apr_uint64_t clerk_verdicts_get(const clerk_verdicts *verdicts, clerk_status status, clerk_reason reason);

/** The name of a status on the status page: "signed_in", "signed_out", "handshake", "unavailable", "bad_request". */
const char *clerk_verdicts_name(clerk_status status);

#endif
