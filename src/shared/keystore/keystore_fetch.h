/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_KEYSTORE_FETCH_H
#define SHARED_KEYSTORE_KEYSTORE_FETCH_H

/* Private to the key store: who fetches, when, and what becomes of the answer. */

#include "shared/keystore/keystore_private.h"

typedef enum fetch_outcome {
    FETCH_DONE,    /**< a fetch of ours has ended; the slot says how */
    FETCH_BUSY,    /**< somebody else fetches, or has just finished; look at the slot again */
    FETCH_BACKOFF, /**< the source failed a moment ago and is left alone */
    FETCH_REFUSED, /**< over the allowance for early fetches */
    FETCH_ABORTED  /**< this process is stopping */
} fetch_outcome;

/**
 * Fetch, if nobody does.
 * @param attempts the slot's `attempts` when the caller decided that a fetch is needed; if one has ended since then,
 *        nothing is done: FETCH_BUSY
 * @param allowance the allowance to use up, or SEGMENT_ALLOWANCES for none
 * @param timeout at most this long; also never longer than the source's timeout
 */
fetch_outcome clerk_keystore_fetch(clerk_keystore *store, unsigned int slot, apr_uint32_t attempts,
                                   segment_allowance allowance, apr_interval_time_t timeout, apr_pool_t *scratch);

/** Whether somebody fetches for this slot. */
int clerk_keystore_fetch_under_way(const clerk_keystore *store, unsigned int slot);

/** Whether the slot's source is left alone because it failed. */
int clerk_keystore_fetch_in_backoff(const clerk_keystore *store, unsigned int slot, apr_time_t now);

/** How long until the background refresh is due, 0 if it is. A time that cannot be (the clock was set back) is due. */
apr_interval_time_t clerk_keystore_fetch_due_in(const clerk_keystore *store, unsigned int slot, apr_time_t now);

/** A URL without user, password and query, for logs. */
const char *clerk_keystore_fetch_printable_url(const char *url, apr_pool_t *pool);

#endif
