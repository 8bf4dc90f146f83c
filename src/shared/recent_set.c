/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/recent_set.h"

#define WAYS 4
/* A word: the upper half of the digest, and the second in which it was added. */
#define TAG_MASK (~UINT64_C(0xffffffff))

typedef _Atomic apr_uint64_t word;

/* In seconds; below 0 where it was added later than now: another process is a moment ahead, or the clock was set back.
 */
static apr_int64_t age_of(apr_uint64_t value, apr_uint64_t second)
{
    return (apr_int64_t)second - (apr_int64_t)(value & ~TAG_MASK);
}

static int is_kept(apr_uint64_t value, apr_uint64_t second, apr_int64_t keep)
{
    apr_int64_t age = age_of(value, second);

    return value && age <= keep && -age <= keep;
}

/* The word to be taken: one that is free, else the oldest. */
static int choose(const apr_uint64_t values[WAYS], apr_uint64_t second, apr_int64_t keep)
{
    int chosen = 0;

    for (int way = 0; way < WAYS; way++) {
        if (!is_kept(values[way], second, keep)) {
            return way;
        }
        if (age_of(values[way], second) > age_of(values[chosen], second)) {
            chosen = way;
        }
    }
    return chosen;
}

static int is_there(const word *set, apr_uint64_t values[WAYS], apr_uint64_t mine, apr_int64_t keep)
{
    int found = 0;

    for (int way = 0; way < WAYS; way++) {
        values[way] = atomic_load(&set[way]);
        found |= !((values[way] ^ mine) & TAG_MASK) && is_kept(values[way], mine & ~TAG_MASK, keep);
    }
    return found;
}

int clerk_recent_set_add(clerk_recent_set set, apr_uint64_t digest, apr_time_t now, apr_interval_time_t keep)
{
    apr_uint64_t second = (apr_uint64_t)apr_time_sec(now) & ~TAG_MASK;
    apr_int64_t kept = apr_time_sec(keep + APR_USEC_PER_SEC - 1);
    apr_uint64_t mine = (digest & TAG_MASK) | second, values[WAYS];
    word *words = set.words + digest % (set.count / WAYS) * WAYS;

    while (!is_there(words, values, mine, kept)) {
        int way = choose(values, second, kept);

        if (!atomic_compare_exchange_strong(&words[way], &values[way], mine)) {
            continue;
        }
        /* Another process may have added the same digest to another word meanwhile: the first word counts. */
        for (int before = 0; before < way; before++) {
            apr_uint64_t other = atomic_load(&words[before]);

            if (!((other ^ mine) & TAG_MASK) && is_kept(other, second, kept)) {
                return 0;
            }
        }
        return 1;
    }
    return 0;
}
