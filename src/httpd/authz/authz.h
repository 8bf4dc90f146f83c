/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_AUTHZ_H
#define HTTPD_AUTHZ_AUTHZ_H

#include <httpd.h>

/**
 * access_checker_ex hook, first: httpd's pass before authentication. A `Require expr` that asked about the session is
 * decided after authentication instead, so that visitors who are not signed in can sign in, and the user is known to
 * the application.
 */
int clerk_authz_check_access(request_rec *r);

/** force_authn hook, first: clerk_authz_check_access() wants authentication, and authorization after it. */
int clerk_authz_force_authn(request_rec *r);

/** fixups hook, first: a last check that what clerk_authz_check_access() wanted has happened. */
int clerk_authz_fixups(request_rec *r);

/** auth_checker hook, first: signed in but not allowed is 403, whatever AuthzSendForbiddenOnFailure says. */
int clerk_authz_check(request_rec *r);

#endif
