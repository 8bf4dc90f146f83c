/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_REFRESH_H
#define CLERK_BROWSER_REFRESH_H

#include "clerk/browser/context.h"

/**
 * Trade the expired session cookie for a new one with the Backend API (protocol.md 8). Only for a GET with the
 * suffixed refresh cookie; the outcome's cookies are set where it works. The expired token is authentic: expiry is
 * judged after the signature.
 * @param pidentity the new session's identity
 * @return NULL, or why not, as it goes into `session-token-expired-refresh-...`
 */
const char *clerk_refresh(clerk_context *context, clerk_identity **pidentity);

#endif
