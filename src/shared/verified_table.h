/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_VERIFIED_TABLE_H
#define SHARED_VERIFIED_TABLE_H

#include <apr_pools.h>

#include "jose/jose.h"

/*
 * Which tokens some process of this server has verified: a table in shared memory that spares a cold child the signature check. It holds
 * 192 bits of a digest under a key made at start, never a token; entries are overwritten when room is needed. No lock: an entry that is torn
 * by two writers matches no digest.
 */
typedef struct clerk_verified_table clerk_verified_table;

/** A token's digest, made once and used for both calls. */
typedef struct clerk_verified_digest {
    apr_uint64_t words[4];
} clerk_verified_digest;

/** Bytes for @a entries entries. */
apr_size_t clerk_verified_table_size(apr_size_t entries);

/**
 * Lay the table out, before the fork.
 * @param memory zeroed, aligned for 64-bit atomics, shared by all children; at least clerk_verified_table_size(8) bytes, all of it is used
 * @param pool for the process's handle
 */
apr_status_t clerk_verified_table_create(clerk_verified_table **ptable, void *memory, apr_size_t size, apr_pool_t *pool);

/** The digest of a token. @return 0 where the crypto library fails */
int clerk_verified_table_digest(clerk_verified_digest *digest, const clerk_verified_table *table, jose_slice token,
                                unsigned int instance);

/** Whether a token of that digest was verified under this generation of the instance's keys. */
int clerk_verified_table_has(const clerk_verified_table *table, const clerk_verified_digest *digest,
                             apr_uint32_t generation);

/** Say so. @param expires seconds since 1970; the entry that lapses first makes room */
void clerk_verified_table_add(clerk_verified_table *table, const clerk_verified_digest *digest, apr_uint32_t generation,
                              apr_int64_t expires);

#endif
