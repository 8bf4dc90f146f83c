/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_TOKEN_RECORD_H
#define CLERK_SESSION_TOKEN_RECORD_H

#include "clerk/session/claims.h"
#include "clerk/session/identity.h"

/** What is remembered of a session token whose kind and signature are good. Its claims are judged for every request. */
typedef struct clerk_token_record {
    clerk_claims claims;
    clerk_identity identity; /**< without its payload, which the token itself has */
} clerk_token_record;

/**
 * Everything in one piece of memory that may be copied as it is, to another process of the same program too.
 * @return from @a pool, @a psize bytes
 */
void *clerk_token_record_pack(apr_size_t *psize, const clerk_token_record *verified, apr_pool_t *pool);

/**
 * Make a copy of such a piece usable where it is.
 * @param block aligned like a pointer; the caller's own, it is written to and used as long as the result
 * @param token the token it was made from, for the payload; must live as long as @a pool
 * @return the beginning of @a block, or NULL where it is not such a piece
 */
clerk_token_record *clerk_token_record_unpack(void *block, apr_size_t size, jose_slice token, apr_pool_t *pool);

#endif
