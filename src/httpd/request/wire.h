/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_WIRE_H
#define HTTPD_REQUEST_WIRE_H

#include <httpd.h>

#include "clerk/request.h"
#include "clerk/url/forwarded.h"

/**
 * Fill in a clerk_request from the request as received; clerk_request_complete() fills in the rest. Only this file
 * reads the headers of requests for authentication. The URL is the one that the browser requested, also for subrequests
 * and after internal redirects.
 * @param request must not be used longer than @a r
 */
void clerk_wire_read_head(clerk_request *request, request_rec *r);

/** The same, with all members at once. */
void clerk_wire_read_all(clerk_request *request, request_rec *r);

/**
 * Whether the origin that .htaccess says for this site does not count, because the server does not know it:
 * whoever writes .htaccess could have Clerk send a browser's session there, if only to a port of their own.
 */
int clerk_wire_ignores_htaccess(request_rec *r);

/**
 * This site's origin, from the request's pool, if the client has not chosen it: ClerkPublicOrigin, or else a host that
 * is the server's ServerName or one of its ServerAliases. NULL for another host. A token that another site of the Clerk
 * instance obtained must not become ours by a Host field with that site's name.
 */
const char *clerk_wire_own_origin(request_rec *r);

/** The first value of a list header, in lower case, without white space, from the request's pool; NULL if there is
 * none. */
const char *clerk_wire_first_value(request_rec *r, const char *name);

/**
 * What X-Forwarded-Proto, -Host and -Port say about the URL that the browser has requested; if there is none of them,
 * what Forwarded says. Only for ClerkTrustForwarded, and to explain a loop: a client can write these fields.
 */
clerk_forwarded clerk_wire_forwarded(request_rec *r);

#endif
