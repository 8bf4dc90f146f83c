/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_JUDGE_H
#define HTTPD_REQUEST_JUDGE_H

#include <httpd.h>

#include "clerk/outcome.h"
#include "httpd/request/request_state.h"

/**
 * The outcome for this request. It is taken over from an earlier decision about this request, or, if signed in, about
 * its parent request or the request it was internally redirected from, for the same instance under the same policy.
 * Otherwise the request is authenticated now.
 * @return NULL if no instance is configured here (logged)
 */
clerk_outcome *clerk_judge_request(request_rec *r);

/**
 * Authenticate this request anew for a script that keeps the session fresh: a session token that has expired, and is
 * accepted only because of ClerkClockSkew, counts as expired, so that it is renewed or a handshake is due.
 * @return NULL if no instance is configured here (logged)
 */
clerk_outcome *clerk_judge_renewing(request_rec *r);

/**
 * The identity of an earlier decision that holds for this request, by the same rule. Never authenticates. @return NULL
 * if there is none
 */
const clerk_identity *clerk_judge_established_identity(request_rec *r);

#endif
