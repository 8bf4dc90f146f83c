/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_LEASE_H
#define SHARED_LEASE_H

#include <stdatomic.h>

#include <apr.h>
#include <apr_time.h>

/**
 * A lock in shared memory that expires by itself, so that a process that is killed or stopped holds it for a bounded
 * time only. Zeroed memory is a free lease. Nothing here waits.
 *
 * One word: the time the lease expires at (units of 2^14 microseconds), the process id of its holder, and a number that
 * tells leases of one process apart. 0: free.
 */
typedef _Atomic apr_uint64_t clerk_lease;

/**
 * Take the lease if it is free or has expired. A lease that would last longer than @a duration is from before the clock
 * was set back and counts as expired.
 * @return the lease, for renewal and release; 0 if another thread or process has it
 */
apr_uint64_t clerk_lease_take(clerk_lease *lease, apr_time_t now, apr_interval_time_t duration);

/** Whether any thread or process has the lease. @param duration the longest it may last from now */
int clerk_lease_is_held(const clerk_lease *lease, apr_time_t now, apr_interval_time_t duration);

/** Renew the lease for @a duration from now. @return 0 if it was lost to another holder; *pmine is then 0 too */
int clerk_lease_renew(clerk_lease *lease, apr_uint64_t *pmine, apr_time_t now, apr_interval_time_t duration);

/** Release the lease, if it is still @a mine. 0 is never. */
void clerk_lease_release(clerk_lease *lease, apr_uint64_t mine);

/** Free the lease if the process that holds it has ended: one system call. @return whether it was freed */
int clerk_lease_free_if_dead(clerk_lease *lease);

#endif
