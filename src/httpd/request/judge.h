/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_JUDGE_H
#define HTTPD_REQUEST_JUDGE_H

#include <httpd.h>

#include "clerk/outcome.h"
#include "httpd/request/request_state.h"

/**
 * The outcome for this request: the one made before for it, or for the request it is part of or was redirected from
 * (same instance, same rules, signed in), or a fresh one.
 * @return NULL where the place has no instance (misconfigured; logged)
 */
clerk_outcome *clerk_judge_request(request_rec *r);

/**
 * The verified identity that holds for this request, by the same rule, without judging afresh; NULL: none.
 */
const clerk_identity *clerk_judge_established_identity(request_rec *r);

#endif
