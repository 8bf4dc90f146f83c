/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_DIGEST_SET_H
#define SHARED_DIGEST_SET_H

#include <stdatomic.h>

#include <apr.h>

/**
 * A set of 64-bit digests in shared memory, of bounded size: a digest can be in one of four words, and one that is
 * added where all four are taken replaces another. So the set forgets, and it never contains what was not added. Zeroed
 * memory is an empty set; 0 is no digest. Nothing here waits.
 */
typedef struct clerk_digest_set {
    _Atomic apr_uint64_t *words;
    apr_size_t count; /**< of the words, a multiple of four */
} clerk_digest_set;

int clerk_digest_set_has(clerk_digest_set set, apr_uint64_t digest);
void clerk_digest_set_add(clerk_digest_set set, apr_uint64_t digest);
void clerk_digest_set_remove(clerk_digest_set set, apr_uint64_t digest);

#endif
