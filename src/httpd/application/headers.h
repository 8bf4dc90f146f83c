/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_HEADERS_H
#define HTTPD_APPLICATION_HEADERS_H

#include <httpd.h>

/**
 * fixups hook, for each subrequest and internal redirect too: set the request headers for the handler or the proxied
 * application. ClerkPassHeaders adds the identity, ClerkStripCredentials removes Clerk's tokens. Headers with our names
 * from clients were removed before, by clerk_scrub_request().
 */
int clerk_headers_fixups(request_rec *r);

/** Set them for another handler than the one they were set for. */
void clerk_headers_set_again(request_rec *r);

#endif
