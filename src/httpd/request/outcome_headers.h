/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_OUTCOME_HEADERS_H
#define HTTPD_REQUEST_OUTCOME_HEADERS_H

#include <httpd.h>

/** Add the outcome's cookies and diagnostic headers to the response, once for each request. */
void clerk_outcome_headers_send(request_rec *r);

/** Restrict caching by cache directives, in one field with those that are there already (cache_control.h). */
void clerk_outcome_headers_restrict_caching(request_rec *r, const char *directive);

/**
 * Where httpd has added the headers of a subrequest to those of its parent request, make one of each again: of the
 * diagnostic headers the subrequest's, which come first, of Cache-Control the strictest.
 */
void clerk_outcome_headers_unify(request_rec *r);

/** insert_error_filter hook: the same for an error. */
void clerk_outcome_headers_insert_error_filter(request_rec *r);

/** insert_filter and insert_error_filter hook: make one Cache-Control field of ours and the application's, the
 * strictest of both. */
void clerk_outcome_headers_insert_filter(request_rec *r);

/** Register that filter and its hooks. */
void clerk_outcome_headers_register(void);

/** Whether this request may be redirected: it is neither a subrequest nor an ErrorDocument. */
int clerk_outcome_headers_may_redirect(const request_rec *r);

#endif
