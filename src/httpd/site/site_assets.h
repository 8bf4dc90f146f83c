/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_ASSETS_H
#define HTTPD_SITE_SITE_ASSETS_H

#include <httpd.h>

/** Answer with a script or the style sheet of the pages. @param page "pages.js", "form.js" or "pages.css" */
int clerk_site_assets(request_rec *r, const char *page);

#endif
