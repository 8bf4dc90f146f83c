/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_SIGN_OUT_H
#define HTTPD_SITE_SITE_SIGN_OUT_H

#include <httpd.h>

/**
 * End the visitor's session and clear its cookies. For a page of this site at once, so that a plain link to it works;
 * from anywhere else, a page asks first, because a link in a foreign page must not sign anybody out. With a secret key
 * the Backend API ends the session; without one, or if that fails, ClerkJS does.
 */
int clerk_site_sign_out(request_rec *r, const char *page);

#endif
