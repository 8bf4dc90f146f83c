/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_COOKIES_COOKIE_HEADER_H
#define CLERK_COOKIES_COOKIE_HEADER_H

#include <apr_pools.h>

#include "jose/jose.h"

/* The one reader of Cookie headers (protocol.md 2.3). */

/** One cookie as it stands in the header. */
typedef struct clerk_raw_cookie {
    jose_slice name;
    jose_slice value;
} clerk_raw_cookie;

/** Take the next cookie off @a pheader; segments without '=' are skipped. @return 0 at the end */
int clerk_cookie_header_next(clerk_raw_cookie *cookie, const char **pheader);

/**
 * A cookie's value percent-decoded, all or nothing: where anything is wrong, or would not be text, it stays as it is.
 * @return from @a pool
 */
const char *clerk_cookie_header_value(jose_slice value, apr_pool_t *pool);

/**
 * The first cookie of that name, decoded (protocol.md 2.3), from @a pool.
 * @return NULL where it is absent or empty
 */
const char *clerk_cookie_header_find(const char *header, const char *name, apr_pool_t *pool);

/**
 * A Cookie header without Clerk's credentials (ClerkStripCredentials): `__session`, `__refresh`, `__clerk_db_jwt`,
 * `__clerk_handshake` and `__clerk_handshake_nonce`, with any suffix behind an underscore. All others stay as they
 * stand. A comma separates cookies too, because httpd joins repeated Cookie fields with one.
 * @return @a header itself where nothing is to be taken out, else from @a pool; NULL where nothing is left
 */
const char *clerk_cookie_header_strip(const char *header, apr_pool_t *pool);

#endif
