/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_FLEET_VALUES_H
#define HTTPD_PROCESS_FLEET_VALUES_H

#include "httpd/process/socache.h"
#include "shared/revocation_log.h"

/* What the servers of a fleet keep in their store: see fleet.h. These functions wait for the store. */

/** How many lanes there are: one for each server, and some for those that were restarted lately. */
#define CLERK_FLEET_LANES 64
/** How long a lane stays in the store. */
#define CLERK_FLEET_VALUES_STORED apr_time_from_sec(780)

/** A lane as it was read: a server, and what it has revoked lately. */
typedef struct clerk_fleet_lane {
    apr_uint64_t id; /**< of the server: not 0 */
    clerk_revocation_log_range range;
    const unsigned char *entries;
    apr_size_t count;
} clerk_fleet_lane;

/** @return 0: there is none */
int clerk_fleet_values_read_lane(clerk_fleet_lane *lane, clerk_socache *cache, apr_uint64_t number, apr_pool_t *pool);

/** A revocation of a lane; its time may be 0. */
clerk_revocation clerk_fleet_values_get(const clerk_fleet_lane *lane, apr_size_t i);

/**
 * Write a log into a lane.
 * @param since seconds since 1970: what was appended before is left out
 * @param pappended how many revocations the lane is complete for
 */
apr_status_t clerk_fleet_values_write_lane(apr_uint64_t *pappended, clerk_socache *cache, apr_uint64_t number,
                                           apr_uint64_t id, const clerk_revocation_log *log, apr_int64_t since,
                                           apr_pool_t *pool);

/** Which lanes have to be read. */
typedef struct clerk_fleet_directory {
    apr_time_t until[CLERK_FLEET_LANES]; /**< 0: not at all */
} clerk_fleet_directory;

/** All zero if there is none. */
void clerk_fleet_values_read_directory(clerk_fleet_directory *directory, clerk_socache *cache, apr_pool_t *pool);

apr_status_t clerk_fleet_values_write_directory(clerk_socache *cache, const clerk_fleet_directory *directory,
                                                apr_pool_t *pool);

#endif
