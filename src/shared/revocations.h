/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_REVOCATIONS_H
#define SHARED_REVOCATIONS_H

#include <stdatomic.h>

#include <apr.h>

/**
 * What was revoked and when, in shared memory of bounded size. A revocation has a name and a time: what was issued
 * under this name at that time or before is not good any more. Times are whole seconds since 1970, and the second of
 * the revocation itself counts as before, as nobody knows what came first within it.
 *
 * Adding a revocation twice, late, or after a newer one of the same name changes nothing that matters: the newest time
 * of a name counts. So the order in which they arrive does not matter.
 *
 * The memory is sets of places, and the `place` of a name says in which set it is. Nothing is removed. Where a set is
 * full, its oldest revocation gives way, and the set keeps its time as a floor: whatever belongs to this set and was
 * issued at that time or before counts as revoked from then on. So a revocation is never lost; it only becomes less
 * precise, and names beside it that were not revoked have to be issued anew, once.
 *
 * Zeroed memory is a table without revocations. Nothing here waits or takes a lock; a revocation counts, for all
 * processes, when clerk_revocations_add() has returned.
 */
typedef struct clerk_revocations {
    struct clerk_revocations_head *head;
    _Atomic apr_uint64_t *words;
    apr_uint64_t sets; /**< a power of two */
} clerk_revocations;

/** Places in a set, which is 64 bytes. */
#define CLERK_REVOCATIONS_WAYS 7

/** Names that are asked for in different requests: those of users, and those of organizations. */
typedef enum clerk_revocations_family {
    CLERK_REVOCATIONS_OF_USERS,
    CLERK_REVOCATIONS_OF_ORGANIZATIONS,
    CLERK_REVOCATIONS_FAMILIES
} clerk_revocations_family;

/** A revocation. */
typedef struct clerk_revocation {
    clerk_revocations_family family;
    apr_uint64_t place; /**< a digest: what is asked for together has the same */
    apr_uint32_t tag;   /**< a digest of the name */
    apr_uint32_t at;    /**< not 0 */
} clerk_revocation;

typedef struct clerk_revocations_head {
    /** From this second on everything that was issued is good; 0: everything is. */
    _Atomic apr_int64_t good_from[CLERK_REVOCATIONS_FAMILIES];
    /** The floor of all sets: what was issued at this time or before counts as revoked; 0: none. */
    _Atomic apr_int64_t floor;
    _Atomic apr_uint64_t given_way; /**< revocations that became the floor of their set */
} clerk_revocations_head;

/** Bytes of memory for so many sets, a power of two. */
apr_size_t clerk_revocations_size(apr_uint64_t sets);

/** @param memory zeroed, aligned to 64 bytes, shared by all processes */
void clerk_revocations_use(clerk_revocations *revocations, void *memory, apr_uint64_t sets);

void clerk_revocations_add(const clerk_revocations *revocations, const clerk_revocation *revocation);

/** Let everything that was issued at this second or before count as revoked: for what may have been missed. */
void clerk_revocations_raise_floor(const clerk_revocations *revocations, apr_int64_t at);

/** Lower that floor to this second, if it is later: a clock that is wrong for a moment shall not refuse everybody for
 * long. */
void clerk_revocations_lower_floor(const clerk_revocations *revocations, apr_int64_t at);

/** Whether everything of a family that was issued at this second is good. One load: ask this first. */
static inline int clerk_revocations_is_good(const clerk_revocations *revocations, clerk_revocations_family family,
                                            apr_int64_t issued)
{
    return issued >= atomic_load_explicit(&revocations->head->good_from[family], memory_order_acquire);
}

/**
 * Whether one of several names was revoked when what was issued at @a issued was there already.
 * @param tags of the names, which all have this place
 */
int clerk_revocations_have(const clerk_revocations *revocations, apr_uint64_t place, const apr_uint32_t *tags,
                           int count, apr_int64_t issued);

/** How many revocations have a time of their own that is not before @a since. Reads the whole table. */
apr_uint64_t clerk_revocations_held(const clerk_revocations *revocations, apr_int64_t since);

/** Numbers for the status page, which cost nothing. */
typedef struct clerk_revocations_stats {
    apr_uint64_t capacity;  /**< places */
    apr_uint64_t given_way; /**< revocations, since the table was made, that became the floor of their set */
    apr_int64_t newest;     /**< seconds since 1970 of the newest revocation; 0: there was none */
} clerk_revocations_stats;

void clerk_revocations_get_stats(clerk_revocations_stats *stats, const clerk_revocations *revocations);

#endif
