/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_WIRE_H
#define HTTPD_REQUEST_WIRE_H

#include <httpd.h>

#include "clerk/request.h"

/**
 * Read the part of a request that every decision needs; the rest is read when clerk_request_complete() asks for it.
 * This is the only place that reads the wire. The URL is the one the browser asked for, also after internal redirects
 * and in subrequests.
 * @param request to be used no longer than @a r
 */
void clerk_wire_read_head(clerk_request *request, request_rec *r);

/** The same, and the rest at once. */
void clerk_wire_read_all(clerk_request *request, request_rec *r);

/** The first value of a list header, lower case, without white space, from the request's pool; NULL where there is
 * none. */
const char *clerk_wire_first_value(request_rec *r, const char *name);

/** Delete request headers that an application could take for ours (X-Clerk-*, Remote-User), in every spelling that CGI
 * or a proxied application folds together. Main requests only; post_read_request hook. */
int clerk_wire_scrub(request_rec *r);

#endif
