/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHN_AUTHN_H
#define HTTPD_AUTHN_AUTHN_H

#include <httpd.h>

/** check_authn hook: who is it, and what do those get who are not signed in. */
int clerk_check_authn(request_rec *r);

/** note_auth_failure hook: the WWW-Authenticate challenge. */
int clerk_note_auth_failure(request_rec *r, const char *auth_type);

/** Put the outcome's cookies and diagnostic headers into the response, once a request. */
void clerk_send_outcome_headers(request_rec *r);

/** Whether a redirect makes sense for this request: neither a subrequest nor an ErrorDocument. */
int clerk_may_redirect(const request_rec *r);

#endif
