/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_COOKIE_DECISION_H
#define CLERK_BROWSER_COOKIE_DECISION_H

#include "clerk/browser/context.h"
#include "clerk/outcome.h"

/** Decide by the cookies of a request without a token in its header: the rows of protocol.md 6.7, in their order. */
clerk_outcome *clerk_cookie_decision(clerk_context *context);

#endif
