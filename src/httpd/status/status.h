/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_STATUS_STATUS_H
#define HTTPD_STATUS_STATUS_H

#include <httpd.h>

#include "httpd/status/report.h"

/**
 * The handler hook for `SetHandler clerk-status`: HTML, or JSON where the query is `json`. GET and HEAD only. Who may
 * see it is the administrator's Require to say.
 */
int clerk_status_handler(request_rec *r);

/** Write the report as a page of its own: no script, no foreign resources, everything escaped. */
void clerk_status_html(request_rec *r, const clerk_report *report);

#endif
