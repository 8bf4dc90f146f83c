/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_ORGANIZATION_SYNC_H
#define CLERK_URL_ORGANIZATION_SYNC_H

#include <apr_tables.h>

/** Compiled patterns of ClerkOrganizationSync (protocol.md 10). Immutable. */
typedef struct clerk_organization_sync clerk_organization_sync;

/** What the URL asks for. */
typedef struct clerk_organization_target {
    int wanted;       /**< 0: nothing */
    const char *id;   /**< organization by id, or NULL */
    const char *slug; /**< organization by slug, or NULL; neither: the personal account */
} clerk_organization_target;

/**
 * Compile pattern lists. @a organizations and @a personal hold const char *, may be NULL.
 * @return NULL, or what is wrong with which pattern (from @a pool)
 */
const char *clerk_organization_sync_compile(clerk_organization_sync **psync, const apr_array_header_t *organizations,
                                            const apr_array_header_t *personal, apr_pool_t *pool);

/** Match a URL path as it stands (percent escapes not decoded, no query). */
clerk_organization_target clerk_organization_sync_match(const clerk_organization_sync *sync, const char *path,
                                                        apr_pool_t *pool);

#endif
