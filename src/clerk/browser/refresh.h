/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_REFRESH_H
#define CLERK_BROWSER_REFRESH_H

#include "clerk/browser/context.h"

typedef struct clerk_refresh_result {
    clerk_identity *identity; /**< of the new session; NULL: there is none */
    const char *cause;        /**< then: of the failure, for the reason `session-token-expired-refresh-...` */
    int undecided;            /**< then: the session may be good, but Clerk did not say so */
    int retry_after;          /**< then: seconds until another try makes sense; 0: not known */
} clerk_refresh_result;

/**
 * Get a new session token for an expired one from the Backend API (protocol.md 8): only with the suffixed refresh
 * cookie, and for a request that clerk_refresh_is_eligible(). On success the outcome gets the new cookies. The expired
 * token is authentic: its signature was checked before its expiry.
 */
clerk_refresh_result clerk_refresh(clerk_context *context);

/**
 * Whether an expired session may be renewed for a request with this method and origin (differences.md row 26): GET and
 * HEAD always, other methods for this site's own pages only, so that no other site gets them answered as the visitor's.
 */
int clerk_refresh_is_eligible(clerk_context *context);

#endif
