/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_SIGN_IN_H
#define CLERK_BROWSER_SIGN_IN_H

#include "clerk/instance/instance.h"
#include "clerk/outcome.h"
#include "clerk/request.h"

/**
 * The URL to which a signed-out request is redirected (protocol.md 13.3): `ClerkSignInURL` or the Account Portal, with
 * the URL of the request as `redirect_url`. For a pending session, `/tasks` is appended to the path.
 * @return the absolute URL from @a pool; NULL if there is neither a sign-in URL nor an Account Portal, or if the
 * sign-in page is the requested page itself (same origin and path: the redirect would loop)
 */
const char *clerk_sign_in_location(const clerk_request *request, const clerk_instance *instance,
                                   const clerk_policy *policy, const clerk_outcome *outcome, apr_pool_t *pool);

/**
 * The same for a request that a script has sent: `redirect_url` is the page in which the script runs, which is the
 * Referer if that is of this site; otherwise it is left out. A script cannot follow a redirect to sign-in; it can load
 * this URL.
 */
const char *clerk_sign_in_location_for_script(const clerk_request *request, const clerk_instance *instance,
                                              const clerk_policy *policy, const clerk_outcome *outcome,
                                              apr_pool_t *pool);

#endif
