/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_FLEET_H
#define HTTPD_PROCESS_FLEET_H

#include "httpd/process/fleet_values.h"
#include "httpd/process/socache.h"
#include "shared/revocation_log.h"

/*
 * The servers of a fleet tell each other what was revoked, through the store of ClerkSOCache.
 *
 * Such a store has neither lists nor counters, and two servers that change one value lose what one of them wrote. So
 * each server writes a value of its own, a lane: its latest revocations, all of them each time. The others read it once
 * in ClerkRevocationPoll, and put what they find into their own tables.
 *
 * Which lanes there are to read stands in one more value, the directory. All servers change that; whoever is not in it
 * any more, as another one changed it at the same time or the store was restarted, adds itself again at its next look.
 * A lane that another server has seen in it once is read until its time is over, whatever the directory says later.
 *
 * Each server reads its own lane too, last, and writes it again if it finds something else there. That it finds what it
 * has written is how it knows that the store works. What the others have revoked is known if this and each lane of the
 * directory was found, and none was an older one than before. Where a store has lost what it had, the servers that were
 * there before are waited for, as they may have revoked something in the meantime.
 *
 * All of this is done by one background thread of the machine, never by a request. Values carry an HMAC: see socache.h.
 */

/** How long a revocation is in the store at least. */
#define CLERK_FLEET_KEPT apr_time_from_sec(600)

/** What a server knows about a lane. */
typedef struct clerk_fleet_place {
    clerk_revocation_log_mark mark;
    _Atomic apr_int64_t until; /**< when it need not be read any more */
} clerk_fleet_place;

/** Zeroed memory that all processes share. Only the background thread changes it, but for the log. */
typedef struct clerk_fleet_memory {
    clerk_revocation_log log;
    _Atomic apr_uint64_t id;      /**< of this server: random */
    _Atomic apr_uint64_t lane;    /**< where it writes */
    _Atomic apr_uint64_t written; /**< revocations that are in the store */
    _Atomic apr_uint64_t tried;   /**< revocations that there were when the lane was written */
    _Atomic apr_int64_t written_at;
    _Atomic apr_int64_t polled_at;
    _Atomic apr_int64_t known_at;  /**< when a look that found all lanes began last; 0: never */
    _Atomic apr_uint64_t servers;  /**< found by then, this one included */
    _Atomic apr_int64_t state;     /**< of the store: what was logged last */
    _Atomic apr_int64_t misses;    /**< looks since the last one that found all lanes */
    _Atomic apr_int64_t kept_from; /**< since when the store keeps what is written to it */
    clerk_fleet_place places[CLERK_FLEET_LANES];
} clerk_fleet_memory;

typedef struct clerk_fleet {
    clerk_fleet_memory *memory; /**< NULL: this server is alone */
    clerk_socache *cache;
    const clerk_revocations *revocations;
    server_rec *server;
    apr_interval_time_t poll; /**< ClerkRevocationPoll */
    int closed;               /**< ClerkRevocationFailure closed */
} clerk_fleet;

/** Parent process, before the fork. @return an error if the system has no random numbers */
apr_status_t clerk_fleet_open(clerk_fleet *fleet);

/** Note a revocation of this machine for the others. */
void clerk_fleet_note(const clerk_fleet *fleet, const clerk_revocation *revocation);

/** What is due now. In the background: it waits for the store. @return when to come again */
apr_interval_time_t clerk_fleet_tick(const clerk_fleet *fleet, apr_pool_t *scratch);

/** How long a store may be silent under `closed`, before requests are answered with 503. */
static inline apr_interval_time_t clerk_fleet_patience(const clerk_fleet *fleet)
{
    return 3 * fleet->poll + apr_time_from_sec(2);
}

/** Whether what the other servers have revoked is known here, but for what they said in the last moment. */
static inline int clerk_fleet_is_known(const clerk_fleet *fleet, apr_time_t now)
{
    apr_time_t known = atomic_load_explicit(&fleet->memory->known_at, memory_order_relaxed);

    /* Somebody may have set the clock back. */
    return known && now - known <= clerk_fleet_patience(fleet) && known - now <= clerk_fleet_patience(fleet);
}

#endif
