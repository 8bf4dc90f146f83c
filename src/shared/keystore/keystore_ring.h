/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_KEYSTORE_RING_H
#define SHARED_KEYSTORE_KEYSTORE_RING_H

/* Private to the key store: the parsed sets of one process, and who is using them. */

#include "shared/keystore/keystore_private.h"

/** One ring for each slot. @param process_pool lives as long as the process */
apr_status_t clerk_keystore_ring_create(keystore_ring **prings, unsigned int count, apr_pool_t *process_pool);

/**
 * Pin the newest set there is; parse the shared document if this process has not done so.
 * @param wait 0: who has an older set takes that one where another thread of this process is just parsing
 * @return 0 if there is no set to pin
 */
int clerk_keystore_ring_pin(clerk_keys_pin *pin, const clerk_keystore *store, unsigned int slot, int wait,
                            apr_pool_t *scratch);

/** Undo clerk_keystore_ring_pin(). Harmless for a pin that holds nothing. */
void clerk_keystore_ring_unpin(clerk_keys_pin *pin);

/** Whether the shared document as it is now was found damaged by this process. */
int clerk_keystore_ring_is_damaged(const clerk_keystore *store, unsigned int slot);

#endif
