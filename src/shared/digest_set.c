/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/digest_set.h"

#include <stddef.h>

#define WAYS 4

/* The words that a digest can be in. */
static _Atomic apr_uint64_t *ways_of(clerk_digest_set set, apr_uint64_t digest)
{
    return set.words + digest / WAYS % (set.count / WAYS) * WAYS;
}

static _Atomic apr_uint64_t *find(clerk_digest_set set, apr_uint64_t digest)
{
    _Atomic apr_uint64_t *ways = ways_of(set, digest);

    for (int way = 0; way < WAYS; way++) {
        if (atomic_load(&ways[way]) == digest) {
            return &ways[way];
        }
    }
    return NULL;
}

int clerk_digest_set_has(clerk_digest_set set, apr_uint64_t digest)
{
    return find(set, digest) != NULL;
}

void clerk_digest_set_add(clerk_digest_set set, apr_uint64_t digest)
{
    _Atomic apr_uint64_t *ways = ways_of(set, digest);

    if (find(set, digest)) {
        return;
    }
    for (int way = 0; way < WAYS; way++) {
        apr_uint64_t empty = 0;

        if (atomic_compare_exchange_strong(&ways[way], &empty, digest)) {
            return;
        }
    }
    atomic_store(&ways[digest >> 62], digest);
}

void clerk_digest_set_remove(clerk_digest_set set, apr_uint64_t digest)
{
    _Atomic apr_uint64_t *word = find(set, digest);

    if (word) {
        atomic_compare_exchange_strong(word, &digest, 0);
    }
}
