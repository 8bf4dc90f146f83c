/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_OUTCOME_HEADERS_H
#define HTTPD_REQUEST_OUTCOME_HEADERS_H

#include <httpd.h>

/** Put the outcome's cookies and diagnostic headers into the response, once a request. */
void clerk_outcome_headers_send(request_rec *r);

/** Whether a redirect makes sense for this request: neither a subrequest nor an ErrorDocument. */
int clerk_outcome_headers_may_redirect(const request_rec *r);

#endif
