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

static apr_time_t sooner(apr_time_t one, apr_time_t other)
{
    return one < other ? one : other;
}

int clerk_allowance_reserve(clerk_allowance_hold *hold, clerk_allowance *allowance, clerk_allowance_rate rate,
                            int count, apr_time_t now)
{
    apr_int64_t stored = atomic_load(allowance);

    do {
        apr_time_t due = due_at(stored, rate, now);

        *hold = (clerk_allowance_hold){0, 0};
        if (wait_for(due, rate, now) > 0) {
            return 0;
        }
        hold->due = sooner(due + count * rate.interval, now + rate.burst * rate.interval);
        hold->taken = hold->due - due;
    } while (!atomic_compare_exchange_weak(allowance, &stored, hold->due));
    return 1;
}

void clerk_allowance_give_back(clerk_allowance_hold *hold, clerk_allowance *allowance, clerk_allowance_rate rate,
                               int used, apr_time_t now)
{
    /* Without the reservation the word would be lower by what was taken, but not lower than the clock was since. */
    apr_interval_time_t back = sooner(hold->taken - used * rate.interval, hold->due - now);

    if (hold->taken && back > 0) {
        atomic_fetch_sub(allowance, back);
    }
    hold->taken = 0;
}

int clerk_allowance_take(clerk_allowance *allowance, clerk_allowance_rate rate, apr_time_t now)
{
    clerk_allowance_hold hold;

    return clerk_allowance_reserve(&hold, allowance, rate, 1, now);
}

void clerk_allowance_charge(clerk_allowance *allowance, clerk_allowance_rate rate, int count, apr_time_t now)
{
    apr_int64_t stored = atomic_load(allowance);
    apr_time_t due, most = now + rate.burst * rate.interval;

    do {
        due = due_at(stored, rate, now) + count * rate.interval;
    } while (!atomic_compare_exchange_weak(allowance, &stored, sooner(due, most)));
}
