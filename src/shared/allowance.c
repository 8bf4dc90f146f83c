/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/allowance.h"

/* When the next use would be due at a steady rate. */
static apr_time_t due_at(apr_time_t stored, clerk_allowance_rate rate, apr_time_t now)
{
    return stored < now || stored > now + rate.burst * rate.interval ? now : stored;
}

static apr_interval_time_t wait_for(apr_time_t due, clerk_allowance_rate rate, apr_time_t now)
{
    apr_interval_time_t wait = due - now - (rate.burst - 1) * rate.interval;

    return wait > 0 ? wait : 0;
}

apr_interval_time_t clerk_allowance_wait(const clerk_allowance *allowance, clerk_allowance_rate rate, apr_time_t now)
{
    return wait_for(due_at(atomic_load(allowance), rate, now), rate, now);
}

int clerk_allowance_has(const clerk_allowance *allowance, clerk_allowance_rate rate, apr_time_t now)
{
    return clerk_allowance_wait(allowance, rate, now) == 0;
}

int clerk_allowance_take(clerk_allowance *allowance, clerk_allowance_rate rate, apr_time_t now)
{
    apr_int64_t stored = atomic_load(allowance);
    apr_time_t due;

    do {
        due = due_at(stored, rate, now);
        if (wait_for(due, rate, now) > 0) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak(allowance, &stored, due + rate.interval));
    return 1;
}

void clerk_allowance_charge(clerk_allowance *allowance, clerk_allowance_rate rate, int count, apr_time_t now)
{
    apr_int64_t stored = atomic_load(allowance);
    apr_time_t due, most = now + rate.burst * rate.interval;

    do {
        due = due_at(stored, rate, now) + count * rate.interval;
    } while (!atomic_compare_exchange_weak(allowance, &stored, due < most ? due : most));
}
