/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_INJECT_INJECT_H
#define HTTPD_INJECT_INJECT_H

#include <httpd.h>

/*
 * ClerkInjectScript: an output filter that adds a script element to HTML pages of signed-in visitors. It reads a page
 * only up to the place for the script (text/html_head.h), holds no more than a few bytes back, and is gone afterwards.
 */

/** Register the filters and their hooks. */
void clerk_inject_register(void);

#endif
