/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_AUTHENTICATE_H
#define CLERK_AUTHENTICATE_H

#include "clerk/session/identity.h"
#include "clerk/instance/instance.h"
#include "clerk/reason.h"
#include "clerk/request.h"
#include "clerk/services.h"

/**
 * Development: put at the end of the URL after a handshake to which no cookie of Clerk's came along, not even the loop
 * counter. If the next request brings none either, the browser keeps no cookies, and one more handshake would be one
 * more round of a loop that nobody counts. `__clerk_help` is a name that Clerk has reserved.
 */
#define CLERK_COOKIE_PROBE "__clerk_help=cookies"

typedef enum clerk_status {
    CLERK_SIGNED_IN,
    CLERK_SIGNED_OUT,
    CLERK_HANDSHAKE,   /**< `location` says where */
    CLERK_UNAVAILABLE, /**< a credential was presented that cannot be judged now: 503 */
    CLERK_BAD_REQUEST  /**< an invalid handshake parameter on a development instance (interface 5, row 17): 400 */
} clerk_status;

typedef enum clerk_carrier {
    CLERK_CARRIER_NONE,
    CLERK_CARRIER_HEADER,
    CLERK_CARRIER_COOKIE
} clerk_carrier;

/** What authentication decided. Everything is from the pool that was passed in. */
typedef struct clerk_outcome {
    clerk_status status;
    clerk_reason reason;
    const char *reason_text;  /**< the full text, refresh fragment included; "" when signed in; safe for a header */
    clerk_carrier carrier;    /**< where the token that was judged came from; NONE: no token */
    clerk_identity *identity; /**< when signed in; also a pending one that counts as signed out (then status is
                                 SIGNED_OUT, reason SESSION_PENDING) */
    const char *location;     /**< 307 to here whatever the status says; NULL: none */
    apr_array_header_t *set_cookies; /**< of const char *: Set-Cookie values to add, in order; never NULL */
    const char *dev_browser;         /**< development: the dev browser token, for the sign-in redirect; or NULL */
    int loop;                        /**< a handshake was due, but the loop counter is exhausted */
    int handshake_failed;            /**< a handshake payload was there and could not be used */
} clerk_outcome;

/**
 * Decide whether a request is signed in: clerk-protocol 6 in full, with the deviations of interface 5. No side effects
 * but those of the services, and that the request may be completed. Only session tokens; header alone where the policy
 * says so (then no cookie is looked at and no handshake is proposed).
 */
clerk_outcome *clerk_authenticate(clerk_request *request, const clerk_instance *instance, const clerk_policy *policy,
                                  const clerk_services *services, apr_pool_t *pool);

/** Whether the request is a page navigation for which a sign-in redirect makes sense: GET, and `Sec-Fetch-Dest` is
 *  document or iframe, or absent while Accept contains text/html. */
int clerk_request_is_navigation(const clerk_request *request);

/**
 * The sign-in redirect for a signed-out request (clerk-protocol 13.3), to `ClerkSignInURL` or the Account Portal, with
 * the request's own URL as `redirect_url`. A pending session goes to the tasks below it (appended to the path).
 * @return the absolute URL from @a pool, or NULL where there is neither a sign-in URL nor an Account Portal, or where
 * the sign-in page is the requested page itself (same origin and path: it would loop)
 */
const char *clerk_sign_in_location(const clerk_request *request, const clerk_instance *instance,
                                   const clerk_policy *policy, const clerk_outcome *outcome, apr_pool_t *pool);

#endif
