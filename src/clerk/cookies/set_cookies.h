/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_COOKIES_SET_COOKIES_H
#define CLERK_COOKIES_SET_COOKIES_H

#include <apr_tables.h>
#include <jansson.h>

#include "clerk/instance/instance.h"

/**
 * Copy the Set-Cookie values of a response of Clerk (protocol.md 7.6 and 8). A value is taken if it is a text without
 * control characters and sets one of Clerk's cookies: `__session`, `__session` with this instance's suffix,
 * `__client_uat*`, `__refresh*`, `__clerk_*`. All others are left out.
 * @param set_cookies receives the values in order
 * @param list a JSON array; anything else counts as an empty one
 * @return the session token in the last session cookie, from @a pool; "" if that deletes the cookie or there is none
 */
const char *clerk_set_cookies_take(apr_array_header_t *set_cookies, const json_t *list, const clerk_instance *instance,
                                   apr_pool_t *pool);

#endif
