/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_LOG_H
#define HTTPD_PROCESS_LOG_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

extern module AP_MODULE_DECLARE_DATA auth_clerk_module;
APLOG_USE_MODULE(auth_clerk);

/** A stable message number in the text, as in AC3001 (httpd's own AHnnnnn numbers are httpd's to give). */
#define CLERK_LOGNO(number) "AC" #number ": "

/** Send what the core logs to the error log of @a server. */
void clerk_httpd_log_attach(server_rec *server);

/**
 * A warning about the configuration, found before the error log is open. `httpd -t` prints it at once; at a start it is
 * kept until clerk_httpd_log_flush_warnings(), so that it reaches the error log, once.
 */
void clerk_httpd_log_warn(server_rec *server, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * The level for a message that clients can cause at will: a warning once a minute for each process, info otherwise, so
 * that nobody fills the error log. Call it once a message: ap_log_rerror() evaluates its level twice.
 */
int clerk_httpd_log_message_level(void);

/** Begin a configuration pass: forget what an earlier pass warned of. */
void clerk_httpd_log_reset_warnings(apr_pool_t *pconf);

/** Write the kept warnings. */
void clerk_httpd_log_flush_warnings(void);

#endif
