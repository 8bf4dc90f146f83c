/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_KEYSTORE_FETCH_H
#define SHARED_KEYSTORE_KEYSTORE_FETCH_H

/* Private to the key store: when to fetch, who fetches, and the processing of the response. */

#include "shared/keystore/keystore_private.h"

typedef enum fetch_outcome {
    FETCH_DONE,    /**< our fetch has ended; the slot has the result */
    FETCH_BUSY,    /**< another process or thread fetches, or has just done so; look at the slot again */
    FETCH_BACKOFF, /**< the source has failed and is not called during the back-off time */
    FETCH_REFUSED, /**< over the allowance for early fetches */
    FETCH_ABORTED  /**< this process is stopping */
} fetch_outcome;

/**
 * Fetch the keys of a slot, unless a fetch is under way.
 * @param attempts the slot's `attempts` at the time when the caller decided to fetch; if another fetch has ended since,
 *        nothing is done: FETCH_BUSY
 * @param allowance the allowance to use up, or SEGMENT_ALLOWANCES for none
 * @param timeout at most this long; also never longer than the source's timeout
 */
fetch_outcome clerk_keystore_fetch(clerk_keystore *store, unsigned int slot, apr_uint32_t attempts,
                                   segment_allowance allowance, apr_interval_time_t timeout, apr_pool_t *scratch);

/** Whether a fetch for this slot is under way, in any process. */
int clerk_keystore_fetch_under_way(const clerk_keystore *store, unsigned int slot);

/** Whether the source of the slot has failed and is not to be called yet. */
int clerk_keystore_fetch_in_backoff(const clerk_keystore *store, unsigned int slot, apr_time_t now);

/** How long until the background refresh is due; 0: it is. An impossible time (the clock was set back) counts as due.
 */
apr_interval_time_t clerk_keystore_fetch_due_in(const clerk_keystore *store, unsigned int slot, apr_time_t now);

#endif
