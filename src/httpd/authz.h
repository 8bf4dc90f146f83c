/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_H
#define HTTPD_AUTHZ_H

#include <httpd.h>

/** Register the `Require clerk-*` providers (interface 2, "Authorization providers"). */
void clerk_authz_register(apr_pool_t *pool);

/** auth_checker hook, first: signed in but not allowed is 403, whatever AuthzSendForbiddenOnFailure says. */
int clerk_check_authz(request_rec *r);

#endif
