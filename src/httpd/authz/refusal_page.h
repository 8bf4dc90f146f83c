/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_REFUSAL_PAGE_H
#define HTTPD_AUTHZ_REFUSAL_PAGE_H

#include <httpd.h>

#include "httpd/authz/authz_require.h"

/**
 * Make a page the body of the 403, unless an ErrorDocument is configured: who is signed in, what kind of Require was
 * not met (never its arguments: those are the administrator's), and where to go on (the pages below ClerkPages).
 * @param log NULL: the user was refused before any Require line
 */
void clerk_refusal_page_show(request_rec *r, const clerk_identity *identity, const clerk_require_log *log);

#endif
