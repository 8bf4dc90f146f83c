/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEXT_CONTENT_POLICY_H
#define TEXT_CONTENT_POLICY_H

#include <apr_pools.h>

/* What a Content-Security-Policy field (CSP level 3) says about a script, a connection or a frame. */

/** What is asked for: the directives that decide, in the order in which they are looked for. */
typedef enum clerk_content_policy_use {
    CLERK_CONTENT_POLICY_SCRIPT,  /**< script-src-elem, script-src, default-src */
    CLERK_CONTENT_POLICY_CONNECT, /**< connect-src, default-src */
    CLERK_CONTENT_POLICY_FRAME    /**< frame-src, child-src, default-src */
} clerk_content_policy_use;

/** The nonce that scripts have under a field, which may hold several policies: that of the first. @return NULL: none */
const char *clerk_content_policy_nonce(const char *field, apr_pool_t *pool);

/**
 * Whether all policies of a field allow something.
 * @param origin where it is, `scheme://host[:port]`, lower case
 * @param own the origin of the page; 'self' is this one
 * @param nonce of a script that has one, else NULL
 */
int clerk_content_policy_allows(const char *field, clerk_content_policy_use use, const char *origin, const char *own,
                                const char *nonce, apr_pool_t *pool);

#endif
