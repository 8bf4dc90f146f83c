/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/variables.h"

#include <stddef.h>

#include <apr_strings.h>

#include "clerk/session/claim.h"
#include "httpd/config/config.h"
#include "httpd/config/htaccess.h"
#include "httpd/process/log.h"

static const char *auth_status(const clerk_identity *identity)
{
    return identity ? "signed-in" : "signed-out";
}

static const char *token_type(const clerk_identity *identity)
{
    return identity ? clerk_token_type_name(identity->kind) : NULL;
}

/*
 * All variables but exported claims, in the order of the documentation. Environment, request headers and expressions
 * use this table, and so does the removal of variables of a parent or redirecting request.
 */
#define TEXT(member) .text = offsetof(clerk_identity, member)
static const clerk_variable variables[] = {
    {"CLERK_AUTH_STATUS", .get = auth_status},
    {"CLERK_TOKEN_TYPE", .get = token_type},
    {"CLERK_USER_ID", TEXT(user_id)},
    {"CLERK_SESSION_ID", TEXT(session_id)},
    {"CLERK_SESSION_STATUS", TEXT(session_status)},
    {"CLERK_ORG_ID", TEXT(org_id)},
    {"CLERK_ORG_SLUG", TEXT(org_slug)},
    {"CLERK_ORG_ROLE", TEXT(org_role)},
    {"CLERK_ORG_PERMISSIONS", TEXT(org_permissions_text), .is_list = 1},
    {"CLERK_FEATURES", TEXT(features), .is_list = 1},
    {"CLERK_PLANS", TEXT(plans), .is_list = 1},
    {"CLERK_FACTOR_AGE", TEXT(factor_age_text)},
    {"CLERK_ACTOR_ID", TEXT(actor_id)},
};

#define COUNT (sizeof(variables) / sizeof(variables[0]))

const clerk_variable *clerk_variables_find(const char *name)
{
    for (apr_size_t i = 0; i < COUNT; i++) {
        if (!strcasecmp(variables[i].name, name)) {
            return &variables[i];
        }
    }
    return NULL;
}

int clerk_variables_has_name(const char *name)
{
    if ((*name != 'C' && *name != 'c') || strncasecmp(name, CLERK_VARIABLE_PREFIX, sizeof(CLERK_VARIABLE_PREFIX) - 1)) {
        return 0;
    }
    return !strncasecmp(name, CLERK_EXPORT_PREFIX, sizeof(CLERK_EXPORT_PREFIX) - 1) || clerk_variables_find(name);
}

static void log_too_long(request_rec *r, const clerk_variable *variable)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  CLERK_LOGNO(3064) "%s is left out: it is longer than %d bytes", variable->name, CLERK_VARIABLE_MAX);
}

static const clerk_identity nobody; /* without an identity, no text is set */

static inline const char *value_of(request_rec *r, const clerk_identity *identity, const clerk_variable *variable)
{
    const char *texts = (const char *)(identity ? identity : &nobody), *value;

    if (variable->get) {
        return variable->get(identity);
    }
    value = *(const char *const *)(const void *)(texts + variable->text);
    if (value && variable->is_list && strlen(value) > CLERK_VARIABLE_MAX) {
        log_too_long(r, variable);
        return NULL;
    }
    return value;
}

const char *clerk_variables_get(request_rec *r, const clerk_identity *identity, const clerk_variable *variable)
{
    return value_of(r, identity, variable);
}

/* The claims of ClerkExportClaim, by the names of their variables. */
static apr_table_t *exported_claims(request_rec *r, const clerk_identity *identity, const apr_array_header_t *exports)
{
    apr_table_t *claims = apr_table_make(r->pool, exports->nelts);

    for (int i = 0; i < exports->nelts; i++) {
        const clerk_export *wanted = &APR_ARRAY_IDX(exports, i, clerk_export);
        const json_t *claim = clerk_claim_find(clerk_identity_claims(identity), wanted->path, r->pool);
        const char *text = clerk_claim_encode(claim, r->pool);

        if (claim && !text) {
            ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                          CLERK_LOGNO(3065) "the claim %s is left out: it has control characters, or is longer than %d "
                                            "bytes",
                                      wanted->path, CLERK_CLAIM_TEXT_MAX);
        }
        /* If two paths have the same name, the last one counts. */
        if (text) {
            apr_table_setn(claims, wanted->name, text);
        }
    }
    return claims;
}

void clerk_variables_each(request_rec *r, const clerk_identity *identity, clerk_variables_sink *sink, void *data)
{
    const apr_array_header_t *exports, *claims;

    for (const clerk_variable *variable = variables; variable < variables + COUNT; variable++) {
        const char *value = value_of(r, identity, variable);

        if (value) {
            sink(data, variable->name, value);
        }
    }
    exports = clerk_config_dir(r)->export_claims;
    if (!identity || !exports || !exports->nelts) {
        return;
    }
    claims = apr_table_elts(exported_claims(r, identity, exports));
    for (int i = 0; i < claims->nelts; i++) {
        const apr_table_entry_t *claim = &APR_ARRAY_IDX(claims, i, apr_table_entry_t);

        sink(data, claim->key, claim->val);
    }
}

const char *clerk_variables_remote_user(request_rec *r, const clerk_identity *identity)
{
    const char *path = clerk_htaccess_remote_user(clerk_config_dir(r)), *user;
    const json_t *claim;

    if (!path) {
        return apr_pstrdup(r->pool, identity->subject);
    }
    claim = clerk_claim_find(clerk_identity_claims(identity), path, r->pool);
    user = json_is_string(claim) || json_is_number(claim) ? clerk_claim_encode(claim, r->pool) : NULL;
    if (!user || !*user) {
        int level = clerk_httpd_log_message_level(3063);

        ap_log_rerror(
            APLOG_MARK, level, 0, r,
            CLERK_LOGNO(3063) "refused: ClerkRemoteUser %s: the session token of user %s %s; add the claim "
                              "to the session token in the Clerk dashboard, or choose one that every user has",
                        path, identity->subject, claim ? "has no usable value there" : "has no such claim");
        return NULL;
    }
    return apr_pstrdup(r->pool, user);
}
