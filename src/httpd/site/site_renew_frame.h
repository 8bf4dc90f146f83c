/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_RENEW_FRAME_H
#define HTTPD_SITE_SITE_RENEW_FRAME_H

#include <httpd.h>

/**
 * An empty page for a hidden frame of start.js. If the visitor's token has expired, the browser is sent through the
 * handshake first, which renews it; whether it did, status.json says.
 */
int clerk_site_renew_frame(request_rec *r, const char *page);

#endif
