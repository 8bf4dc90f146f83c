/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_SINGLE_FLIGHT_H
#define SHARED_SINGLE_FLIGHT_H

#include <apr_pools.h>

#include "shared/lease.h"

/*
 * Single flight over all processes: of all threads that need the answer to the same question at the same time, one gets
 * it, the leader, and the others use what it published. The answer is remembered for a while.
 *
 * A table in shared memory has an entry for each question: its key (a SHA-256 digest), the leader's lease, and the
 * answer. The lease expires by itself and ends with the leader's process, so that a leader that is killed is replaced
 * by one of the threads that wait. A lock, itself a lease, is held while an entry is found, claimed or copied: a few
 * microseconds, never during a call. Lock and lease keep writers apart from readers unless a process is stopped for
 * longer than they last; for that case each answer carries a digest over its key and its bytes, and one whose digest is
 * wrong is not used. So no question ever gets another one's answer.
 *
 * Answers are secrets. They are overwritten with zeros when their time is over: when the entry is used again, or by
 * clerk_single_flight_wipe().
 */
typedef struct clerk_single_flight clerk_single_flight;

/** Bytes of a key. */
#define CLERK_SINGLE_FLIGHT_KEY 32
/** The longest answer that can be published, bytes. */
#define CLERK_SINGLE_FLIGHT_ANSWER_MAX 16384

/** Bytes for a table of @a entries. Only what was written to is resident. */
apr_size_t clerk_single_flight_size(unsigned int entries);

/**
 * The handle of a table. Parent process, before the fork.
 * @param memory zeroed, aligned to 64 bytes, shared by all children, clerk_single_flight_size(entries) bytes
 */
clerk_single_flight *clerk_single_flight_create(void *memory, unsigned int entries, apr_pool_t *pool);

typedef enum clerk_single_flight_state {
    CLERK_SINGLE_FLIGHT_LEADER,   /**< find the answer, then publish it or give up: one of the two, always */
    CLERK_SINGLE_FLIGHT_PENDING,  /**< another thread is about to; ask again soon */
    CLERK_SINGLE_FLIGHT_ANSWERED, /**< here it is */
    CLERK_SINGLE_FLIGHT_FULL      /**< every entry has a leader at work; find the answer alone */
} clerk_single_flight_state;

/** What one thread asks. Zeroed but for the key before the first time. */
typedef struct clerk_single_flight_ticket {
    unsigned char key[CLERK_SINGLE_FLIGHT_KEY];
    unsigned int entry; /**< its number plus 1, where known; a hint unless there is a lease */
    apr_uint64_t lease; /**< the leader's */
    const void *answer; /**< ANSWERED: a copy from the pool */
    apr_size_t len;
    apr_time_t until; /**< ANSWERED: how long it is remembered */
} clerk_single_flight_ticket;

/**
 * Ask. Does not wait, but for microseconds.
 * @param lease for how long a leader may take at most
 * @param pool for the copy of the answer
 */
clerk_single_flight_state clerk_single_flight_ask(clerk_single_flight_ticket *ticket, clerk_single_flight *table,
                                                  apr_time_t now, apr_interval_time_t lease, apr_pool_t *pool);

/**
 * The leader's answer, to be remembered until @a until.
 * @return 0 if it is not: it is too long, or the lease was lost to another leader. Either way the caller is the leader
 * no longer.
 */
int clerk_single_flight_publish(clerk_single_flight_ticket *ticket, clerk_single_flight *table, const void *answer,
                                apr_size_t len, apr_time_t now, apr_time_t until);

/** The leader has no answer and publishes nothing: the next thread that asks becomes the leader. */
void clerk_single_flight_give_up(clerk_single_flight_ticket *ticket, clerk_single_flight *table);

/** Overwrite the answers whose time is over. @return how many there were */
unsigned int clerk_single_flight_wipe(clerk_single_flight *table, apr_time_t now);

#endif
