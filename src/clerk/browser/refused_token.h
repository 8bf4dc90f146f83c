/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_REFUSED_TOKEN_H
#define CLERK_BROWSER_REFUSED_TOKEN_H

#include "clerk/browser/context.h"
#include "clerk/outcome.h"

/**
 * Decide about a request whose token was refused (protocol.md 6.8): refresh, handshake or signed out. Only a token from
 * a cookie is refreshed; the outcome says where the token came from.
 */
clerk_outcome *clerk_refused_token(clerk_context *context, clerk_reason reason);

#endif
