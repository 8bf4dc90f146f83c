/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_KEYSTORE_PRIVATE_H
#define SHARED_KEYSTORE_KEYSTORE_PRIVATE_H

#include <stdatomic.h>

#include "shared/keystore/keys.h"
#include "shared/keystore/keystore_segment.h"
#include "shared/keystore/statefile.h"
#include "shared/places.h"

/* The types that the files of the key store share. Private to them and to their unit tests. */

typedef struct keystore_ring keystore_ring;

struct clerk_keystore {
    void *memory;
    apr_size_t size;
    const clerk_key_source *const *sources;
    unsigned int count;
    const clerk_statefile_dir *state; /* NULL: no files */
    apr_time_t (*now)(void);          /* apr_time_now, unless a test lets the time pass */
    clerk_places waiting;             /* for the threads that wait for keys, of all slots */
    unsigned int newer_waiters;       /* how many of them may wait where there are keys already */
    /* Per process: */
    const clerk_http *http; /* NULL before clerk_keystore_child_init() */
    keystore_ring *rings;   /* one for each slot */
};

static inline segment_slot *keystore_slot(const clerk_keystore *store, unsigned int i)
{
    return clerk_keystore_segment_slot(store->memory, i);
}

#endif
