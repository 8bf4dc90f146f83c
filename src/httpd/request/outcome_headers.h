/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_OUTCOME_HEADERS_H
#define HTTPD_REQUEST_OUTCOME_HEADERS_H

#include <httpd.h>

/** Add the outcome's cookies and diagnostic headers to the response, once for each request. */
void clerk_outcome_headers_send(request_rec *r);

/** Whether this request may be redirected: it is neither a subrequest nor an ErrorDocument. */
int clerk_outcome_headers_may_redirect(const request_rec *r);

#endif
