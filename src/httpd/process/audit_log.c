/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/audit_log.h"

#include <apr_file_io.h>

#include "httpd/process/log.h"

#define MODE (APR_FOPEN_WRITE | APR_FOPEN_APPEND | APR_FOPEN_CREATE | APR_FOPEN_LARGEFILE)
/* Not for everybody: it says who was where. */
#define PERMISSIONS (APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD)

/* The file, or the pipe to the program; of the parent process, and inherited by all children. */
static apr_file_t *output;

static apr_status_t forget(void *unused)
{
    (void)unused;
    output = NULL;
    return APR_SUCCESS;
}

apr_status_t clerk_audit_log_open(const char *target, server_rec *s, apr_pool_t *pconf)
{
    apr_status_t rv = APR_SUCCESS;

    output = NULL;
    if (!target) {
        return APR_SUCCESS;
    }
    if (*target == '|') {
        piped_log *program = ap_open_piped_log(pconf, target + 1);

        if (!program) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                         CLERK_LOGNO(3311) "ClerkAuditLog: cannot start the program %s", target + 1);
            return APR_EGENERAL;
        }
        output = ap_piped_log_write_fd(program);
    } else {
        rv = apr_file_open(&output, target, MODE, PERMISSIONS, pconf);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, CLERK_LOGNO(3310) "ClerkAuditLog: cannot open the file %s", target);
        output = NULL;
        return rv;
    }
    apr_pool_cleanup_register(pconf, NULL, forget, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

int clerk_audit_log_is_open(void)
{
    return output != NULL;
}

void clerk_audit_log_write(const clerk_json_line *line, request_rec *r)
{
    apr_size_t written = line->len;
    apr_status_t rv = apr_file_write(output, line->bytes, &written);

    if (rv != APR_SUCCESS || written < line->len) {
        int level = clerk_httpd_log_message_level(3312);

        ap_log_rerror(APLOG_MARK, level, rv, r,
                      CLERK_LOGNO(3312) "a line of ClerkAuditLog was not written, or not all of it");
    }
}
