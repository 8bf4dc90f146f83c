/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_REQUEST_STATE_H
#define HTTPD_REQUEST_REQUEST_STATE_H

#include <httpd.h>

#include "clerk/outcome.h"
#include "clerk/request.h"
#include "httpd/process/runtime.h"

/** What we know of one request; lives in its request_config and nowhere else (httpd: notes and env are others' too). */
typedef struct clerk_request_state {
    const clerk_runtime *runtime;      /**< the instance that judged */
    const clerk_policy *policy;        /**< under these rules */
    clerk_outcome *outcome;            /**< what came out; NULL: not judged */
    const void *clerk_in_force_for;    /**< the per-directory configuration whose AuthType was found to be Clerk */
    unsigned int headers_sent : 1;     /**< the outcome's headers are in err_headers_out already */
    unsigned int exported : 1;         /**< the environment has been set for this request_rec */
    unsigned int in_access : 1;        /**< inside our own run of the access_checker_ex hook */
    unsigned int expression_asked : 1; /**< an expression asked about the session */
    unsigned int user_needed : 1;      /**< it has to be decided after authentication */
    unsigned int settled : 1;          /**< the handler has been chosen: expressions do not judge any more */
    unsigned int json_refusal : 1;     /**< the text of the 403 is JSON */
    unsigned int stripped : 1;         /**< ClerkStripCredentials changed the headers; what the client sent was: */
    const char *sent_cookie;
    const char *sent_authorization;
    apr_array_header_t *replies; /**< of the Backend API, in the request that the client made; services.c's own */
    struct clerk_require_log *require_log; /**< inside our own run of the auth_checker hook; else NULL */
} clerk_request_state;

/** The request that the client made: this one, or what it is a part of or was redirected from. */
request_rec *clerk_request_state_top(request_rec *r);

/** The request's own state, made if need be. */
clerk_request_state *clerk_request_state_get(request_rec *r);

/** The nearest state up the chain, this request's included, whose headers ClerkStripCredentials changed; NULL: none. */
const clerk_request_state *clerk_request_state_stripped(const request_rec *r);

/** The request's own state; NULL where there is none yet. */
clerk_request_state *clerk_request_state_if_any(const request_rec *r);

/** Whether AuthType Clerk is in force. */
int clerk_request_state_is_auth_type(request_rec *r);

#endif
