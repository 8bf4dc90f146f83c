/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_START_H
#define HTTPD_SITE_SITE_START_H

#include <httpd.h>

/** Answer with start.js, the script that pages get by ClerkInjectScript. */
int clerk_site_start(request_rec *r, const char *page);

/** Before there are threads: compute the version. */
void clerk_site_start_prepare(void);

/** The query that the script has in pages, such as "v=0a1b2c3d"; another version of it has another one. */
const char *clerk_site_start_version(void);

#endif
