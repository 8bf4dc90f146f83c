/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_ROUNDS_H
#define CLERK_BROWSER_ROUNDS_H

#include "clerk/browser/context.h"

/*
 * How many handshakes a page has made without being granted (differences.md row 28). A page is a URL without Clerk's
 * parameters.
 *
 * A cookie of the page, `__clerk_redirect_count_<hash of the page>`, says that a handshake of this page began a moment
 * ago. It cannot say whose: the tabs and frames of a browser share it, and may all be on the same URL. So if a page
 * begins a handshake while it has that cookie, the URL to return to ends in `__clerk_help=round<n>`. A request with
 * that parameter is certainly a return, and of a page that needed a handshake before. After CLERK_LOOP_LIMIT rounds the
 * page is in a loop. A granted page deletes its cookie, and is redirected to its URL without the parameter.
 *
 * The parameter counts only together with the cookie, so that a link or a bookmark with it is harmless. The cookie is
 * one for each page, because several pages at the same time would overwrite each other's entries in a common one.
 *
 * Values of the cookie: how many handshakes the page has begun without the parameter, or "s" after the redirect that
 * removes the parameter. Any other value counts as a loop (differences.md row 8).
 */

/**
 * Added to the URL after a handshake of a development instance if the request had none of Clerk's cookies, not even the
 * one of the page. If the next request has none either, the browser keeps no cookies, and another handshake would only
 * continue a loop that cannot be counted. `__clerk_help` is a name that Clerk has reserved.
 */
#define CLERK_COOKIE_PROBE "__clerk_help=cookies"

/** The handshakes that this page has made in a row: 0 to CLERK_LOOP_LIMIT, which is a loop. */
int clerk_rounds_made(clerk_context *context);

/** Note in the outcome's cookies that this page begins a handshake. */
void clerk_rounds_begin(clerk_context *context);

/** The URL of the request as a handshake that begins now must return to it: as received, but for the parameters of this
 * file. */
const char *clerk_rounds_return_url(clerk_context *context);

/**
 * The URL of the request without some parameters; its query is decoded and encoded again, as in the SDK. The parameters
 * of this file are removed.
 * @param names the names of the parameters, NULL-terminated
 * @param round add the parameter of this round if it is above 1
 */
const char *clerk_rounds_edited_url(clerk_context *context, const char *const *names, int round);

/** The round that the URL of this return belongs to; 0: none, or it does not count. */
int clerk_rounds_marked(clerk_context *context);

/** A page is granted: forget its rounds, and redirect it to its URL without the parameter. */
void clerk_rounds_end(clerk_context *context);

/**
 * A query, as received, without the parameters that this module adds to the URL of a page: the ones of this file, and
 * CLERK_COOKIE_PROBE.
 * @return @a query itself if it has none, else from @a pool; NULL if nothing is left
 */
const char *clerk_rounds_clean_query(const char *query, apr_pool_t *pool);

#endif
