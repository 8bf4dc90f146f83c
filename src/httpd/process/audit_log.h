/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_AUDIT_LOG_H
#define HTTPD_PROCESS_AUDIT_LOG_H

#include <httpd.h>

#include "text/json_line.h"

/**
 * Open the file or start the program of ClerkAuditLog, as httpd does for its own logs: the program with
 * ap_open_piped_log(), so that httpd starts it again if it ends. Closed when @a pconf is cleared, so that a restart
 * opens it anew.
 * @param target of ClerkAuditLog: an absolute path, or '|' and a command; NULL: none
 * @return APR_SUCCESS, or an error (logged)
 */
apr_status_t clerk_audit_log_open(const char *target, server_rec *s, apr_pool_t *pconf);

/** Whether there is an audit log. */
int clerk_audit_log_is_open(void);

/** Write a line in one piece, so that lines of several processes do not mix. An error is logged. */
void clerk_audit_log_write(const clerk_json_line *line, request_rec *r);

#endif
