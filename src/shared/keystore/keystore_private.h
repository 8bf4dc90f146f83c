/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_KEYSTORE_PRIVATE_H
#define SHARED_KEYSTORE_KEYSTORE_PRIVATE_H

#include <stdatomic.h>

#include "shared/keystore/keys.h"
#include "shared/keystore/keystore_segment.h"

/* Private to the key store and its unit tests: its own types, without its functions, for the files below it. */

typedef struct keystore_ring keystore_ring;

struct clerk_keystore {
    void *memory;
    apr_size_t size;
    const clerk_key_source *const *sources;
    unsigned int count;
    const char *state_dir;
    apr_time_t (*now)(void); /* apr_time_now, unless a test lets the time pass */
    /* Per process: */
    const clerk_http *http; /* NULL before clerk_keystore_child_init() */
    keystore_ring *rings;   /* one a slot */
    atomic_int waiting;     /* threads that wait for a key set newer than the one there is */
};

static inline segment_slot *keystore_slot(const clerk_keystore *store, unsigned int i)
{
    return clerk_keystore_segment_slot(store->memory, i);
}

#endif
