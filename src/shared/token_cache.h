/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_TOKEN_CACHE_H
#define SHARED_TOKEN_CACHE_H

#include <apr_pools.h>
#include <apr_time.h>

#include "jose/jose.h"

/*
 * What one process remembers of tokens it has verified, so that a browser that sends the same token for a minute is parsed and
 * verified once. A table of fixed size, filled on demand; a lookup takes no lock and copies nothing.
 *
 * An entry is found by a keyed hash of the token's last bytes (the signature's, so nobody can aim at a bucket) and counts only where the
 * whole token is the same, byte for byte, for the same instance, under the same generation of its keys. What the token says about
 * time, parties and audience is not judged here: the caller judges it anew for every request.
 */
typedef struct clerk_token_cache clerk_token_cache;

/** A process's default number of entries. One takes about 5 KB while it is filled. */
#define CLERK_TOKEN_CACHE_ENTRIES 4096

/**
 * @param entries rounded up to a power of two, at least 8
 * @param process_pool lives as long as the process and outlives all request pools
 */
apr_status_t clerk_token_cache_create(clerk_token_cache **pcache, unsigned int entries, apr_pool_t *process_pool);

/**
 * What was put for this token, or NULL. It stays valid until @a pool is cleared, whatever happens to the entry meanwhile.
 * @param instance who judged it
 * @param generation of the instance's keys now; 0 (no usable keys) finds nothing
 */
const void *clerk_token_cache_get(clerk_token_cache *cache, jose_slice token, unsigned int instance,
                                  apr_uint32_t generation, apr_pool_t *pool);

/**
 * Remember a value for a token. Never waits: where another thread is just putting one, this one is dropped.
 * @param expires when the entry is worth nothing any more
 * @param value the cache's from now on, in every case
 * @param destroy frees it, once nobody uses it; may be called by any thread
 */
void clerk_token_cache_put(clerk_token_cache *cache, jose_slice token, unsigned int instance, apr_uint32_t generation,
                           apr_time_t expires, void *value, void (*destroy)(void *value));

/** How many entries are filled, for the status page and tests. */
unsigned int clerk_token_cache_count(const clerk_token_cache *cache);

#endif
