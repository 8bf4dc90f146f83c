/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_ALLOWANCE_H
#define SHARED_ALLOWANCE_H

#include <stdatomic.h>

#include <apr_time.h>

/**
 * How often something may happen, counted over all processes: a burst, then one in each interval (the generic cell rate
 * algorithm). The word is the "theoretical arrival time" in microseconds since 1970; zeroed memory is an allowance of
 * which nothing has been used. One that no sequence of uses could have left behind is from before the clock was set
 * back and counts as unused.
 */
typedef _Atomic apr_int64_t clerk_allowance;

typedef struct clerk_allowance_rate {
    apr_interval_time_t interval;
    int burst;
} clerk_allowance_rate;

/** Whether there is one to use. */
int clerk_allowance_has(const clerk_allowance *allowance, clerk_allowance_rate rate, apr_time_t now);

/** What was reserved. */
typedef struct clerk_allowance_hold {
    apr_time_t due;            /**< what the word was right after that */
    apr_interval_time_t taken; /**< of the word; 0: nothing */
} clerk_allowance_hold;

/**
 * Use up @a count, or what is left of it, before it is known whether that many are needed.
 * @return 0 if there is none
 */
int clerk_allowance_reserve(clerk_allowance_hold *hold, clerk_allowance *allowance, clerk_allowance_rate rate,
                            int count, apr_time_t now);

/**
 * Give back all of it but @a used, less what time has given back since. Who never does (its process was killed) has
 * used it up.
 */
void clerk_allowance_give_back(clerk_allowance_hold *hold, clerk_allowance *allowance, clerk_allowance_rate rate,
                               int used, apr_time_t now);

/** Use up one. @return 0 if there is none */
int clerk_allowance_take(clerk_allowance *allowance, clerk_allowance_rate rate, apr_time_t now);

/** Use up @a count, or what is left of it: for what has happened already. */
void clerk_allowance_charge(clerk_allowance *allowance, clerk_allowance_rate rate, int count, apr_time_t now);

/** How long until there is one to use; 0: there is. */
apr_interval_time_t clerk_allowance_wait(const clerk_allowance *allowance, clerk_allowance_rate rate, apr_time_t now);

#endif
