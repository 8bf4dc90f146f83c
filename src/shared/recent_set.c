/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/recent_set.h"

#define WAYS 4
/* A word: the upper bits of the digest, and the minute in which it was added, which wraps after two years. */
#define MINUTE_BITS 20
#define MINUTE_MASK ((UINT64_C(1) << MINUTE_BITS) - 1)

typedef _Atomic apr_uint64_t word;

/* In minutes. 0 where it was added later than now: another process is a moment ahead, or the clock was set back. */
static apr_uint64_t age_of(apr_uint64_t value, apr_uint64_t minute)
{
    apr_uint64_t age = (minute - value) & MINUTE_MASK;

    return age <= MINUTE_MASK / 2 ? age : 0;
}

static int is_kept(apr_uint64_t value, apr_uint64_t minute, apr_uint64_t keep)
{
    return value && age_of(value, minute) <= keep;
}

/* The word to be taken: one that is free, else the oldest. */
static int choose(const apr_uint64_t values[WAYS], apr_uint64_t minute, apr_uint64_t keep)
{
    int chosen = 0;

    for (int way = 0; way < WAYS; way++) {
        if (!is_kept(values[way], minute, keep)) {
            return way;
        }
        if (age_of(values[way], minute) > age_of(values[chosen], minute)) {
            chosen = way;
        }
    }
    return chosen;
}

static int is_there(const word *set, apr_uint64_t values[WAYS], apr_uint64_t mine, apr_uint64_t keep)
{
    int found = 0;

    for (int way = 0; way < WAYS; way++) {
        values[way] = atomic_load(&set[way]);
        found |= !((values[way] ^ mine) & ~MINUTE_MASK) && is_kept(values[way], mine & MINUTE_MASK, keep);
    }
    return found;
}

int clerk_recent_set_add(clerk_recent_set set, apr_uint64_t digest, apr_time_t now, apr_interval_time_t keep)
{
    apr_uint64_t minute = (apr_uint64_t)(apr_time_sec(now) / 60) & MINUTE_MASK;
    apr_uint64_t kept = (apr_uint64_t)((apr_time_sec(keep) + 59) / 60);
    apr_uint64_t mine = (digest & ~MINUTE_MASK) | minute, values[WAYS];
    word *words = set.words + digest % (set.count / WAYS) * WAYS;

    while (!is_there(words, values, mine, kept)) {
        int way = choose(values, minute, kept);

        if (!atomic_compare_exchange_strong(&words[way], &values[way], mine)) {
            continue;
        }
        /* Another process may have added the same digest to another word meanwhile: the first word counts. */
        for (int before = 0; before < way; before++) {
            if (!((atomic_load(&words[before]) ^ mine) & ~MINUTE_MASK)) {
                return 0;
            }
        }
        return 1;
    }
    return 0;
}
