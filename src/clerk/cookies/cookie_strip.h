/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_COOKIES_COOKIE_STRIP_H
#define CLERK_COOKIES_COOKIE_STRIP_H

#include <apr_pools.h>

/**
 * A Cookie header without Clerk's credentials (ClerkStripCredentials): `__session`, `__refresh`, `__clerk_db_jwt`,
 * `__clerk_handshake` and `__clerk_handshake_nonce`, with any suffix behind an underscore. All others stay as they
 * stand. A comma separates cookies too, because httpd joins repeated Cookie fields with one.
 * @return @a header itself where nothing is to be taken out, else from @a pool; NULL where nothing is left
 */
const char *clerk_cookies_strip(const char *header, apr_pool_t *pool);

#endif
