/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_REFUSAL_H
#define HTTPD_AUTHZ_REFUSAL_H

#include <httpd.h>

#include "httpd/authz/authz_require.h"

/** Set the headers of a 403 for a signed-in user. @return HTTP_FORBIDDEN */
int clerk_refusal_forbid(request_rec *r, const char *reason);

/**
 * Refuse a signed-in user: log the cause and set the response. If a clerk-reverification was not met and the request is
 * no page navigation, the body is the JSON that Clerk's front-end libraries react to (protocol.md 13.4), unless an
 * ErrorDocument is configured.
 * @return HTTP_FORBIDDEN
 */
int clerk_refusal_refuse(request_rec *r, const clerk_identity *identity, const clerk_require_log *log);

/** Register the filter that sets the content type of the JSON body. */
void clerk_refusal_register(apr_pool_t *pool);

#endif
