/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_HANDSHAKE_H
#define CLERK_BROWSER_HANDSHAKE_H

#include "clerk/browser/context.h"
#include "clerk/outcome.h"

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
