/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_TOKEN_CACHE_H
#define SHARED_TOKEN_CACHE_H

#include <apr_pools.h>

#include "jose/jose.h"

/**
 * The token cache: verified session tokens in shared memory. A browser sends the same token for about a minute; with
 * the cache it is parsed and verified once for all processes of the server.
 *
 * The key of a record is the whole token, byte for byte, together with the instance and the generation of that
 * instance's key set. The value is opaque here. The cache saves the parsing and the signature check; what depends on
 * the time or on the request (expiry, authorized parties, audience) the caller checks again for every request.
 *
 * A lookup takes no lock and never waits. put() never waits either: if another process or thread holds the write lock,
 * the token is not cached this time. token_cache.c says how that works.
 */
typedef struct clerk_token_cache clerk_token_cache;

/** The smallest size of the memory, bytes. */
#define CLERK_TOKEN_CACHE_SIZE_MIN ((apr_size_t)64 * 1024)

/**
 * Lay out the memory, before the fork.
 * @param memory zeroed, aligned to 64 bytes, shared by all children; at least CLERK_TOKEN_CACHE_SIZE_MIN bytes
 * @param pool for the process's handle
 */
apr_status_t clerk_token_cache_create(clerk_token_cache **pcache, void *memory, apr_size_t size, apr_pool_t *pool);

/** Call in each child, before it starts threads. Until then put() stores nothing. */
void clerk_token_cache_child_init(clerk_token_cache *cache);

/**
 * Look a token up.
 * @param instance number of the instance that verified it
 * @param generation generation of the instance's key set now; 0 (no usable keys) finds nothing
 * @param psize bytes of the value
 * @return a copy of the value from @a pool, aligned like a pointer; NULL if the token is not cached
 */
void *clerk_token_cache_get(apr_size_t *psize, const clerk_token_cache *cache, jose_slice token, unsigned int instance,
                            apr_uint32_t generation, apr_pool_t *pool);

/**
 * Store the value of a token. A record that is larger than a block (16 KB, or about a hundredth of the memory if that
 * is more) is not stored.
 * @param expires seconds since 1970 after which the record may be evicted first; only a hint, never a check
 * @param now seconds since 1970
 * @param value @a size bytes
 * @return whether the token is in the cache now
 */
int clerk_token_cache_put(clerk_token_cache *cache, jose_slice token, unsigned int instance, apr_uint32_t generation,
                          apr_int64_t expires, apr_int64_t now, const void *value, apr_size_t size);

#endif
