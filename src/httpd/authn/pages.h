/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHN_PAGES_H
#define HTTPD_AUTHN_PAGES_H

#include <httpd.h>

#include "clerk/outcome.h"

/**
 * End a redirect loop: log its most likely cause, and set an HTML page about it as the body for page navigations,
 * unless an ErrorDocument is configured. The caller sets the status: 401. Where ClerkPages has a page on which ClerkJS
 * may renew the session, the browser is sent there first, and the page of the loop has a link to it.
 * @return the URL to redirect the browser to, or NULL
 */
const char *clerk_pages_explain_loop(request_rec *r, const clerk_outcome *outcome);

/**
 * The same for a URL with a handshake that this server cannot use (differences.md row 17). The caller sets status 400.
 */
void clerk_pages_explain_bad_handshake(request_rec *r, const clerk_outcome *outcome);

/**
 * The body of a 401 for people, where no redirect leads to sign-in: a link there, unless an ErrorDocument is
 * configured.
 * @param sign_in, sign_up URLs; NULL: there is no such page
 */
void clerk_pages_offer_sign_in(request_rec *r, const char *sign_in, const char *sign_up);

#endif
