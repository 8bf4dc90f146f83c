/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authn/authn.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/application/environment.h"
#include "httpd/application/variables.h"
#include "httpd/process/log.h"
#include "httpd/authn/pages.h"
#include "httpd/authz/refusal.h"
#include "httpd/request/request_state.h"
#include "httpd/request/wire.h"

/* How long a client should wait before it asks again when keys are out of reach; the key store tries more often. */
#define RETRY_AFTER "5"

static const char *const status_texts[] = {[CLERK_SIGNED_IN] = "signed-in",
                                           [CLERK_SIGNED_OUT] = "signed-out",
                                           [CLERK_HANDSHAKE] = "handshake",
                                           [CLERK_UNAVAILABLE] = "signed-out",
                                           [CLERK_BAD_REQUEST] = "signed-out"};

/* All of it goes to err_headers_out: headers_out does not survive an error or a redirect. */

static void no_store(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
}

static int is_other(void *cookie, const char *name, const char *value)
{
    (void)name;
    return strcmp(cookie, value) != 0;
}

/** A cookie goes to the client whatever part of the page it came with, and once however often the request is judged. */
static void add_cookie(request_rec *top, const char *cookie)
{
    if (apr_table_do(is_other, (void *)cookie, top->err_headers_out, "Set-Cookie", NULL)) {
        apr_table_add(top->err_headers_out, "Set-Cookie", cookie);
    }
}

void clerk_send_outcome_headers(request_rec *r)
{
    clerk_request_state *state = clerk_state(r);
    const clerk_outcome *outcome = state->outcome;

    if (!outcome || state->headers_sent) {
        return;
    }
    state->headers_sent = 1;
    for (int i = 0; i < outcome->set_cookies->nelts; i++) {
        add_cookie(clerk_top_request(r), APR_ARRAY_IDX(outcome->set_cookies, i, const char *));
    }
    if (outcome->status != CLERK_SIGNED_IN) {
        apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Status", status_texts[outcome->status]);
        apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Reason", outcome->reason_text);
    }
    /* What a page shows depends on who asks: no shared cache may keep it. */
    apr_table_mergen(r->err_headers_out, "Cache-Control", "private");
}

int clerk_note_auth_failure(request_rec *r, const char *auth_type)
{
    const clerk_request_state *state = clerk_state(r);
    const char *realm = ap_auth_name(r);
    int presented;

    if (strcasecmp(auth_type, "Clerk")) {
        return DECLINED;
    }
    if (clerk_established_identity(r)) {
        return OK;
    }
    presented = state->outcome && state->outcome->carrier != CLERK_CARRIER_NONE;
    apr_table_setn(r->err_headers_out, r->proxyreq == PROXYREQ_PROXY ? "Proxy-Authenticate" : "WWW-Authenticate",
                   apr_psprintf(r->pool, "Bearer realm=\"%s\"%s", realm ? ap_escape_quotes(r->pool, realm) : "Clerk",
                                presented ? ", error=\"invalid_token\"" : ""));
    return OK;
}

/* A page shown because of an error, or part of another page: a redirect there would loop or be shown nowhere. */
int clerk_may_redirect(const request_rec *r)
{
    if (r->main) {
        return 0;
    }
    for (; r; r = r->prev) {
        if (r->prev && r->prev->status >= 400) {
            return 0;
        }
    }
    return 1;
}

static int redirect(request_rec *r, const char *location)
{
    no_store(r);
    apr_table_setn(r->headers_out, "Location", location);
    return HTTP_TEMPORARY_REDIRECT;
}

static int answer_unavailable(request_rec *r, const clerk_outcome *outcome)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, CLERK_LOGNO(3050) "a credential cannot be checked now: %s",
                  outcome->reason_text);
    no_store(r);
    apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER);
    return HTTP_SERVICE_UNAVAILABLE;
}

static int answer_signed_out(request_rec *r, const clerk_outcome *outcome)
{
    const clerk_dir_config *dir = clerk_config_dir(r);
    const char *location;
    clerk_request request;
    int level;

    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, CLERK_LOGNO(3051) "not signed in: %s", outcome->reason_text);
    /* A loop that was noticed ends here: one more redirect would be one more round. */
    if (dir->unauthenticated != CLERK_UNAUTHENTICATED_CHALLENGE && (dir->policy.token_sources & CLERK_SOURCE_COOKIE)
        && clerk_may_redirect(r) && !outcome->loop) {
        clerk_wire_read(&request, r);
        if (clerk_request_is_navigation(&request)
            || (dir->unauthenticated == CLERK_UNAUTHENTICATED_SIGN_IN && r->method_number == M_GET)) {
            location
                = clerk_sign_in_location(&request, clerk_config_runtime(r)->instance, &dir->policy, outcome, r->pool);
            if (location) {
                return redirect(r, location);
            }
            level = clerk_httpd_message_level();
            ap_log_rerror(APLOG_MARK, level, 0, r,
                          CLERK_LOGNO(3052) "no sign-in page to send a browser to; write ClerkSignInURL, or "
                                            "ClerkPublishableKey in the server configuration. It must not be a page "
                                            "that is itself protected");
        }
    }
    if (outcome->loop) {
        clerk_explain_loop(r, outcome);
    }
    no_store(r);
    clerk_note_auth_failure(r, "Clerk");
    return HTTP_UNAUTHORIZED;
}

int clerk_check_authn(request_rec *r)
{
    const clerk_outcome *outcome;
    const char *user;

    if (!clerk_is_auth_type(r)) {
        return DECLINED;
    }
    if (r->proxyreq == PROXYREQ_PROXY) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, CLERK_LOGNO(3053) "AuthType Clerk cannot protect a forward proxy");
        return HTTP_FORBIDDEN;
    }
    outcome = clerk_judge(r);
    if (!outcome) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    clerk_send_outcome_headers(r);
    if (outcome->location && clerk_may_redirect(r)) {
        return redirect(r, outcome->location);
    }
    switch (outcome->status) {
    case CLERK_SIGNED_IN:
        user = clerk_remote_user(r, outcome->identity);
        if (!user) {
            return clerk_forbid(r, "forbidden");
        }
        r->user = (char *)user;
        r->ap_auth_type = (char *)"Clerk";
        clerk_environment_export(r);
        return OK;
    case CLERK_UNAVAILABLE:
        return answer_unavailable(r, outcome);
    case CLERK_BAD_REQUEST:
        no_store(r);
        clerk_explain_bad_handshake(r, outcome);
        return HTTP_BAD_REQUEST;
    default:
        return answer_signed_out(r, outcome);
    }
}
