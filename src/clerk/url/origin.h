/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_ORIGIN_H
#define CLERK_URL_ORIGIN_H

#include <apr_pools.h>

#include "clerk/url/url.h"

/* Origins and hosts as browsers have them, read from configuration and from header fields that a client may forge. */

/**
 * Read `scheme://host[:port]`: http or https, a plain host (see below) or an IPv6 address in brackets, and nothing else
 * before or behind. The case does not matter, a final dot of the host and the scheme's own port are allowed.
 * @return a URL with the path "/", whose `origin` is the normal form; NULL if @a text is anything else
 */
const clerk_url *clerk_origin_parse(const char *text, apr_pool_t *pool);

/** The same, of a scheme and the value of a Host or an X-Forwarded-Host field. */
const clerk_url *clerk_origin_of(const char *scheme, const char *authority, apr_pool_t *pool);

/**
 * Whether browsers take the origin for this machine: they send it what they send to https origins only, such as
 * `Sec-Fetch-Dest`, although it is http.
 */
int clerk_origin_is_loopback(const clerk_url *origin);

/** Whether a text is a plain host name or IPv4 address: labels of ASCII letters, digits, '-' and '_' between single
 *  dots. */
int clerk_origin_host_is_plain(const char *host);

/** Whether a text is such a host, or one with `:port`. */
int clerk_origin_authority_is_plain(const char *authority, apr_pool_t *pool);

#endif
