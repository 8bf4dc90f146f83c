/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_STATUS_STATUS_H
#define HTTPD_STATUS_STATUS_H

#include <httpd.h>

#include "httpd/status/report.h"

/**
 * handler hook for `SetHandler clerk-status`: HTML, or JSON if the query is `json`, or the text format of Prometheus if
 * it is `prometheus`. GET and HEAD only. Access is decided by the Require lines of the configuration.
 */
int clerk_status_handler(request_rec *r);

/** Register the hook of mod_status: a block in its page, and lines where it is asked with ?auto. */
void clerk_status_block_register(void);

/** Write the report as an HTML page without scripts and external resources. All texts are escaped. */
void clerk_status_html(request_rec *r, const clerk_report *report);

/** Write the report in the text format of Prometheus, version 0.0.4. All texts are escaped, and valid UTF-8. */
void clerk_status_prometheus(request_rec *r, const clerk_report *report);

#endif
