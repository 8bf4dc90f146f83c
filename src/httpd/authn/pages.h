/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHN_PAGES_H
#define HTTPD_AUTHN_PAGES_H

#include <httpd.h>

#include "clerk/outcome.h"

/**
 * End a redirect loop: log its most likely cause, and set an HTML page about it as the body for page navigations,
 * unless an ErrorDocument is configured. The caller sets the status: 401.
 */
void clerk_pages_explain_loop(request_rec *r, const clerk_outcome *outcome);

/**
 * The same for a URL with a handshake that this server cannot use (differences.md row 17). The caller sets status 400.
 */
void clerk_pages_explain_bad_handshake(request_rec *r, const clerk_outcome *outcome);

#endif
