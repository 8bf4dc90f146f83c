/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_REFRESH_H
#define CLERK_BROWSER_REFRESH_H

#include "clerk/browser/context.h"

/**
 * Get a new session token for an expired one from the Backend API (protocol.md 8). Only for a GET with the suffixed
 * refresh cookie. On success the outcome gets the new cookies. The expired token is authentic: its signature was
 * checked before its expiry.
 * @param pidentity the identity of the new session
 * @return NULL, or the cause of failure, for the reason `session-token-expired-refresh-...`
 */
const char *clerk_refresh(clerk_context *context, clerk_identity **pidentity);

#endif
