/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_HANDSHAKE_H
#define CLERK_BROWSER_HANDSHAKE_H

#include "clerk/browser/context.h"
#include "clerk/outcome.h"

/**
 * Added to the URL after a handshake of a development instance if the request had none of Clerk's cookies, not even the
 * one of rounds.h. If the next request has none either, the browser keeps no cookies, and another handshake would only
 * continue a loop that cannot be counted. `__clerk_help` is a name that Clerk has reserved.
 */
#define CLERK_COOKIE_PROBE "__clerk_help=cookies"

/** Whether this request may be answered with a handshake: handshakes are possible here, and it is a page navigation
 * (protocol.md 6.9). */
int clerk_handshake_is_eligible(clerk_context *context);

/**
 * Propose a handshake (protocol.md 6.9): redirect the browser to the frontend API; or signed out with the same reason,
 * if the request is not eligible or the page is in a loop (rounds.h).
 * @param text the text of the reason, for the URL and the outcome
 * @param location redirect to here instead, or NULL: to the frontend API (protocol.md 7.2)
 */
clerk_outcome *clerk_handshake_propose_text(clerk_context *context, clerk_reason reason, const char *text,
                                            const char *location);
/** The same with clerk_reason_text() as the text. */
clerk_outcome *clerk_handshake_propose(clerk_context *context, clerk_reason reason, const char *location);

/**
 * Resolve the handshake whose result this request carries, if any (protocol.md 7.3 to 7.7).
 * @return the outcome; NULL if the cookies decide: there is no handshake, or it could not be used (then
 *         `handshake_failed` is set)
 */
clerk_outcome *clerk_handshake_resolve(clerk_context *context);

/** Redirect a browser that keeps cookies to the URL without CLERK_COOKIE_PROBE. */
void clerk_handshake_end_probe(clerk_context *context);

#endif
