/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_COOKIES_COOKIE_HEADER_H
#define CLERK_COOKIES_COOKIE_HEADER_H

#include <apr_pools.h>

#include "jose/jose.h"

/* Reading Cookie headers (protocol.md 2.3). */

/** One cookie as in the header, not decoded. */
typedef struct clerk_raw_cookie {
    jose_slice name;
    jose_slice value;
} clerk_raw_cookie;

/**
 * The fields of a request in one header (protocol.md 2.3). httpd joins several Cookie fields with ", " before any
 * module sees them; the cookies of the second field would be part of the last value of the first. So a comma and a
 * space with a cookie's name and '=' behind them become "; ". Clerk's own values have no comma in them.
 * @param header as httpd gives it, or NULL
 * @return @a header itself if there is nothing to change, else from @a pool
 */
const char *clerk_cookie_header_join(const char *header, apr_pool_t *pool);

/** Read the next cookie and move @a pheader behind it; segments without '=' are skipped. @return 0 at the end */
int clerk_cookie_header_next(clerk_raw_cookie *cookie, const char **pheader);

/**
 * Percent-decode the value of a cookie. If anything in it cannot be decoded to UTF-8, the whole value is left as it is.
 * @return from @a pool
 */
const char *clerk_cookie_header_value(jose_slice value, apr_pool_t *pool);

/**
 * The first cookie of that name, decoded (protocol.md 2.3), from @a pool.
 * @return NULL if it is absent or empty
 */
const char *clerk_cookie_header_find(const char *header, const char *name, apr_pool_t *pool);

/**
 * A Cookie header without Clerk's credentials (ClerkStripCredentials): `__session`, `__refresh`, `__clerk_db_jwt`,
 * `__clerk_handshake` and `__clerk_handshake_nonce`, also with `_` and any suffix. All other cookies stay byte for
 * byte. A comma separates cookies too, because httpd joins repeated Cookie fields with one.
 * @return @a header itself if there is nothing to remove, else from @a pool; NULL if nothing is left
 */
const char *clerk_cookie_header_strip(const char *header, apr_pool_t *pool);

#endif
