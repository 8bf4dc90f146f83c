/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_AUTHZ_H
#define HTTPD_AUTHZ_AUTHZ_H

#include <httpd.h>

/**
 * access_checker_ex hook, first: httpd's authorization before authentication. If a `Require expr` used the session, it
 * is decided after authentication instead, so that visitors who are not signed in are sent to sign-in, and the
 * application gets the user.
 */
int clerk_authz_check_access(request_rec *r);

/** force_authn hook, first: authenticate, and authorize after that, if clerk_authz_check_access() asked for it. */
int clerk_authz_force_authn(request_rec *r);

/** fixups hook, first: make sure that the authentication that clerk_authz_check_access() asked for has happened. */
int clerk_authz_fixups(request_rec *r);

/** auth_checker hook, first: refuse signed-in users with 403, also with AuthzSendForbiddenOnFailure Off. */
int clerk_authz_check(request_rec *r);

#endif
