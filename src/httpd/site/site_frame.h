/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_FRAME_H
#define HTTPD_SITE_SITE_FRAME_H

#include <httpd.h>

/** Answer with a page in which Clerk's own components are mounted. @param page its name, such as "sign-in" */
int clerk_site_frame(request_rec *r, const char *page);

/** What a page without Clerk's components shows. HTML; nothing of it comes from the request. */
typedef struct clerk_site_text {
    const char *title;
    const char *body;
} clerk_site_text;

/** Answer with such a page, for example the question before a sign-out. */
int clerk_site_frame_text(request_rec *r, const clerk_site_text *text);

/**
 * Where a page leads afterwards: `redirect_url` of the query if that is a path of this site, or a URL of this
 * origin or of an authorized party (ClerkAuthorizedParties); else "/".
 * @return an absolute URL or a path, from the request's pool
 */
const char *clerk_site_frame_way_back(request_rec *r);

#endif
