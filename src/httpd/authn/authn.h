/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHN_AUTHN_H
#define HTTPD_AUTHN_AUTHN_H

#include <httpd.h>

/** check_authn hook: authenticate the request, and choose the answer to requests that are not signed in. */
int clerk_authn_check(request_rec *r);

/** note_auth_failure hook: the WWW-Authenticate challenge. */
int clerk_authn_note_failure(request_rec *r, const char *auth_type);

#endif
