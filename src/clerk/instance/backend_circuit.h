/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_INSTANCE_BACKEND_CIRCUIT_H
#define CLERK_INSTANCE_BACKEND_CIRCUIT_H

#include <stdatomic.h>

#include <apr_time.h>

/**
 * A circuit breaker, shared by all processes: calls that fail are not made for a while, instead of holding a worker
 * thread each. After three failures in a row the circuit opens for 5 s, doubling to 60 s; after that, one call is made
 * as a probe. Zeroed shared memory is a closed circuit; atomics only.
 */
typedef struct clerk_backend_circuit {
    _Atomic(apr_int64_t) open_until; /**< apr_time_t; calls before it fail at once */
    _Atomic(apr_uint32_t) failures;  /**< in a row; while the circuit is open, only probes count */
} clerk_backend_circuit;

/** Whether a call may be made; PROBE: the one call that finds out whether the API works again. */
typedef enum clerk_backend_admission {
    CLERK_BACKEND_REJECTED,
    CLERK_BACKEND_ADMITTED,
    CLERK_BACKEND_PROBE
} clerk_backend_admission;

/**
 * How long the circuit stays open from now on; 0: a call may be made.
 * @param timeout of one call
 */
apr_interval_time_t clerk_backend_circuit_pause(const clerk_backend_circuit *circuit, apr_time_t now,
                                                apr_interval_time_t timeout);

/** Whether a call may be made now: none while the circuit is open, one as a probe after the pause. */
clerk_backend_admission clerk_backend_circuit_admit(clerk_backend_circuit *circuit, apr_time_t now,
                                                    apr_interval_time_t timeout);

/** A call was answered. @return whether this closed the circuit */
int clerk_backend_circuit_succeed(clerk_backend_circuit *circuit);

/** A call got no answer, or a 5xx. @return whether this opened the circuit, which was closed until now */
int clerk_backend_circuit_fail(clerk_backend_circuit *circuit, clerk_backend_admission how, apr_time_t now);

#endif
