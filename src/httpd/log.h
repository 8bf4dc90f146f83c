/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_LOG_H
#define HTTPD_LOG_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

extern module AP_MODULE_DECLARE_DATA auth_clerk_module;
APLOG_USE_MODULE(auth_clerk);

/** A stable message number in the text, as in AC3001 (httpd's own AHnnnnn numbers are httpd's to give). */
#define CLERK_LOGNO(number) "AC" #number ": "

/** Send what the core logs to the error log of @a server. */
void clerk_httpd_log_attach(server_rec *server);

#endif
