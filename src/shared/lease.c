/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/lease.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* A lock would be each process's own. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "atomic operations on 64 bits need no lock");

/* 38 bits of time last until 2112. No process id of Linux takes more than 22 bits; other systems have smaller ones. */
#define TIME_UNIT_BITS 14
#define PROCESS_BITS 22
#define NUMBER_BITS 4
#define PROCESS_MASK ((APR_UINT64_C(1) << PROCESS_BITS) - 1)
#define NUMBER_MASK ((APR_UINT64_C(1) << NUMBER_BITS) - 1)

static apr_time_t expiry_of(apr_uint64_t lease)
{
    return (apr_time_t)(lease >> (PROCESS_BITS + NUMBER_BITS)) << TIME_UNIT_BITS;
}

static apr_uint64_t make(apr_time_t expires, apr_uint64_t holder)
{
    return (apr_uint64_t)(expires >> TIME_UNIT_BITS) << (PROCESS_BITS + NUMBER_BITS) | holder;
}

static apr_uint64_t holder_of(apr_uint64_t lease)
{
    return lease & (PROCESS_MASK << NUMBER_BITS | NUMBER_MASK);
}

static int is_valid(apr_uint64_t lease, apr_time_t now, apr_interval_time_t duration)
{
    apr_time_t expires = expiry_of(lease);

    return expires > now && expires - now <= duration;
}

int clerk_lease_is_held(const clerk_lease *lease, apr_time_t now, apr_interval_time_t duration)
{
    return is_valid(atomic_load(lease), now, duration);
}

apr_uint64_t clerk_lease_take(clerk_lease *lease, apr_time_t now, apr_interval_time_t duration)
{
    static _Atomic apr_uint64_t number;
    apr_uint64_t seen = atomic_load(lease), mine;

    if (is_valid(seen, now, duration)) {
        return 0;
    }
    mine = make(now + duration,
                ((apr_uint64_t)getpid() & PROCESS_MASK) << NUMBER_BITS | (atomic_fetch_add(&number, 1) & NUMBER_MASK));
    return atomic_compare_exchange_strong(lease, &seen, mine) ? mine : 0;
}

int clerk_lease_renew(clerk_lease *lease, apr_uint64_t *pmine, apr_time_t now, apr_interval_time_t duration)
{
    apr_uint64_t seen = *pmine, renewed = make(now + duration, holder_of(seen));

    *pmine = seen && atomic_compare_exchange_strong(lease, &seen, renewed) ? renewed : 0;
    return *pmine != 0;
}

void clerk_lease_release(clerk_lease *lease, apr_uint64_t mine)
{
    if (mine) {
        atomic_compare_exchange_strong(lease, &mine, 0);
    }
}

int clerk_lease_free_if_dead(clerk_lease *lease)
{
    apr_uint64_t seen = atomic_load(lease);
    pid_t holder = (pid_t)(seen >> NUMBER_BITS & PROCESS_MASK);

    /* Another process may have the id by now: then the lease expires in time. */
    return holder && kill(holder, 0) != 0 && errno == ESRCH && atomic_compare_exchange_strong(lease, &seen, 0);
}
