/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/places.h"

/* No place is taken for longer; what expires later is from before the clock was set back. */
#define LONGEST apr_time_from_sec(3600)

static int is_held(const clerk_place *place, apr_time_t now)
{
    return clerk_lease_is_held(&place->lease, now, LONGEST);
}

static unsigned int count_held(const clerk_places *places, apr_uint64_t owner, apr_time_t now)
{
    unsigned int held = 0;

    for (unsigned int i = 0; i < places->count; i++) {
        held += atomic_load(&places->at[i].owner) == owner && is_held(&places->at[i], now);
    }
    return held;
}

static apr_uint64_t take_any(clerk_place_ticket *ticket, const clerk_places *places, unsigned int usable,
                             apr_time_t now, apr_interval_time_t duration)
{
    for (unsigned int i = usable; i-- > 0 && !ticket->lease;) {
        ticket->place = &places->at[i];
        if (!is_held(ticket->place, now)) {
            ticket->lease = clerk_lease_take(&ticket->place->lease, now, duration);
        }
    }
    return ticket->lease;
}

int clerk_places_take(clerk_place_ticket *ticket, const clerk_places *places, unsigned int usable, apr_uint64_t owner,
                      apr_time_t now, apr_interval_time_t duration)
{
    static _Atomic unsigned int looked_at;

    ticket->lease = 0;
    if (!usable) {
        return 0;
    }
    if (!take_any(ticket, places, usable, now, duration)) {
        /* One place a try: threads that wait for a place try often, and each look is a system call. */
        (void)clerk_lease_free_if_dead(&places->at[atomic_fetch_add(&looked_at, 1) % usable].lease);
        return 0;
    }
    /* First the place gets its owner, then the owner's are counted: of two threads at once, one sees both places. */
    atomic_store(&ticket->place->owner, owner);
    if (count_held(places, owner, now) > places->most) {
        clerk_places_give_back(ticket);
        return 0;
    }
    return 1;
}

void clerk_places_give_back(clerk_place_ticket *ticket)
{
    if (ticket->lease) {
        clerk_lease_release(&ticket->place->lease, ticket->lease);
        ticket->lease = 0;
    }
}

unsigned int clerk_places_held(const clerk_places *places, apr_time_t now)
{
    unsigned int held = 0;

    for (unsigned int i = 0; i < places->count; i++) {
        held += is_held(&places->at[i], now);
    }
    return held;
}
