/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_ORGANIZATION_SYNC_H
#define CLERK_URL_ORGANIZATION_SYNC_H

#include <apr_tables.h>

/** Compiled patterns of ClerkOrganizationSync (protocol.md 10). Immutable. */
typedef struct clerk_organization_sync clerk_organization_sync;

/** The organization that a URL asks for. */
typedef struct clerk_organization_target {
    int wanted;           /**< 0: none */
    const char *id;       /**< organization by id, or NULL */
    const char *slug;     /**< organization by slug, or NULL; neither: the personal account */
    const char *given_up; /**< a pattern that took too long on this path and counts as no match, or NULL */
} clerk_organization_target;

/**
 * Compile pattern lists. @a organizations and @a personal are of const char * and may be NULL.
 * @return NULL, or which pattern is wrong and why (from @a pool)
 */
const char *clerk_organization_sync_compile(clerk_organization_sync **psync, const apr_array_header_t *organizations,
                                            const apr_array_header_t *personal, apr_pool_t *pool);

/** Match a URL path without query; percent escapes are not decoded. */
clerk_organization_target clerk_organization_sync_match(const clerk_organization_sync *sync, const char *path,
                                                        apr_pool_t *pool);

#endif
