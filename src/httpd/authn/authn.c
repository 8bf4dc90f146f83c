/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authn/authn.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "clerk/browser/sign_in.h"
#include "clerk/outcome.h"
#include "httpd/application/environment.h"
#include "httpd/application/remote_user.h"
#include "httpd/authn/pages.h"
#include "httpd/authz/refusal.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/own_user.h"
#include "httpd/request/request_state.h"
#include "httpd/request/wire.h"
#include "httpd/site/site.h"
#include "httpd/site/site_form.h"
#include "httpd/site/site_notice.h"

/* Seconds for the Retry-After header when no keys are available. The key store itself tries more often. */
#define RETRY_AFTER "5"

static void no_store(request_rec *r)
{
    clerk_outcome_headers_restrict_caching(r, "no-store");
}

/*
 * Offer Basic too, where it is accepted: git, WebDAV clients and others can do nothing else. Not to a page navigation:
 * the browser would ask the visitor for a password.
 */
static void offer_basic(request_rec *r, const char *realm)
{
    const clerk_policy *policy = &clerk_config_dir(r)->policy;
    clerk_request request;

    if (!policy->accept_basic || !(policy->accept_tokens & ~CLERK_ACCEPT_SESSION) || r->proxyreq == PROXYREQ_PROXY) {
        return;
    }
    clerk_wire_read_all(&request, r);
    if (clerk_request_is_navigation(&request)) {
        return;
    }
    apr_table_addn(r->err_headers_out, "WWW-Authenticate",
                   apr_psprintf(r->pool, "Basic realm=\"%s\", charset=\"UTF-8\"",
                                realm ? ap_escape_quotes(r->pool, realm) : "Clerk"));
}

int clerk_authn_note_failure(request_rec *r, const char *auth_type)
{
    const clerk_request_state *state = clerk_request_state_get(r);
    const char *realm = ap_auth_name(r);
    int presented;

    if (strcasecmp(auth_type, "Clerk")) {
        return DECLINED;
    }
    if (clerk_judge_established_identity(r)) {
        return OK;
    }
    presented = state->outcome && state->outcome->carrier != CLERK_CARRIER_NONE;
    apr_table_setn(r->err_headers_out, r->proxyreq == PROXYREQ_PROXY ? "Proxy-Authenticate" : "WWW-Authenticate",
                   apr_psprintf(r->pool, "Bearer realm=\"%s\"%s", realm ? ap_escape_quotes(r->pool, realm) : "Clerk",
                                presented ? ", error=\"invalid_token\"" : ""));
    offer_basic(r, realm);
    return OK;
}

static int redirect(request_rec *r, const char *location)
{
    no_store(r);
    apr_table_setn(r->headers_out, "Location", location);
    return HTTP_TEMPORARY_REDIRECT;
}

static int answer_unavailable(request_rec *r, const clerk_outcome *outcome)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  CLERK_LOGNO(3050) "a credential cannot be checked now: %s; clerkctl doctor looks for the cause",
                              outcome->reason_text);
    no_store(r);
    apr_table_setn(r->err_headers_out, "Retry-After",
                   outcome->retry_after > 0 ? apr_itoa(r->pool, outcome->retry_after) : RETRY_AFTER);
    return clerk_site_form_keep(r, HTTP_SERVICE_UNAVAILABLE, outcome);
}

/* The policy for the way to sign in: to ClerkSignInURL, else to the module's own page, else to the Account Portal. */
static clerk_policy sign_in_policy(request_rec *r)
{
    const clerk_instance *instance = clerk_config_runtime(r)->instance;
    clerk_policy policy = clerk_config_dir(r)->policy;

    /* A satellite signs in at its primary. */
    if (!policy.sign_in_url && !instance->satellite && instance->publishable_key) {
        policy.sign_in_url = clerk_site_path(r, "sign-in");
    }
    return policy;
}

/* Tell scripts where to sign in: they cannot follow a redirect to a page of another site. */
static void name_sign_in(request_rec *r, const clerk_outcome *outcome)
{
    const clerk_policy policy = sign_in_policy(r);
    const char *location;
    clerk_request request;

    if (!clerk_policy_takes_cookies(&policy) || r->main) {
        return;
    }
    clerk_wire_read_all(&request, r);
    location
        = clerk_sign_in_location_for_script(&request, clerk_config_runtime(r)->instance, &policy, outcome, r->pool);
    if (location) {
        apr_table_setn(r->err_headers_out, "X-Clerk-Sign-In-URL", location);
    }
}

/* The sign-up page: ClerkSignUpURL, else the module's own page, else that of the Account Portal; NULL: there is none.
 */
static const char *sign_up_page(request_rec *r)
{
    const clerk_instance *instance = clerk_config_runtime(r)->instance;
    const char *own = clerk_config_dir(r)->policy.sign_up_url;

    if (own || instance->satellite) {
        return own;
    }
    own = instance->publishable_key ? clerk_site_path(r, "sign-up") : NULL;
    return own || !instance->account_portal ? own : apr_pstrcat(r->pool, instance->account_portal, "/sign-up", NULL);
}

