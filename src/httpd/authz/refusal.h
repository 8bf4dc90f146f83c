/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_REFUSAL_H
#define HTTPD_AUTHZ_REFUSAL_H

#include <httpd.h>

#include "httpd/authz/authz_require.h"

/** Refuse a signed-in user of whom REMOTE_USER cannot be made. The caller has logged why. @return HTTP_FORBIDDEN */
int clerk_refusal_nameless(request_rec *r, const clerk_identity *identity);

/**
 * Refuse a signed-in user: log the cause and set the response. If a clerk-reverification was not met and the request is
 * no page navigation, the body is the JSON that Clerk's front-end libraries react to (protocol.md 13.4); a browser that
 * shows the response as a page gets one that says what is missing. An ErrorDocument takes precedence.
 * @return HTTP_FORBIDDEN
 */
int clerk_refusal_refuse(request_rec *r, const clerk_identity *identity, const clerk_require_log *log);

/** Register the filter that sets the content type of the JSON body. */
void clerk_refusal_register(apr_pool_t *pool);

#endif
