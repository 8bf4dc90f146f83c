/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/authz_providers.h"

#include <ap_provider.h>
#include <apr_strings.h>
#include <http_request.h>

#include "clerk/outcome.h"
#include "httpd/authz/authz_claim.h"
#include "httpd/authz/authz_require.h"
#include "httpd/authz/authz_reverification.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/request_state.h"
#include "httpd/request/webhook_message.h"

/* ------------------------------------------------------------------------------------------------------------------
 * The .had functions: what the user has, for the log
 */

/* The most bytes of a list in a log line. */
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

static const char *had_type(const clerk_identity *identity, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "token ", clerk_token_type_name(identity->kind), NULL);
}

static const char *had_scopes(const clerk_identity *identity, apr_pool_t *pool)
{
    return had_list("scopes", identity->scopes_text, pool);
}

static const char *had_actor(const clerk_identity *identity, apr_pool_t *pool)
{
    const char *nameless = identity->has_actor ? "unnamed" : "none";

    return apr_pstrcat(pool, "actor ", identity->actor_id ? identity->actor_id : nameless, NULL);
}

/* ------------------------------------------------------------------------------------------------------------------
 * The .granted, .problem and .check functions
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

static const char *type_problem(const char *argument)
{
    return clerk_authorize_is_token_type(argument) ? NULL : "the types are session, api-key, m2m and oauth";
}

static int mfa_granted(const clerk_identity *identity, const char *unused)
{
    (void)unused;
    return clerk_authorize_mfa(identity);
}

static int actor_granted(const clerk_identity *identity, const char *unused)
{
    (void)unused;
    return clerk_authorize_actor(identity);
}

/*
 * Whether a request in an optional place cannot just go on without a user: the visitor is signed in, or needs another
 * response first. In a subrequest or ErrorDocument, a visitor who would be redirected is treated as anonymous:
 * check_authn would answer 401 instead.
 */
static int is_for_check_authn(const request_rec *r, const clerk_outcome *outcome)
{
    if (outcome->location && clerk_outcome_headers_may_redirect(r)) {
        return 1;
    }
    if (outcome->expired_session) {
        /* A change must not be made anonymously because the visitor's session has expired (differences.md row 34). */
        return strcmp(r->method, "GET") && strcmp(r->method, "HEAD");
    }
    return outcome->status != CLERK_SIGNED_OUT && outcome->status != CLERK_HANDSHAKE;
}

/*
 * Always grants access, but authenticates first: httpd calls it before authentication. If the visitor is signed in, or
 * needs another response first (handshake, redirect, 401, 503), it reports that a user is needed, so that check_authn
 * runs next and finds the outcome.
 */
static authz_status check_optional(request_rec *r, const char *line, const void *parsed)
{
    const clerk_outcome *outcome;

    (void)line;
    (void)parsed;
    if (!clerk_request_state_is_auth_type(r) || clerk_authz_require_identity(r)) {
        return AUTHZ_GRANTED;
    }
    outcome = clerk_judge_request(r);
    if (!outcome) {
        return AUTHZ_GENERAL_ERROR;
    }
    if (is_for_check_authn(r, outcome)) {
        return AUTHZ_DENIED_NO_USER;
    }
    clerk_outcome_headers_send(r);
    return AUTHZ_GRANTED;
}

