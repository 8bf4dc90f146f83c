/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_VERDICTS_H
#define CLERK_VERDICTS_H

#include <stdatomic.h>

#include "clerk/outcome.h"

/** How many values clerk_status has. */
#define CLERK_STATUS_COUNT (CLERK_BAD_REQUEST + 1)

/**
 * How often each verdict was given on one instance's behalf, by all processes: zeroed shared memory, atomics only.
 * Numbers, nothing about who it was.
 */
typedef struct clerk_verdicts {
    _Atomic(apr_uint64_t) count[CLERK_STATUS_COUNT][CLERK_REASON_COUNT];
    _Atomic(apr_uint64_t) forbidden; /**< of those signed in: refused by a Require */
    /* How the tokens were found good: */
    _Atomic(apr_uint64_t) recalled; /**< some process of this server had verified it; its times may have lapsed */
    _Atomic(apr_uint64_t) unknown;  /**< a signature had to be checked, good or bad, a handshake's too */
} clerk_verdicts;

/** Count a verdict. Never waits; orders nothing. */
void clerk_verdicts_add(clerk_verdicts *verdicts, const clerk_outcome *outcome);

/** Count one of the others. */
void clerk_verdicts_tick(_Atomic(apr_uint64_t) *counter);

/** How often a status came out for a reason; values out of range: 0. */
apr_uint64_t clerk_verdicts_get(const clerk_verdicts *verdicts, clerk_status status, clerk_reason reason);

/** A status as the status page names it: "signed_in", "signed_out", "handshake", "unavailable", "bad_request". */
const char *clerk_verdicts_name(clerk_status status);

#endif
