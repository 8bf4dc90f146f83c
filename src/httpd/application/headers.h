/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_HEADERS_H
#define HTTPD_APPLICATION_HEADERS_H

#include <httpd.h>

/**
 * fixups hook, on every hop: what a handler or a proxied application sees of the request's headers. ClerkPassHeaders
 * puts the identity there, ClerkStripCredentials takes Clerk's tokens out. What clients sent under our names is gone
 * already (clerk_wire_scrub).
 */
int clerk_headers_fixups(request_rec *r);

#endif