/* Needs no user: httpd calls it before authentication, and again after it if another line wants a user. */
static authz_status check_webhook(request_rec *r, const char *line, const void *parsed)
{
    (void)line;
    (void)parsed;
    return clerk_request_state_is_auth_type(r) && clerk_webhook_message_is_good(r) ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

/* ------------------------------------------------------------------------------------------------------------------
 * The providers
 */

#define NO_ARGUMENT "no argument is allowed"
/* The parse and check functions of most providers. */
#define BY_WORDS .parse = clerk_authz_require_parse, .check = clerk_authz_require_check

/*
 * The providers: identifier, name in Require lines, the other members of its clerk_requirement_kind.
 *
 * This is a list of macros and not an array because each provider needs a parse function of its own, which the list
 * makes: httpd does not say which provider a line is read for. Its note AUTHZ_PROVIDER_NAME_NOTE does in a Require
 * line, but in <AuthzProviderAlias> the note is missing, or still that of an earlier line.
 */
#define PROVIDERS(ROW)                                                                                                 \
    ROW(optional, "clerk-optional", .parse = clerk_authz_require_parse, .check = check_optional,                       \
        .no_arguments = NO_ARGUMENT)                                                                                   \
    ROW(role, "clerk-role", BY_WORDS, .example = "admin", .granted = clerk_authorize_role,                             \
        .missing = "a role in your organization that you do not have", .by_organization = 1)                           \
    ROW(org, "clerk-org", BY_WORDS, .granted = clerk_authorize_org,                                                    \
        .missing = "an organization that is not your active one", .by_organization = 1)                                \
    ROW(permission, "clerk-permission", BY_WORDS, .example = "org:invoices:create",                                    \
        .granted = clerk_authorize_permission, .had = had_permissions,                                                 \
        .missing = "a permission in your organization that you do not have", .by_organization = 1)                     \
    ROW(feature, "clerk-feature", BY_WORDS, .example = "reports", .granted = clerk_authorize_feature,                  \
        .problem = scope_problem, .had = had_features,                                                                 \
        .missing = "a feature that you and your organization do not have", .by_organization = 1)                       \
    ROW(plan, "clerk-plan", BY_WORDS, .example = "user:gold", .granted = clerk_authorize_plan,                         \
        .problem = scope_problem, .had = had_plans, .missing = "a plan that you and your organization do not have",    \
        .by_organization = 1)                                                                                          \
    ROW(reverification, "clerk-reverification", .parse = clerk_authz_reverification_parse,                             \
        .check = clerk_authz_reverification_check, .example = "strict", .had = clerk_authz_require_had_factors,        \
        .missing = "a recent confirmation that it is you", .by_sign_in = 1)                                            \
    ROW(mfa, "clerk-mfa", BY_WORDS, .no_arguments = NO_ARGUMENT "; clerk-reverification asks how long ago it was",     \
        .granted = mfa_granted, .had = clerk_authz_require_had_factors, .missing = "a sign-in with a second factor",   \
        .by_sign_in = 1)                                                                                               \
    ROW(claim, "clerk-claim", .parse = clerk_authz_claim_parse, .check = clerk_authz_claim_check,                      \
        .missing = "a property of your account that it does not have")                                                 \
    ROW(webhook, "clerk-webhook", .parse = clerk_authz_require_parse, .check = check_webhook,                          \
        .no_arguments = NO_ARGUMENT)                                                                                   \
    ROW(actor, "clerk-actor", BY_WORDS, .no_arguments = NO_ARGUMENT, .granted = actor_granted, .had = had_actor)       \
    ROW(token, "clerk-token", BY_WORDS, .example = "api-key", .granted = clerk_authorize_token,                        \
        .problem = type_problem, .had = had_type, .missing = "another kind of credential")                             \
    ROW(scope, "clerk-scope", BY_WORDS, .example = "orders:read", .granted = clerk_authorize_scope, .had = had_scopes, \
        .missing = "a scope that your credential does not have")

#define PROVIDER(id, text, ...)                                                                                        \
    static const clerk_requirement_kind id##_kind = {.name = text, __VA_ARGS__};                                       \
                                                                                                                       \
    static const char *parse_##id(cmd_parms *cmd, const char *line, const void **pparsed)                              \
    {                                                                                                                  \
        return id##_kind.parse(&id##_kind, cmd, line, pparsed);                                                        \
    }
PROVIDERS(PROVIDER)

static void add_provider(apr_pool_t *pool, const clerk_requirement_kind *kind,
                         const char *(*parse)(cmd_parms *cmd, const char *line, const void **pparsed))
{
    authz_provider *provider = apr_pcalloc(pool, sizeof(*provider));

    provider->check_authorization = kind->check;
    provider->parse_require_line = parse;
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, kind->name, AUTHZ_PROVIDER_VERSION, provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}

void clerk_authz_providers_register(apr_pool_t *pool)
{
#define ADD(id, ...) add_provider(pool, &id##_kind, parse_##id);
    PROVIDERS(ADD)
}
