/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_TOKEN_CACHE_H
#define SHARED_TOKEN_CACHE_H

#include <apr_pools.h>

#include "jose/jose.h"

/*
 * What all processes of a server remember of tokens that one of them has verified, so that a browser that sends the
 * same token for a minute is parsed and verified once, whichever child it comes to.
 *
 * A token is remembered together with a value, of which this file only knows the size. It counts only where the whole
 * token is the same, byte for byte, for the same instance, under the same generation of its keys. What the token says
 * about time, parties and audience is not judged here: the caller judges it anew for every request.
 *
 * Records lie one behind the other in blocks of shared memory. A block that is full is followed by one in which all has
 * lapsed, if there is one, so that no more memory is touched than the tokens of about a minute take; else by the one
 * that was filled first. A lookup takes no lock and writes nothing; it copies a record and then looks whether its block
 * was being overwritten meanwhile. Who remembers never waits: while somebody else does, nothing is remembered.
 */
typedef struct clerk_token_cache clerk_token_cache;

/** The least memory that is of use. */
#define CLERK_TOKEN_CACHE_LEAST ((apr_size_t)64 * 1024)

/**
 * Lay out the memory, before the fork.
 * @param memory zeroed, aligned to 64 bytes, shared by all children; at least CLERK_TOKEN_CACHE_LEAST bytes
 * @param pool for the process's handle
 */
apr_status_t clerk_token_cache_create(clerk_token_cache **ptokens, void *memory, apr_size_t size, apr_pool_t *pool);

/** In each child, before it has threads. */
void clerk_token_cache_child_init(clerk_token_cache *tokens);

/**
 * What was put for this token.
 * @param instance who judged it
 * @param generation of the instance's keys now; 0 (no usable keys) finds nothing
 * @param psize bytes of the value
 * @return a copy from @a pool, aligned like a pointer; NULL where nothing is remembered
 */
void *clerk_token_cache_get(apr_size_t *psize, const clerk_token_cache *tokens, jose_slice token, unsigned int instance,
                            apr_uint32_t generation, apr_pool_t *pool);

/**
 * Remember a value for a token. What takes more than about a hundredth of the memory, and more than 16 KB, is not
 * remembered.
 * @param now and @a expires, after which nobody accepts the token any more: seconds since 1970
 * @param value @a size bytes
 * @return whether they are
 */
int clerk_token_cache_put(clerk_token_cache *tokens, jose_slice token, unsigned int instance, apr_uint32_t generation,
                          apr_int64_t expires, apr_int64_t now, const void *value, apr_size_t size);

#endif
