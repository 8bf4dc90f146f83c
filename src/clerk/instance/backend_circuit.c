/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/instance/backend_circuit.h"

#define FAILURES_TO_OPEN 3
#define FIRST_PAUSE apr_time_from_sec(5)
#define LONGEST_PAUSE apr_time_from_sec(60)

/* How long the circuit stays open after so many failures. */
static apr_interval_time_t pause_after(apr_uint32_t failures)
{
    apr_interval_time_t pause = FIRST_PAUSE;

    for (apr_uint32_t i = FAILURES_TO_OPEN; i < failures && pause < LONGEST_PAUSE; i++) {
        pause *= 2;
    }
    return pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
}

apr_interval_time_t clerk_backend_circuit_pause(const clerk_backend_circuit *circuit, apr_time_t now,
                                                apr_interval_time_t timeout)
{
    apr_time_t open_until = atomic_load(&circuit->open_until);

    /* A time further away than any pause is from before the clock was set back. */
    return now < open_until && open_until - now <= LONGEST_PAUSE + timeout ? open_until - now : 0;
}

clerk_backend_admission clerk_backend_circuit_admit(clerk_backend_circuit *circuit, apr_time_t now,
                                                    apr_interval_time_t timeout)
{
    apr_int64_t open_until = atomic_load(&circuit->open_until);

    if (!open_until) {
        return CLERK_BACKEND_ADMITTED;
    }
    if (clerk_backend_circuit_pause(circuit, now, timeout) > 0) {
        return CLERK_BACKEND_REJECTED;
    }
    /* Of several callers, the one that moves the time on makes the probe. */
    return atomic_compare_exchange_strong(&circuit->open_until, &open_until, now + timeout) ? CLERK_BACKEND_PROBE
                                                                                            : CLERK_BACKEND_REJECTED;
}

int clerk_backend_circuit_succeed(clerk_backend_circuit *circuit)
{
    /* Check open_until as well: fail() sets it after the count, and another call may have reset that. */
    if (atomic_exchange(&circuit->failures, 0) < FAILURES_TO_OPEN && !atomic_load(&circuit->open_until)) {
        return 0;
    }
    atomic_store(&circuit->open_until, 0);
    return 1;
}

int clerk_backend_circuit_fail(clerk_backend_circuit *circuit, clerk_backend_admission how, apr_time_t now)
{
    apr_uint32_t failures = atomic_load(&circuit->failures);

    /* Calls that were under way when the circuit opened are not counted when they fail too: only a probe prolongs the
     * pause. */
    do {
        if (failures >= FAILURES_TO_OPEN && how != CLERK_BACKEND_PROBE) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak(&circuit->failures, &failures, failures + 1));
    failures++;
    if (failures >= FAILURES_TO_OPEN) {
        atomic_store(&circuit->open_until, now + pause_after(failures));
    }
    return failures == FAILURES_TO_OPEN;
}
