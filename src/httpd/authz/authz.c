/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/authz.h"

#include <http_request.h>

#include "httpd/application/fast_redirect.h"
#include "httpd/authz/authz_require.h"
#include "httpd/authz/refusal.h"
#include "httpd/config/open_sections.h"
#include "httpd/process/log.h"
#include "httpd/request/audit.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/own_user.h"
#include "httpd/request/request_state.h"
#include "httpd/request/webhook_message.h"

/*
 * Two of the hooks here run the hook that they are in once more, without themselves, to see what all other modules
 * answer: clerk_authz_check_access() before authentication (`in_access`), to find out whether a user is needed, and
 * clerk_authz_check() after it (`require_log`), to answer a missed Require of a signed-in user with 403 instead of 401.
 */

static int is_signed_in(request_rec *r)
{
    const clerk_outcome *outcome = clerk_judge_request(r);

    clerk_outcome_headers_send(r);
    return outcome && outcome->status == CLERK_SIGNED_IN;
}

int clerk_authz_check_access(request_rec *r)
{
    clerk_request_state *state;
    int was_message, rc;

    if (!clerk_request_state_is_auth_type(r)) {
        return DECLINED;
    }
    state = clerk_request_state_get(r);
    if (state->in_access) {
        return DECLINED;
    }
    state->in_access = 1;
    state->expression_asked = 0;
    state->requirement_asked = 0;
    state->user_needed = 0;
    if (r->user) {
        clerk_own_user_enforce(r);
    }
    rc = ap_run_access_checker_ex(r);
    state->in_access = 0;
    if (r->user && clerk_own_user_enforce(r) && rc == OK) {
        /* Another module set the user after our check; mod_authz_core may have granted access to that user. */
        rc = DECLINED;
    }
    if (state->webhook_asked && (rc == DECLINED || rc == HTTP_FORBIDDEN)
        && clerk_webhook_message_was_refused(r, &was_message) && (was_message || rc == HTTP_FORBIDDEN)) {
        /* A sender of messages is told that this one is not good, and not asked to sign in. */
        return HTTP_BAD_REQUEST;
    }
    if (rc == DECLINED) {
        /* Return OK and let clerk_authz_force_authn() ask for authentication: DECLINED would run all hooks again. */
        state->user_needed = 1;
    } else if (state->requirement_asked && rc == OK) {
        /* Granted by another line. This one was not evaluated, and may exclude some of those who are signed in. */
        state->user_needed = is_signed_in(r);
    } else if (state->expression_asked && !r->user) {
        /* mod_authz_core does not know that the expression needs a user, or it would have required one. */
        state->user_needed = rc == OK ? state->outcome && state->outcome->status == CLERK_SIGNED_IN
                                      : rc == HTTP_FORBIDDEN || rc == HTTP_UNAUTHORIZED;
    }
    if (rc == OK && !state->user_needed && !state->outcome) {
        clerk_open_sections_warn(r);
    }
    /* OK is not final: clerk_authz_force_authn() causes authentication and authorization. */
    return state->user_needed ? OK : rc;
}

int clerk_authz_force_authn(request_rec *r)
{
    return clerk_request_state_is_auth_type(r) && clerk_request_state_get(r)->user_needed ? OK : DECLINED;
}

int clerk_authz_fixups(request_rec *r)
{
    const clerk_request_state *state = clerk_request_state_if_any(r);

    if (state && state->part) {
        clerk_fast_redirect_take_over(r);
    }
    if (!clerk_request_state_is_auth_type(r)) {
        return DECLINED;
    }
    clerk_own_user_enforce(r);
    if (clerk_request_state_get(r)->user_needed && !r->user) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            CLERK_LOGNO(3066) "a user is required, and no user was authenticated; another module answers httpd's "
                              "force_authn hook before this one");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    clerk_fast_redirect_note(r);
    return DECLINED;
}

static int refuse_foreign_user(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  CLERK_LOGNO(3062) "refused: AuthType is Clerk, but another module set the user %s; load "
                                    "auth_clerk_module before that module, or do without it here",
                              r->user ? r->user : "(none)");
    return HTTP_INTERNAL_SERVER_ERROR;
}

int clerk_authz_check(request_rec *r)
{
    clerk_require_log log = {NULL, NULL};
    clerk_request_state *state;
    const clerk_identity *identity;
    int rc;

    if (!clerk_request_state_is_auth_type(r)) {
        return DECLINED;
    }
    state = clerk_request_state_get(r);
    if (state->require_log) {
        return DECLINED;
    }
    identity = clerk_judge_established_identity(r);
    if (!identity || !clerk_own_user_is(r)) {
        return refuse_foreign_user(r);
    }
    state->require_log = &log;
    rc = ap_run_auth_checker(r);
    state->require_log = NULL;
    if (!clerk_own_user_is(r)) {
        return refuse_foreign_user(r);
    }
    if (rc == HTTP_UNAUTHORIZED || rc == HTTP_FORBIDDEN) {
        return clerk_refusal_refuse(r, identity, &log);
    }
    if (clerk_audit_log_is_open()) {
        clerk_audit_note_requirements(r, NULL, clerk_authz_require_lines(&log, 1, r->pool),
                                      clerk_authz_require_lines(&log, 0, r->pool));
    }
    return rc;
}
