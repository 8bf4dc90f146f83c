/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_COOKIE_DECISION_H
#define CLERK_BROWSER_COOKIE_DECISION_H

#include "clerk/browser/context.h"

/** The rows of clerk-protocol 6.7, in their order: what the cookies of a request without a token in its header mean. */
clerk_outcome *clerk_cookie_path(clerk_context *context);

/**
 * What becomes of a token that was refused (6.8). The carrier is in the outcome; only the cookie's own token is ever
 * refreshed.
 */
clerk_outcome *clerk_token_refused(clerk_context *context, clerk_reason reason);

#endif
