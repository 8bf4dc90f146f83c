/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/authz_providers.h"

#include <apr_strings.h>

#include "clerk/outcome.h"
#include "httpd/authz/authz_require.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/request_state.h"

/* ------------------------------------------------------------------------------------------------------------------
 * What the user has, for the log
 */

/* Of a list in a log line. */
#define LIST_MAX 500

static const char *had_permissions(const clerk_identity *identity, apr_pool_t *pool)
{
    const char *list = identity->org_permissions_text ? identity->org_permissions_text : "";

    return apr_psprintf(pool, "permissions %.*s%s", LIST_MAX, *list ? list : "none",
                        strlen(list) > LIST_MAX ? "..." : "");
}

static const char *had_list(const char *what, const char *list, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s %.*s%s", what, LIST_MAX, list && *list ? list : "none",
                        list && strlen(list) > LIST_MAX ? "..." : "");
}

static const char *had_features(const clerk_identity *identity, apr_pool_t *pool)
{
    return had_list("features", identity->features, pool);
}

static const char *had_plans(const clerk_identity *identity, apr_pool_t *pool)
{
    return had_list("plans", identity->plans, pool);
}

static const char *had_actor(const clerk_identity *identity, apr_pool_t *pool)
{
    const char *nameless = identity->has_actor ? "unnamed" : "none";

    return apr_pstrcat(pool, "actor ", identity->actor_id ? identity->actor_id : nameless, NULL);
}

/* ------------------------------------------------------------------------------------------------------------------
 * The questions
 */

static int is_scope(const char *text, size_t len)
{
    static const char *const scopes[] = {"o", "org", "organization", "u", "user"};

    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        if (strlen(scopes[i]) == len && !strncmp(scopes[i], text, len)) {
            return 1;
        }
    }
    return 0;
}

static const char *scope_problem(const char *argument)
{
    const char *colon = strchr(argument, ':');

    if (!colon || is_scope(argument, (size_t)(colon - argument))) {
        return NULL;
    }
    return "the scope before the colon must be user (or u) or org (or o, organization); without one, both are meant";
}

static int mfa_granted(const clerk_identity *identity, const char *unused)
{
    (void)unused;
    return identity->factor_age.valid && identity->factor_age.second != -1;
}

static int actor_granted(const clerk_identity *identity, const char *unused)
{
    (void)unused;
    return identity->has_actor;
}

static const clerk_requirement_kind role_kind
    = {"clerk-role", "admin", clerk_authorize_role, NULL, NULL},
    org_kind = {"clerk-org", NULL, clerk_authorize_org, NULL, NULL},
    permission_kind = {"clerk-permission", "org:invoices:create", clerk_authorize_permission, NULL, had_permissions},
    feature_kind = {"clerk-feature", "reports", clerk_authorize_feature, scope_problem, had_features},
    plan_kind = {"clerk-plan", "user:gold", clerk_authorize_plan, scope_problem, had_plans},
    mfa_kind = {"clerk-mfa", NULL, mfa_granted, NULL, clerk_authz_require_had_factors},
    actor_kind = {"clerk-actor", NULL, actor_granted, NULL, had_actor};

/* ------------------------------------------------------------------------------------------------------------------
 * The providers
 */

static const char *parse(const clerk_requirement_kind *kind, cmd_parms *cmd, const char *line, const void **pparsed)
{
    clerk_requirement *requirement = NULL;
    const char *error = clerk_authz_require_parse(&requirement, kind, cmd, line);

    *pparsed = requirement;
    return error;
}

static const char *parse_role(cmd_parms *cmd, const char *line, const void **pparsed)
{
    return parse(&role_kind, cmd, line, pparsed);
}

static const char *parse_org(cmd_parms *cmd, const char *line, const void **pparsed)
{
    return parse(&org_kind, cmd, line, pparsed);
}

static const char *parse_permission(cmd_parms *cmd, const char *line, const void **pparsed)
{
    return parse(&permission_kind, cmd, line, pparsed);
}

static const char *parse_feature(cmd_parms *cmd, const char *line, const void **pparsed)
{
    return parse(&feature_kind, cmd, line, pparsed);
}

static const char *parse_plan(cmd_parms *cmd, const char *line, const void **pparsed)
{
    return parse(&plan_kind, cmd, line, pparsed);
}

static const char *parse_mfa(cmd_parms *cmd, const char *line, const void **pparsed)
{
    if (*line) {
        return "Require clerk-mfa: no argument is allowed; clerk-reverification asks how long ago it was";
    }
    return parse(&mfa_kind, cmd, line, pparsed);
}

static const char *parse_actor(cmd_parms *cmd, const char *line, const void **pparsed)
{
    return *line ? "Require clerk-actor: no argument is allowed" : parse(&actor_kind, cmd, line, pparsed);
}

static const char *parse_optional(cmd_parms *cmd, const char *line, const void **pparsed)
{
    (void)cmd;
    *pparsed = NULL;
    return *line ? "Require clerk-optional: no argument is allowed" : NULL;
}

/**
 * Grants always, but looks first: runs before authentication (httpd's userless pass), and where somebody is signed
 * in, or something has to be answered first (a handshake, a redirect, keys out of reach), says that a user is needed,
 * so that check_authn comes next and finds the outcome made.
 */
static authz_status check_optional(request_rec *r, const char *line, const void *parsed)
{
    const clerk_outcome *outcome;

    (void)line;
    (void)parsed;
    if (r->user || !clerk_request_state_is_auth_type(r)) {
        return AUTHZ_GRANTED;
    }
    outcome = clerk_judge_request(r);
    if (!outcome) {
        return AUTHZ_GENERAL_ERROR;
    }
    /* Where a redirect makes no sense, who would be redirected is an anonymous visitor; check_authn would answer 401.
     */
    if ((outcome->status != CLERK_SIGNED_OUT && outcome->status != CLERK_HANDSHAKE)
        || (outcome->location && clerk_outcome_headers_may_redirect(r))) {
        return AUTHZ_DENIED_NO_USER;
    }
    clerk_outcome_headers_send(r);
    return AUTHZ_GRANTED;
}

const authz_provider clerk_require_role = {clerk_authz_require_check, parse_role};
const authz_provider clerk_require_org = {clerk_authz_require_check, parse_org};
const authz_provider clerk_require_permission = {clerk_authz_require_check, parse_permission};
const authz_provider clerk_require_feature = {clerk_authz_require_check, parse_feature};
const authz_provider clerk_require_plan = {clerk_authz_require_check, parse_plan};
const authz_provider clerk_require_mfa = {clerk_authz_require_check, parse_mfa};
const authz_provider clerk_require_actor = {clerk_authz_require_check, parse_actor};
const authz_provider clerk_require_optional = {check_optional, parse_optional};
