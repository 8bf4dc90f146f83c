/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_TOKEN_RECORD_H
#define CLERK_SESSION_TOKEN_RECORD_H

#include "clerk/session/claims.h"
#include "clerk/session/identity.h"

/**
 * What the token cache keeps of a token: its claims and the identity in them. Only tokens of the right kind with a
 * good signature, and opaque tokens that Clerk has confirmed, are cached. The claims are checked again for every
 * request.
 */
typedef struct clerk_token_record {
    clerk_claims claims;
    clerk_identity identity; /**< without its payload, which is decoded from the token where it is needed */
} clerk_token_record;

/**
 * Serialize a record into one block of memory that may be copied byte by byte, also to another process of the same
 * program.
 * @return from @a pool, @a psize bytes
 */
void *clerk_token_record_pack(apr_size_t *psize, const clerk_token_record *record, apr_pool_t *pool);

/**
 * Deserialize a copy of a packed record, in place.
 * @param block aligned like a pointer; the caller's own, it is written to and must live as long as the result
 * @param token the token that the record was made from, for the payload; must live as long as @a pool
 * @return the beginning of @a block, or NULL if it is no packed record
 */
clerk_token_record *clerk_token_record_unpack(void *block, apr_size_t size, jose_slice token, apr_pool_t *pool);

#endif
