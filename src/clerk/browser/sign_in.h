/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_SIGN_IN_H
#define CLERK_BROWSER_SIGN_IN_H

#include "clerk/instance/instance.h"
#include "clerk/outcome.h"
#include "clerk/request.h"

/**
 * The sign-in redirect for a signed-out request (protocol.md 13.3), to `ClerkSignInURL` or the Account Portal, with
 * the request's own URL as `redirect_url`. A pending session goes to the tasks below it (appended to the path).
 * @return the absolute URL from @a pool, or NULL where there is neither a sign-in URL nor an Account Portal, or where
 * the sign-in page is the requested page itself (same origin and path: it would loop)
 */
const char *clerk_sign_in_location(const clerk_request *request, const clerk_instance *instance,
                                   const clerk_policy *policy, const clerk_outcome *outcome, apr_pool_t *pool);

#endif
