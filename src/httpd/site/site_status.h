/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_STATUS_H
#define HTTPD_SITE_SITE_STATUS_H

#include <httpd.h>

/**
 * Answer who is signed in, as JSON for scripts of the application: `signedIn`, and with it `userId`, `sessionId`,
 * `orgId`, `orgSlug`, `orgRole` (null if there is none) and `expiresAt`; always `now`, the clock of this
 * server (both seconds since 1970). Never the token. For pages of this origin only. With the query `renew`, a session
 * whose token has just expired is renewed although the token is still accepted.
 */
int clerk_site_status(request_rec *r, const char *page);

#endif
