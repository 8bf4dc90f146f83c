/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_SIGN_IN_H
#define CLERK_BROWSER_SIGN_IN_H

#include "clerk/instance/instance.h"
#include "clerk/outcome.h"
#include "clerk/request.h"

/**
 * Whether a signed-out request is redirected to sign-in: a page navigation, where cookies count. Not in a loop, which
 * the redirect would only continue.
 * @param request with all its members filled in
 * @param every_get ClerkUnauthenticated sign-in: other GET requests too
 */
int clerk_sign_in_is_due(const clerk_request *request, const clerk_policy *policy, const clerk_outcome *outcome,
                         int every_get);

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
