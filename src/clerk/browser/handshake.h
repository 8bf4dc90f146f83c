/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_HANDSHAKE_H
#define CLERK_BROWSER_HANDSHAKE_H

#include "clerk/browser/context.h"
#include "clerk/outcome.h"

/**
 * Development: put at the end of the URL after a handshake to which no cookie of Clerk's came along, not even the loop
 * counter. If the next request brings none either, the browser keeps no cookies, and one more handshake would be one
 * more round of a loop that nobody counts. `__clerk_help` is a name that Clerk has reserved.
 */
#define CLERK_COOKIE_PROBE "__clerk_help=cookies"

/** Whether a browser that sent this request can be sent through a handshake (protocol.md 6.9). */
int clerk_handshake_is_eligible(clerk_context *context);

/**
 * The handshake gate (protocol.md 6.9): send the browser to the frontend API, or give up as signed out with the same
 * reason where the request is not eligible or has been there too often.
 * @param text the reason's text, for the URL and the outcome
 * @param location where to instead, or NULL: the frontend API (protocol.md 7.2)
 */
clerk_outcome *clerk_handshake_propose_text(clerk_context *context, clerk_reason reason, const char *text,
                                            const char *location);
/** The same with the reason's own text. */
clerk_outcome *clerk_handshake_propose(clerk_context *context, clerk_reason reason, const char *location);

/**
 * Resolve the handshake that this request brings back, if it does (protocol.md 7.3 to 7.7).
 * @return the outcome, or NULL: there is none, or it could not be used and the cookies decide (then `handshake_failed`
 *         is set)
 */
clerk_outcome *clerk_handshake_resolve(clerk_context *context);

/** Send a browser that turned out to keep cookies to the URL without CLERK_COOKIE_PROBE. */
void clerk_handshake_end_probe(clerk_context *context);

#endif
