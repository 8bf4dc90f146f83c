/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_REQUEST_STATE_H
#define HTTPD_REQUEST_REQUEST_STATE_H

#include <httpd.h>
#include <http_config.h>

#include "clerk/outcome.h"
#include "clerk/request.h"
#include "httpd/process/log.h"
#include "httpd/process/runtime.h"

/**
 * The state of one request_rec. Kept in its request_config only, because other modules can change notes and
 * environment.
 */
typedef struct clerk_request_state {
    const clerk_runtime *runtime;        /**< the instance that `outcome` is for */
    const clerk_policy *policy;          /**< the policy that `outcome` is for */
    clerk_outcome *outcome;              /**< of authentication; NULL: not authenticated yet */
    const void *clerk_in_force_for;      /**< the per-directory configuration whose AuthType was found to be Clerk */
    const void *allowed_for;             /**< the configuration under which access was allowed; NULL: not, or not yet */
    struct clerk_request_state *part;    /**< of the last subrequest that was allowed, while there is one */
    struct clerk_request_state *whole;   /**< of the parent request; fast_redirect.c's own, as these three are */
    const char *user;                    /**< the user that authentication has set; for own_user.c only */
    unsigned int headers_sent : 1;       /**< the outcome's headers are in err_headers_out already */
    unsigned int exported : 1;           /**< the variables of this request_rec are set */
    unsigned int in_access : 1;          /**< inside our own run of the access_checker_ex hook */
    unsigned int expression_asked : 1;   /**< an expression asked about the session */
    unsigned int requirement_asked : 1;  /**< so did a Require line, before authentication */
    unsigned int user_needed : 1;        /**< authorization needs a user, so it is done after authentication */
    unsigned int settled : 1;            /**< the handler is chosen: expressions no longer authenticate */
    unsigned int conditions_settled : 1; /**< inject_conditions.c has seen the conditional request fields */
    unsigned int json_refusal : 1;       /**< the body of the 403 is JSON */
    unsigned int form_page : 1;          /**< the body of the error is the page of site_form.c */
    unsigned int webhook_asked : 1;      /**< a Require clerk-webhook was evaluated */
    unsigned int stripped : 1;           /**< ClerkStripCredentials changed the headers; as received they were: */
    const char *sent_cookie;
    const char *sent_authorization;
    apr_array_header_t *replies;  /**< of the Backend API, in the client's request; for instance_services.c only */
    apr_array_header_t *profiles; /**< that were looked up, in the client's request; for user_profile.c only */
    struct clerk_webhook_state *webhook;   /**< in the client's request; for webhook_message.c only */
    struct clerk_audit_entry *audit;       /**< in the client's request; for audit.c only */
    struct clerk_require_log *require_log; /**< inside our own run of the auth_checker hook; else NULL */
} clerk_request_state;

/** The client's request: this one, or the one it is a subrequest of or was internally redirected from. */
request_rec *clerk_request_state_top(request_rec *r);

/** The state of the nearest request, from this one up to the client's, whose headers were stripped; NULL: none. */
const clerk_request_state *clerk_request_state_stripped(const request_rec *r);

/* Inline, because every hook calls them several times. */

/** The state of this request; NULL if there is none yet. */
static inline clerk_request_state *clerk_request_state_if_any(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &auth_clerk_module);
}

/** Create the state of a request that has none. */
clerk_request_state *clerk_request_state_make(request_rec *r);

/** The state of this request, created on first use. */
static inline clerk_request_state *clerk_request_state_get(request_rec *r)
{
    clerk_request_state *state = clerk_request_state_if_any(r);

    return state ? state : clerk_request_state_make(r);
}

/** Ask httpd for the AuthType, and note the configuration if it is Clerk. @return whether it is */
int clerk_request_state_ask_auth_type(request_rec *r);

/** Whether `AuthType Clerk` applies to this request. Evaluated once, because AuthType may be an expression. */
static inline int clerk_request_state_is_auth_type(request_rec *r)
{
    const clerk_request_state *state = clerk_request_state_if_any(r);

    return (state && state->clerk_in_force_for == r->per_dir_config) || clerk_request_state_ask_auth_type(r);
}

#endif
