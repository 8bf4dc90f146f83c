/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/revocations.h"

#include <stddef.h>

/* A set is a cache line: its floor, and its places. A place is 0, or the time of a revocation above its tag. */
#define WORDS (CLERK_REVOCATIONS_WAYS + 1)
#define LINE 64

_Static_assert(WORDS * sizeof(apr_uint64_t) == LINE, "a set is a cache line");
_Static_assert(sizeof(clerk_revocations_head) <= LINE, "the head is a cache line");

typedef _Atomic apr_uint64_t word;

static apr_int64_t time_of(apr_uint64_t value)
{
    return (apr_int64_t)(value >> 32);
}

static apr_uint32_t tag_of(apr_uint64_t value)
{
    return (apr_uint32_t)value;
}

static word *set_of(const clerk_revocations *revocations, apr_uint64_t place)
{
    return &revocations->words[(place & (revocations->sets - 1)) * WORDS];
}

apr_size_t clerk_revocations_size(apr_uint64_t sets)
{
    return LINE + (apr_size_t)sets * LINE;
}

void clerk_revocations_use(clerk_revocations *revocations, void *memory, apr_uint64_t sets)
{
    revocations->head = memory;
    revocations->words = (word *)(void *)((char *)memory + LINE);
    revocations->sets = sets;
}

static void raise_time(_Atomic apr_int64_t *time, apr_int64_t to)
{
    apr_int64_t seen = atomic_load(time);

    while (seen < to && !atomic_compare_exchange_weak(time, &seen, to)) {
    }
}

static void raise_word(word *floor, apr_uint64_t to)
{
    apr_uint64_t seen = atomic_load(floor);

    while (seen < to && !atomic_compare_exchange_weak(floor, &seen, to)) {
    }
}

/*
 * The place for a revocation: the one that has its name, else a free one, else that of the oldest. NULL: all others are
 * newer.
 */
static word *choose(word *set, const clerk_revocation *revocation, apr_uint64_t *pseen)
{
    word *oldest = NULL;

    for (int way = 1; way < WORDS; way++) {
        apr_uint64_t seen = atomic_load(&set[way]);

        if (seen && tag_of(seen) == revocation->tag) {
            *pseen = seen;
            return &set[way];
        }
        if (!oldest || time_of(seen) < time_of(*pseen)) {
            oldest = &set[way];
            *pseen = seen;
        }
    }
    return time_of(*pseen) < (apr_int64_t)revocation->at ? oldest : NULL;
}

/* @return 0: another process has changed the set meanwhile */
static int try_to_add(const clerk_revocations *revocations, word *set, const clerk_revocation *revocation)
{
    apr_uint64_t seen = 0, mine = (apr_uint64_t)revocation->at << 32 | revocation->tag;
    word *place = choose(set, revocation, &seen);
    int is_same = place && seen && tag_of(seen) == revocation->tag;

    if (is_same && time_of(seen) >= (apr_int64_t)revocation->at) {
        return 1;
    }
    if (!is_same && (!place || seen)) {
        /* The floor first: what gives way counts at every moment. */
        raise_word(&set[0], place ? (apr_uint64_t)time_of(seen) : revocation->at);
        atomic_fetch_add(&revocations->head->given_way, 1);
    }
    return !place || atomic_compare_exchange_strong(place, &seen, mine);
}

void clerk_revocations_add(const clerk_revocations *revocations, const clerk_revocation *revocation)
{
    word *set = set_of(revocations, revocation->place);

    while (!try_to_add(revocations, set, revocation)) {
    }
    /* Last: who sees this sees the place too. */
    raise_time(&revocations->head->good_from[revocation->family], (apr_int64_t)revocation->at + 1);
}

void clerk_revocations_lower_floor(const clerk_revocations *revocations, apr_int64_t at)
{
    apr_int64_t floor = atomic_load(&revocations->head->floor);

    while (floor > at && !atomic_compare_exchange_weak(&revocations->head->floor, &floor, at)) {
    }
}

void clerk_revocations_raise_floor(const clerk_revocations *revocations, apr_int64_t at)
{
    raise_time(&revocations->head->floor, at);
    for (int family = 0; family < CLERK_REVOCATIONS_FAMILIES; family++) {
        raise_time(&revocations->head->good_from[family], at + 1);
    }
}

static int is_below(apr_int64_t floor, apr_int64_t issued)
{
    return floor && issued <= floor;
}

int clerk_revocations_have(const clerk_revocations *revocations, apr_uint64_t place, const apr_uint32_t *tags,
                           int count, apr_int64_t issued)
{
    const word *set = set_of(revocations, place);

    if (is_below(atomic_load(&revocations->head->floor), issued)
        || is_below((apr_int64_t)atomic_load(&set[0]), issued)) {
        return 1;
    }
    for (int way = 1; way < WORDS; way++) {
        apr_uint64_t value = atomic_load(&set[way]);

        if (!value || issued > time_of(value)) {
            continue;
        }
        for (int i = 0; i < count; i++) {
            if (tags[i] == tag_of(value)) {
                return 1;
            }
        }
    }
    /* A place that was read as it gave way: its time is in the floor by now. */
    return is_below((apr_int64_t)atomic_load(&set[0]), issued);
}

apr_uint64_t clerk_revocations_held(const clerk_revocations *revocations, apr_int64_t since)
{
    apr_uint64_t held = 0;

    for (apr_uint64_t set = 0; set < revocations->sets; set++) {
        for (int way = 1; way < WORDS; way++) {
            apr_uint64_t value = atomic_load_explicit(&revocations->words[set * WORDS + way], memory_order_relaxed);

            held += value && time_of(value) >= since;
        }
    }
    return held;
}

void clerk_revocations_get_stats(clerk_revocations_stats *stats, const clerk_revocations *revocations)
{
    stats->capacity = revocations->sets * CLERK_REVOCATIONS_WAYS;
    stats->given_way = atomic_load(&revocations->head->given_way);
    stats->newest = 0;
    for (int family = 0; family < CLERK_REVOCATIONS_FAMILIES; family++) {
        apr_int64_t newest = atomic_load(&revocations->head->good_from[family]) - 1;

        stats->newest = newest > stats->newest ? newest : stats->newest;
    }
}
