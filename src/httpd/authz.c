/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz.h"

#include <apr_strings.h>
#include <ap_expr.h>
#include <ap_provider.h>
#include <http_request.h>
#include <mod_auth.h>

#include "clerk/authorize.h"
#include "httpd/authn.h"
#include "httpd/log.h"
#include "httpd/state.h"

/** A Require line, parsed once: each word is a literal or an expression of its own, so that what a client can put into an
 *  expression's value (a space, say) never becomes a further alternative. */
typedef struct requirement {
    apr_array_header_t *words;           /* of requirement_word */
} requirement;

typedef struct requirement_word {
    const char *literal;                 /* or NULL */
    const ap_expr_info_t *expression;
} requirement_word;

typedef int question(const clerk_identity *identity, const char *argument);

static const char *parse_words(cmd_parms *cmd, const char *line, const void **pparsed)
{
    requirement *parsed = apr_palloc(cmd->pool, sizeof(*parsed));

    parsed->words = apr_array_make(cmd->pool, 2, sizeof(requirement_word));
    while (*line) {
        requirement_word *word = apr_array_push(parsed->words);
        const char *text = ap_getword_conf(cmd->pool, &line), *error = NULL;

        word->literal = text;
        word->expression = NULL;
        if (!*text) {
            return "an empty argument matches nothing";
        }
        if (strchr(text, '%')) {
            word->literal = NULL;
            word->expression = ap_expr_parse_cmd(cmd, text, AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
            if (error) {
                return apr_psprintf(cmd->pool, "cannot parse the expression '%s': %s", text, error);
            }
        }
    }
    *pparsed = parsed;
    return NULL;
}

static const char *parse_some(cmd_parms *cmd, const char *line, const void **pparsed)
{
    const char *error = parse_words(cmd, line, pparsed);

    if (!error && !((const requirement *)*pparsed)->words->nelts) {
        error = "at least one argument is needed, such as Require clerk-role admin";
    }
    return error;
}

static const char *parse_none(cmd_parms *cmd, const char *line, const void **pparsed)
{
    (void)cmd;
    *pparsed = NULL;
    return *line ? "no argument is allowed" : NULL;
}

/** One match grants. @a name is for the log. */
static authz_status ask(request_rec *r, const requirement *parsed, const char *name, question *granted)
{
    const clerk_identity *identity = clerk_established_identity(r);
    const requirement_word *words = (const requirement_word *)parsed->words->elts;
    const char *argument, *error = NULL;

    if (!identity) {
        return AUTHZ_DENIED_NO_USER;
    }
    if (!parsed->words->nelts && granted(identity, NULL)) {
        return AUTHZ_GRANTED;
    }
    for (int i = 0; i < parsed->words->nelts; i++) {
        argument = words[i].literal ? words[i].literal : ap_expr_str_exec(r, words[i].expression, &error);
        if (error) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, CLERK_LOGNO(3060) "Require %s: an expression failed: %s", name, error);
            return AUTHZ_GENERAL_ERROR;
        }
        if (*argument && granted(identity, argument)) {
            return AUTHZ_GRANTED;
        }
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  CLERK_LOGNO(3061) "Require %s is not met: user %s, organization %s (%s), role %s", name, identity->user_id,
                  identity->org_id ? identity->org_id : "none", identity->org_slug ? identity->org_slug : "-",
                  identity->org_role ? identity->org_role : "none");
    return AUTHZ_DENIED;
}

static authz_status check_role(request_rec *r, const char *line, const void *parsed)
{
    (void)line;
    return ask(r, parsed, "clerk-role", clerk_authorize_role);
}

static authz_status check_org(request_rec *r, const char *line, const void *parsed)
{
    (void)line;
    return ask(r, parsed, "clerk-org", clerk_authorize_org);
}

/**
 * Grants always, but looks first: runs before authentication (httpd's userless pass), and where somebody is signed in, or something has to be
 * answered first (a handshake, a redirect, keys out of reach), says that a user is needed, so that check_authn comes next and finds the outcome made.
 */
static authz_status check_optional(request_rec *r, const char *line, const void *parsed)
{
    const clerk_outcome *outcome;

    (void)line;
    (void)parsed;
    if (r->user || !clerk_is_auth_type(r)) {
        return AUTHZ_GRANTED;
    }
    outcome = clerk_judge(r);
    if (!outcome) {
        return AUTHZ_GENERAL_ERROR;
    }
    if (outcome->status != CLERK_SIGNED_OUT || outcome->location) {
        /* A handshake that cannot be proposed here is an anonymous visitor; check_authn would answer 401. */
        if (outcome->status != CLERK_HANDSHAKE || clerk_may_redirect(r)) {
            return AUTHZ_DENIED_NO_USER;
        }
    }
    clerk_send_outcome_headers(r);
    return AUTHZ_GRANTED;
}

static const authz_provider role_provider = {check_role, parse_some};
static const authz_provider org_provider = {check_org, parse_words};
static const authz_provider optional_provider = {check_optional, parse_none};

void clerk_authz_register(apr_pool_t *pool)
{
    static const struct {
        const char *name;
        const authz_provider *provider;
    } providers[] = {
        {"clerk-role", &role_provider},
        {"clerk-org", &org_provider},
        {"clerk-optional", &optional_provider}
    };

    for (apr_size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
        ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, providers[i].name, AUTHZ_PROVIDER_VERSION,
                                  providers[i].provider, AP_AUTH_INTERNAL_PER_CONF);
    }
}

int clerk_check_authz(request_rec *r)
{
    clerk_request_state *state;
    const clerk_identity *identity;
    int rc;

    if (!clerk_is_auth_type(r)) {
        return DECLINED;
    }
    state = clerk_state(r);
    if (state->in_authz) {
        return DECLINED;
    }
    identity = clerk_established_identity(r);
    if (r->user && !identity) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      CLERK_LOGNO(3062) "AuthType is Clerk, but another module set the user and this one never saw the "
                      "request; load auth_clerk_module before that module");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    state->in_authz = 1;
    rc = ap_run_auth_checker(r);
    state->in_authz = 0;
    if (rc == HTTP_UNAUTHORIZED && identity) {
        apr_table_unset(r->err_headers_out, "WWW-Authenticate");
        apr_table_unset(r->err_headers_out, "Proxy-Authenticate");
        apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Status", "signed-in");
        apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Reason", "forbidden");
        rc = HTTP_FORBIDDEN;
    }
    return rc;
}
