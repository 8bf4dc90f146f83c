/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_REVOCATION_LOG_H
#define SHARED_REVOCATION_LOG_H

#include "shared/revocations.h"

/** How many revocations the log remembers. */
#define CLERK_REVOCATION_LOG_ENTRIES 900

typedef struct clerk_revocation_log_entry {
    _Atomic apr_uint64_t number; /**< one more than its number in the log; 0: it is being written */
    _Atomic apr_uint64_t place;
    _Atomic apr_uint64_t name; /**< the time above the tag */
    _Atomic apr_uint64_t family;
    _Atomic apr_int64_t noted; /**< when it was appended: perhaps long after the time of the revocation */
} clerk_revocation_log_entry;

/**
 * The latest revocations of this machine, for the other servers of a fleet. Zeroed shared memory; nothing here waits.
 * What is pushed out while others may not have read it yet leaves its time as a floor, as in clerk_revocations.
 */
typedef struct clerk_revocation_log {
    _Atomic apr_uint64_t appended; /**< revocations since the memory was made */
    _Atomic apr_int64_t floor;
    clerk_revocation_log_entry entries[CLERK_REVOCATION_LOG_ENTRIES];
} clerk_revocation_log;

/**
 * @param now seconds since 1970
 * @param since what was appended before that has been read by everybody
 */
void clerk_revocation_log_append(clerk_revocation_log *log, const clerk_revocation *revocation, apr_int64_t now,
                                 apr_int64_t since);

/** What a list is complete for: the revocations from number `first` to the one before `appended`. */
typedef struct clerk_revocation_log_range {
    apr_uint64_t first;
    apr_uint64_t appended;
    apr_int64_t floor; /**< for who has not read those before */
} clerk_revocation_log_range;

/**
 * Copy what was appended at @a since or later, however old it was then: Clerk repeats messages for days.
 * @param list has room for CLERK_REVOCATION_LOG_ENTRIES
 * @return how many there are
 */
int clerk_revocation_log_list(const clerk_revocation_log *log, clerk_revocation *list, apr_int64_t since,
                              clerk_revocation_log_range *range);

/** How far the log of another machine was read. Zeroed: not at all. One thread at a time changes it. */
typedef struct clerk_revocation_log_mark {
    _Atomic apr_uint64_t id;   /**< of the log: not 0 */
    _Atomic apr_uint64_t read; /**< the next number */
} clerk_revocation_log_mark;

typedef enum clerk_revocation_log_reading {
    CLERK_REVOCATION_LOG_FOLLOWS, /**< nothing is missing between the list and what was read before */
    CLERK_REVOCATION_LOG_GAP,     /**< something may be missing: the floor counts */
    CLERK_REVOCATION_LOG_OLDER    /**< the list is an older one than was read before: there is a newer one */
} clerk_revocation_log_reading;

/** Note that a list of the log @a id was read. @return what it was */
clerk_revocation_log_reading clerk_revocation_log_mark_read(clerk_revocation_log_mark *mark, apr_uint64_t id,
                                                            const clerk_revocation_log_range *range);

#endif