/* The URL of a page for signing in or up that leads back to this one, or to the form that was sent. */
static const char *way_to_page(request_rec *r, const char *page, const clerk_outcome *outcome)
{
    const clerk_instance *instance = clerk_config_runtime(r)->instance;
    clerk_policy policy = sign_in_policy(r);
    clerk_request request;

    if (page) {
        policy.sign_in_url = page;
    }
    clerk_wire_read_all(&request, r);
    return r->method_number == M_GET ? clerk_sign_in_location(&request, instance, &policy, outcome, r->pool)
                                     : clerk_sign_in_location_for_script(&request, instance, &policy, outcome, r->pool);
}

/* A page for people. A place that takes no cookie is for programs. */
static void offer_sign_in(request_rec *r, const clerk_outcome *outcome)
{
    const char *sign_up;

    if (!clerk_policy_takes_cookies(&clerk_config_dir(r)->policy) || !clerk_site_notice_is_seen(r, HTTP_UNAUTHORIZED)) {
        return;
    }
    sign_up = outcome->reason == CLERK_REASON_SESSION_PENDING ? NULL : sign_up_page(r);
    clerk_pages_offer_sign_in(r, way_to_page(r, NULL, outcome), sign_up ? way_to_page(r, sign_up, outcome) : NULL);
}

static int answer_signed_out(request_rec *r, const clerk_outcome *outcome)
{
    const clerk_dir_config *dir = clerk_config_dir(r);
    clerk_unauthenticated wanted = (clerk_unauthenticated)CLERK_SETTINGS_VALUE(dir, unauthenticated);
    const char *location;
    clerk_request request;
    int level;

    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                  CLERK_LOGNO(3051) "not signed in: %s; clerkctl explain shows each step", outcome->reason_text);
    if (wanted != CLERK_UNAUTHENTICATED_CHALLENGE && clerk_outcome_headers_may_redirect(r)) {
        clerk_wire_read_all(&request, r);
        if (clerk_sign_in_is_due(&request, &dir->policy, outcome, wanted == CLERK_UNAUTHENTICATED_SIGN_IN)) {
            const clerk_policy policy = sign_in_policy(r);

            location = clerk_sign_in_location(&request, clerk_config_runtime(r)->instance, &policy, outcome, r->pool);
            if (location) {
                return redirect(r, location);
            }
            level = clerk_httpd_log_message_level(3052);
            ap_log_rerror(APLOG_MARK, level, 0, r,
                          CLERK_LOGNO(3052) "no sign-in page to send a browser to; write ClerkSignInURL, or "
                                            "ClerkPublishableKey in the server configuration. It must not be a page "
                                            "that is itself protected");
        }
    }
    if (outcome->loop) {
        location = clerk_pages_explain_loop(r, outcome);
        if (location) {
            return redirect(r, location);
        }
    } else {
        name_sign_in(r, outcome);
        offer_sign_in(r, outcome);
    }
    no_store(r);
    clerk_authn_note_failure(r, "Clerk");
    return clerk_site_form_keep(r, HTTP_UNAUTHORIZED, outcome);
}

static int answer_signed_in(request_rec *r, const clerk_outcome *outcome)
{
    const char *user;
    int rc = clerk_remote_user_find(&user, r, outcome->identity);

    if (rc == HTTP_FORBIDDEN) {
        return clerk_refusal_nameless(r, outcome->identity);
    }
    if (rc != OK) {
        no_store(r);
        return rc;
    }
    clerk_own_user_set(r, user);
    clerk_environment_export(r);
    return OK;
}

int clerk_authn_check(request_rec *r)
{
    const clerk_outcome *outcome;

    if (!clerk_request_state_is_auth_type(r)) {
        return DECLINED;
    }
    if (r->proxyreq == PROXYREQ_PROXY) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, CLERK_LOGNO(3053) "AuthType Clerk cannot protect a forward proxy");
        return HTTP_FORBIDDEN;
    }
    if (r->user) {
        clerk_own_user_enforce(r);
    }
    outcome = clerk_judge_request(r);
    if (!outcome) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    clerk_outcome_headers_send(r);
    if (outcome->location && clerk_outcome_headers_may_redirect(r)) {
        return redirect(r, outcome->location);
    }
    switch (outcome->status) {
    case CLERK_SIGNED_IN:
        return answer_signed_in(r, outcome);
    case CLERK_UNAVAILABLE:
        return answer_unavailable(r, outcome);
    case CLERK_BAD_REQUEST:
        no_store(r);
        clerk_pages_explain_bad_handshake(r, outcome);
        return HTTP_BAD_REQUEST;
    default:
        return answer_signed_out(r, outcome);
    }
}
