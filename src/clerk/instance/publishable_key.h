/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_INSTANCE_PUBLISHABLE_KEY_H
#define CLERK_INSTANCE_PUBLISHABLE_KEY_H

#include <apr_pools.h>

typedef enum clerk_instance_type {
    CLERK_INSTANCE_PRODUCTION,
    CLERK_INSTANCE_DEVELOPMENT
} clerk_instance_type;

/**
 * Parse a publishable key (protocol.md 1.1). Stricter than the SDK: it must encode a plain host[:port].
 * @param ptype the type of the instance, from the prefix
 * @param phost the host of the frontend API, from @a pool
 * @param key the key, already trimmed
 * @return NULL, or what is wrong (static text)
 */
const char *clerk_publishable_key_parse(clerk_instance_type *ptype, const char **phost, const char *key,
                                        apr_pool_t *pool);

/** The cookie suffix of a key as written (protocol.md 1.5): eight characters and a NUL. */
void clerk_publishable_key_suffix(char suffix[9], const char *key);

/** The Account Portal's base URL for a frontend API host (protocol.md 1.6), from @a pool. */
const char *clerk_publishable_key_account_portal(const char *frontend_host, apr_pool_t *pool);

#endif
