/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_AUDIT_H
#define HTTPD_REQUEST_AUDIT_H

#include "httpd/process/audit_log.h"
#include "httpd/request/request_state.h"

/*
 * ClerkAuditLog: at most one line for each request of a client, written when it ends, about the decision that its
 * answer is due to:
 *
 * - of a request that is redirected inside httpd, the last decision on the way; but not one for the ErrorDocument of
 *   a request that was decided, whose answer it is
 * - if the request itself needed none, that of the last of its subrequests that did
 *
 * No decision, no line: where no Clerk applies, and where another Require let the request in without asking who it is.
 */

/* For the functions below. */
void clerk_audit_note_decision(request_rec *r, const clerk_runtime *runtime, const clerk_outcome *outcome);
void clerk_audit_note_requirements(request_rec *r, const char *refusal, const char *met, const char *unmet);

/** A decision was made for this request. Costs one look at a variable if there is no audit log. */
static inline void clerk_audit_decided(request_rec *r, const clerk_runtime *runtime, const clerk_outcome *outcome)
{
    if (clerk_audit_log_is_open()) {
        clerk_audit_note_decision(r, runtime, outcome);
    }
}

/** Register the log_transaction hook. */
void clerk_audit_register(void);

#endif
