/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_COOKIES_SET_COOKIES_H
#define CLERK_COOKIES_SET_COOKIES_H

#include <apr_tables.h>
#include <jansson.h>

#include "clerk/instance/instance.h"

/**
 * Take over the Set-Cookie values that Clerk wants sent (protocol.md 7.6 and 8). One is taken where it is text
 * without control characters and sets one of Clerk's cookies: `__session`, that with this instance's suffix,
 * `__client_uat*`, `__refresh*`, `__clerk_*`. What else there is, is left out.
 * @param set_cookies receives them in order
 * @param list a JSON array; anything else holds no directives
 * @return the session token that the last session cookie sets, from @a pool; "" where it clears it or there is none
 */
const char *clerk_set_cookies_take(apr_array_header_t *set_cookies, const json_t *list, const clerk_instance *instance,
                                   apr_pool_t *pool);

#endif
