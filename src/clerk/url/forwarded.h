/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_FORWARDED_H
#define CLERK_URL_FORWARDED_H

#include <apr_pools.h>

/* What proxies say about the URL that the browser has requested. A client can write the same fields. */

/** From X-Forwarded-Proto, -Host and -Port, or from Forwarded. A member is NULL where nothing is said. */
typedef struct clerk_forwarded {
    const char *proto;
    const char *host; /**< may end in `:port` */
    const char *port; /**< of X-Forwarded-Port; Forwarded has it in `host` */
} clerk_forwarded;

/**
 * Read the first element of a Forwarded field (RFC 7239, section 4), which the proxy nearest to the client has written:
 * its `proto` and `host`, in lower case, from @a pool.
 * @return all NULL if the element is malformed or names a parameter twice
 */
clerk_forwarded clerk_forwarded_read(const char *field, apr_pool_t *pool);

/**
 * The origin that a proxy says the browser has requested, in its normal form.
 * @param said what the proxy says
 * @param scheme if the proxy does not say http or https
 * @param host the Host field, if the proxy does not say the host; or NULL
 * @return NULL if that is no valid origin
 */
const char *clerk_forwarded_origin(const clerk_forwarded *said, const char *scheme, const char *host, apr_pool_t *pool);

#endif
