/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_KEYSTORE_H
#define SHARED_KEYSTORE_KEYSTORE_H

#include <apr_pools.h>
#include <apr_time.h>

#include "shared/keystore/keys.h"
#include "shared/keystore/statefile.h"
#include "shared/places.h"

/*
 * The key sets of all instances, shared by all processes.
 *
 * One memory segment, created before the fork, has a slot for each source. A slot holds two buffers for the canonical
 * document and a generation number whose lowest bit selects the published one. Readers never wait: they copy the
 * published buffer and check its digest and the generation. A writer fills the other buffer and then increments the
 * generation, so a writer that is killed half way leaves the published document intact.
 *
 * Only the holder of the slot's lease fetches; the lease is a time stamp that expires by itself. Each process keeps the
 * parsed key set of the last generation it has read.
 */

/** The size of a segment for @a sources slots, bytes. */
apr_size_t clerk_keystore_size(unsigned int sources);

/**
 * Lay out the segment and fill it with the last good documents from @a state. Parent process, before the fork.
 * A persisted file is used only if it is a regular file (no symbolic link), owned by this process's user or by the
 * children's, not writable by group or others, signed with the directory's key, for the same source id, and younger
 * than max_stale. Otherwise it is ignored with a warning.
 * @param memory zeroed, at least clerk_keystore_size(count) bytes, aligned for 64-bit atomics, shared by all children
 * @param sources array of @a count pointers, kept by reference
 * @param state the directory of the files, kept by reference; NULL: none
 * @param pool the configuration's pool
 */
apr_status_t clerk_keystore_create(clerk_keystore **pstore, void *memory, apr_size_t size,
                                   const clerk_key_source *const *sources, unsigned int count,
                                   const clerk_statefile_dir *state, apr_pool_t *pool);

/** How many of so many workers may wait for the first keys at the same time: three quarters, less the one that fetches
 * them. */
unsigned int clerk_keystore_waiters(unsigned int workers);

/** How many of these may wait where there are keys already: an eighth of the workers, less the one that fetches. */
unsigned int clerk_keystore_newer_waiters(unsigned int workers);

/**
 * Let threads of all processes wait for keys; of several sources one may have three quarters of the places. The other
 * threads go on with the keys there are, or with none after a second. Parent process, before the fork.
 * @param places clerk_keystore_waiters(workers) of them, zeroed, shared by all children
 */
void clerk_keystore_let_wait(clerk_keystore *store, clerk_place *places, unsigned int workers);

/** In each child, before it starts threads. @param http for the fetches @param process_pool lives as long as the child
 */
apr_status_t clerk_keystore_child_init(clerk_keystore *store, const clerk_http *http, apr_pool_t *process_pool);

/** Why keys are wanted. */
typedef enum clerk_keys_want {
    CLERK_KEYS_CURRENT,      /**< to verify a token */
    CLERK_KEYS_UNKNOWN_KID,  /**< the set of generation `seen` lacks the token's `kid` */
    CLERK_KEYS_BAD_SIGNATURE /**< the set of generation `seen` has the `kid`, but the signature is wrong */
} clerk_keys_want;

typedef enum clerk_keys_status {
    CLERK_KEYS_OK,          /**< the pin has a set */
    CLERK_KEYS_UNCHANGED,   /**< want was not CURRENT and there is nothing newer than `seen`; no set */
    CLERK_KEYS_UNAVAILABLE, /**< no keys: the source is down, or the last good ones are too old; no set */
    CLERK_KEYS_REFUSED      /**< no keys: the source does not accept *our* credential; no set */
} clerk_keys_status;

/**
 * Get a key set.
 *
 * CLERK_KEYS_CURRENT: with a usable set in this process, this takes a few atomic operations, no lock and no copy. In a
 * cold start one process fetches; the others wait for it, at most for the source's timeout and a moment to publish.
 *
 * CLERK_KEYS_UNKNOWN_KID, CLERK_KEYS_BAD_SIGNATURE: may cause an early fetch, within an allowance (a burst of 3, then
 * one in 10 s, per slot and for each of the two reasons, for all processes together; a BAD_SIGNATURE within 5 s after a
 * good fetch causes none). Waits for a fetch that is under way, never longer than the timeout. Without allowance it
 * returns at once, with a set that is newer than @a seen or with CLERK_KEYS_UNCHANGED.
 *
 * A fetch is good only if it gives at least one usable key: a good set is never replaced by an empty or broken one.
 * After a failure the source is not called for a while (back-off: 1 s, doubling to 60 s, with jitter), also not for
 * cold starts, which return UNAVAILABLE at once during that time.
 * @param pin filled in if the result is CLERK_KEYS_OK
 * @param scratch for temporary allocations
 */
clerk_keys_status clerk_keystore_acquire(clerk_keys_pin *pin, clerk_keystore *store, unsigned int slot,
                                         clerk_keys_want want, apr_uint32_t seen, apr_pool_t *scratch);

/**
 * Get the newest set for display, not for verification: it may be older than max_stale. Never fetches, never waits for
 * a fetch.
 * @return 0 if there is none; otherwise release the pin
 */
int clerk_keystore_peek(clerk_keys_pin *pin, clerk_keystore *store, unsigned int slot, apr_pool_t *scratch);

/**
 * The generation of the keys in use; 0 if there are none (none fetched yet, or too old). A cached token counts only for
 * the generation that verified it. Two atomic loads.
 */
apr_uint32_t clerk_keystore_generation(const clerk_keystore *store, unsigned int slot, apr_time_t now);

/** Give a set back. */
void clerk_keystore_release(clerk_keystore *store, clerk_keys_pin *pin);

/**
 * Refresh the key sets that are due. Called by the background thread of one process; harmless in several.
 * @return the interval after which to call again, 100 ms to 10 s
 */
apr_interval_time_t clerk_keystore_tick(clerk_keystore *store, apr_pool_t *scratch);

/** A copy of the state of a slot, for the status page and tests. */
typedef struct clerk_keystore_stats {
    apr_uint32_t generation; /**< 0: no keys yet */
    apr_time_t fetched_at;   /**< last good fetch, 0: never */
    apr_time_t next_refresh;
    apr_time_t failing_since; /**< 0: not failing */
    char last_error[160];     /**< "" when not failing; no secret in it */
    apr_uint64_t fetches;     /**< calls made, good or bad */
    apr_uint64_t failures;
    apr_uint64_t early_refreshes; /**< caused by unknown kids or bad signatures */
    apr_uint64_t early_refused;   /**< not made, because the allowance was used up */
} clerk_keystore_stats;

void clerk_keystore_get_stats(clerk_keystore_stats *stats, const clerk_keystore *store, unsigned int slot);
unsigned int clerk_keystore_count(const clerk_keystore *store);
const clerk_key_source *clerk_keystore_source(const clerk_keystore *store, unsigned int slot);

#endif
