/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_PLACES_H
#define SHARED_PLACES_H

#include "shared/lease.h"

/**
 * Places in shared memory: how many threads of all processes may do something at the same time. A place is a lease, so
 * one that a killed process held becomes free again. Zeroed memory is free places. Nothing here waits.
 */
typedef struct clerk_place {
    clerk_lease lease;
    _Atomic apr_uint64_t owner; /**< on whose behalf it is held: see clerk_places_take() */
} clerk_place;

/** A place that is held. */
typedef struct clerk_place_ticket {
    clerk_place *place;
    apr_uint64_t lease; /**< 0: none is held */
} clerk_place_ticket;

/** Which places may be taken, and how many of them for one owner. */
typedef struct clerk_places {
    clerk_place *at;
    unsigned int count;
    unsigned int most; /**< for one owner */
} clerk_places;

/**
 * Take one of the first @a usable places. Callers with a small @a usable leave the places behind it to the callers that
 * may use all, and these take those first.
 * @param owner whose places are counted together; never more than `most`, so that of two callers at the same moment
 * both may be refused
 * @param duration for which the place is held at most
 * @return 0 if none is free, or the owner holds as many as one may
 */
int clerk_places_take(clerk_place_ticket *ticket, const clerk_places *places, unsigned int usable, apr_uint64_t owner,
                      apr_time_t now, apr_interval_time_t duration);

/** Give a place back, if it is still ours. */
void clerk_places_give_back(clerk_place_ticket *ticket);

/** How many are held; for the status page and tests. */
unsigned int clerk_places_held(const clerk_places *places, apr_time_t now);

#endif
