/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_STATUS_STATUS_H
#define HTTPD_STATUS_STATUS_H

#include <httpd.h>

#include "httpd/status/report.h"

/**
 * handler hook for `SetHandler clerk-status`: HTML, or JSON if the query is `json`. GET and HEAD only. Access is
 * decided by the Require lines of the configuration.
 */
int clerk_status_handler(request_rec *r);

/** Write the report as an HTML page without scripts and external resources. All texts are escaped. */
void clerk_status_html(request_rec *r, const clerk_report *report);

#endif
