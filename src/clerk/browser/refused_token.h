/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_REFUSED_TOKEN_H
#define CLERK_BROWSER_REFUSED_TOKEN_H

#include "clerk/browser/context.h"
#include "clerk/outcome.h"

/**
 * What becomes of a token that was refused (protocol.md 6.8). The carrier is in the outcome; only the cookie's own
 * token is ever refreshed.
 */
clerk_outcome *clerk_refused_token(clerk_context *context, clerk_reason reason);

#endif
