/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHN_PAGES_H
#define HTTPD_AUTHN_PAGES_H

#include <httpd.h>

#include "clerk/outcome.h"

/**
 * A handshake loop ended here: log its most likely cause, and let a page navigation see a page about it instead of
 * httpd's own, unless an ErrorDocument says otherwise. The status is the caller's: 401.
 */
void clerk_pages_explain_loop(request_rec *r, const clerk_outcome *outcome);

/**
 * The URL carries a handshake that this server cannot use (differences.md row 17): the same for status 400.
 */
void clerk_pages_explain_bad_handshake(request_rec *r, const clerk_outcome *outcome);

#endif
