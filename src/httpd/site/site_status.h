/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_STATUS_H
#define HTTPD_SITE_SITE_STATUS_H

#include <httpd.h>

/**
 * Answer who is signed in, as JSON for scripts of the application: `signedIn`, and with it `userId`, `sessionId`,
 * `orgId`, `orgSlug`, `orgRole` (null if there is none) and `expiresAt` (seconds since 1970). Never the token. For
 * pages of this origin only.
 */
int clerk_site_status(request_rec *r, const char *page);

#endif
