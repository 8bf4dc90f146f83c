/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_KEYSTORE_RING_H
#define SHARED_KEYSTORE_KEYSTORE_RING_H

/* Private to the key store: the parsed key sets of one process, with a count of the threads that use each. */

#include "shared/keystore/keystore_private.h"

/** One ring for each slot. @param process_pool lives as long as the process */
apr_status_t clerk_keystore_ring_create(keystore_ring **prings, unsigned int count, apr_pool_t *process_pool);

/**
 * Pin the newest set, which takes parsing the shared document if this process has not done that yet.
 * @param wait whether to wait while another thread of this process parses it; 0: pin an older set if there is one
 * @return 0 if there is no set to pin
 */
int clerk_keystore_ring_pin(clerk_keys_pin *pin, const clerk_keystore *store, unsigned int slot, int wait,
                            apr_pool_t *scratch);

/** Undo clerk_keystore_ring_pin(). Harmless for a pin that holds nothing. */
void clerk_keystore_ring_unpin(clerk_keys_pin *pin);

/** Whether this process has found the published document damaged. */
int clerk_keystore_ring_is_damaged(const clerk_keystore *store, unsigned int slot);

#endif
