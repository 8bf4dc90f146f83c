/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_REFUSAL_H
#define HTTPD_AUTHZ_REFUSAL_H

#include <httpd.h>

#include "httpd/authz/authz_require.h"

/** The headers of a 403 for somebody who is signed in. @return HTTP_FORBIDDEN */
int clerk_refusal_forbid(request_rec *r, const char *reason);

/**
 * A signed-in user is not allowed: log why, and say so to the client. Where a clerk-reverification was missed and a
 * script asks, the body is the JSON that Clerk's front-end helpers react to (protocol.md 13.4), unless an
 * ErrorDocument says otherwise.
 * @return HTTP_FORBIDDEN
 */
int clerk_refusal_refuse(request_rec *r, const clerk_identity *identity, const clerk_require_log *log);

/** Register what makes the JSON body application/json. */
void clerk_refusal_register(apr_pool_t *pool);

#endif
