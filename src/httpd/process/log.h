/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_LOG_H
#define HTTPD_PROCESS_LOG_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

extern module AP_MODULE_DECLARE_DATA auth_clerk_module;
APLOG_USE_MODULE(auth_clerk);

/** A stable message number, as in AC3001, for the beginning of the text. (httpd's AHnnnnn numbers are its own.) */
#define CLERK_LOGNO(number) "AC" #number ": "

/** Send the log messages of src/shared and src/clerk to the error log of @a server; NULL: drop them. */
void clerk_httpd_log_attach(server_rec *server);

/**
 * Log a warning about the configuration before the error log is open. `httpd -t` prints it at once; at a start it is
 * kept until clerk_httpd_log_flush_warnings() and then written to the error log once.
 */
void clerk_httpd_log_warn(server_rec *server, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * The level for a message that clients can cause at will: a warning once a minute in each process, otherwise info, so
 * that clients cannot fill the error log. Each message counts for itself: one that is often caused mutes no other.
 * Store the result: ap_log_rerror() evaluates its level twice.
 * @param number of the message, from 3000 to 3999
 */
int clerk_httpd_log_message_level(int number);

/** Whether a warning about a place in the configuration is due: at most once a minute for each place in each process.
 */
int clerk_httpd_log_place_is_due(const char *file, int line);

/** Begin to read a configuration: drop the warnings kept so far. */
void clerk_httpd_log_reset_warnings(apr_pool_t *pconf);

/** Write the kept warnings. */
void clerk_httpd_log_flush_warnings(void);

#endif
