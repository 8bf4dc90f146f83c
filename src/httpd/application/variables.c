/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/variables.h"

#include <stddef.h>

#include <apr_strings.h>

#include "clerk/session/claim.h"
#include "httpd/application/claim_hint.h"
#include "httpd/application/user_profile.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"

static const char *auth_status(const clerk_identity *identity)
{
    return identity ? "signed-in" : "signed-out";
}

static const char *token_type(const clerk_identity *identity)
{
    return identity ? clerk_token_type_name(identity->kind) : NULL;
}

static const char *of_kind(const clerk_identity *identity, clerk_token_type kind, const char *text)
{
    return identity && identity->kind == kind ? text : NULL;
}

static const char *machine_id(const clerk_identity *identity)
{
    return identity ? of_kind(identity, CLERK_TOKEN_M2M, identity->subject) : NULL;
}

static const char *api_key_id(const clerk_identity *identity)
{
    return identity ? of_kind(identity, CLERK_TOKEN_API_KEY, identity->token_id) : NULL;
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
    /* Only machine tokens have these: see OF_SESSION. */
    {"CLERK_MACHINE_ID", .get = machine_id},
    {"CLERK_CLIENT_ID", TEXT(client_id)},
    {"CLERK_SCOPES", TEXT(scopes_text), .is_list = 1},
    {"CLERK_API_KEY_ID", .get = api_key_id},
    {"CLERK_API_KEY_NAME", TEXT(name)},
    /* Of the user's profile, and these alone: at the end. */
    {"CLERK_USER_EMAIL", .profile = 1 + CLERK_PROFILE_EMAIL},
    {"CLERK_USER_USERNAME", .profile = 1 + CLERK_PROFILE_USERNAME},
    {"CLERK_USER_FIRST_NAME", .profile = 1 + CLERK_PROFILE_FIRST_NAME},
    {"CLERK_USER_LAST_NAME", .profile = 1 + CLERK_PROFILE_LAST_NAME},
    {"CLERK_USER_NAME", .profile = 1 + CLERK_PROFILE_NAME},
    {"CLERK_USER_IMAGE_URL", .profile = 1 + CLERK_PROFILE_IMAGE_URL},
    {"CLERK_USER_EXTERNAL_ID", .profile = 1 + CLERK_PROFILE_EXTERNAL_ID},
};

#define COUNT (sizeof(variables) / sizeof(variables[0]))
#define OF_IDENTITY (COUNT - CLERK_PROFILE_FIELDS)
#define OF_SESSION (OF_IDENTITY - 5)

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
    if (value && variable->is_list && !*value) {
        return NULL;
    }
    if (value && variable->is_list && strlen(value) > CLERK_VARIABLE_MAX) {
        log_too_long(r, variable);
        return NULL;
    }
    return value;
}

/* The user's profile, where the application gets it; NULL: none. */
static const clerk_profile *profile_of(request_rec *r, const clerk_identity *identity)
{
    return identity && CLERK_SETTINGS_VALUE(clerk_config_dir(r), user_profile)
               ? clerk_user_profile_get(r, identity)->profile
               : NULL;
}

const char *clerk_variables_get(request_rec *r, const clerk_identity *identity, const clerk_variable *variable)
{
    const clerk_profile *profile;

    if (!variable->profile) {
        return value_of(r, identity, variable);
    }
    profile = profile_of(r, identity);
    return profile ? profile->texts[variable->profile - 1] : NULL;
}

/* The text of ClerkExportClaim user:FIELD; NULL: none. */
static const char *exported_field(request_rec *r, const clerk_identity *identity, const char *field)
{
    const clerk_profile *profile = clerk_user_profile_get(r, identity)->profile;

    return profile ? clerk_profile_get(profile, field, r->pool) : NULL;
}

static const char *exported_claim(request_rec *r, const clerk_identity *identity, const clerk_export *wanted)
{
    const json_t *claim = clerk_claim_find(clerk_identity_claims(identity), wanted->path, r->pool);
    const char *text = clerk_claim_encode(claim, r->pool);

    if (!claim) {
        clerk_claim_hint_give(r, identity, wanted);
    } else if (!text) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      CLERK_LOGNO(3065) "the claim %s is left out: it has control characters, or is longer than %d "
                                        "bytes",
                                  wanted->path, CLERK_CLAIM_TEXT_MAX);
    }
    return text;
}

/* The claims of ClerkExportClaim, by the names of their variables. */
static apr_table_t *exported_claims(request_rec *r, const clerk_identity *identity, const apr_array_header_t *exports)
{
    apr_table_t *claims = apr_table_make(r->pool, exports->nelts);

    for (int i = 0; i < exports->nelts; i++) {
        const clerk_export *wanted = &APR_ARRAY_IDX(exports, i, clerk_export);
        const char *text
            = wanted->field ? exported_field(r, identity, wanted->field) : exported_claim(r, identity, wanted);

        /* If two paths have the same name, the last one counts. */
        if (text) {
            apr_table_setn(claims, wanted->name, text);
        }
    }
    return claims;
}

void clerk_variables_each(request_rec *r, const clerk_identity *identity, clerk_variables_sink *sink, void *data)
{
    const clerk_dir_config *conf = clerk_config_dir(r);
    const apr_array_header_t *exports, *claims;
    const clerk_profile *profile;
    const clerk_variable *end
        = variables + (identity && identity->kind != CLERK_TOKEN_SESSION ? OF_IDENTITY : OF_SESSION);

    for (const clerk_variable *variable = variables; variable < end; variable++) {
        const char *value = value_of(r, identity, variable);

        if (value) {
            sink(data, variable->name, value);
        }
    }
    profile
        = identity && CLERK_SETTINGS_VALUE(conf, user_profile) ? clerk_user_profile_get(r, identity)->profile : NULL;
    if (profile) {
        for (const clerk_variable *variable = variables + OF_IDENTITY; variable < variables + COUNT; variable++) {
            if (profile->texts[variable->profile - 1]) {
                sink(data, variable->name, profile->texts[variable->profile - 1]);
            }
        }
    }
    exports = conf->export_claims;
    if (!identity || !exports || !exports->nelts) {
        return;
    }
    claims = apr_table_elts(exported_claims(r, identity, exports));
    for (int i = 0; i < claims->nelts; i++) {
        const apr_table_entry_t *claim = &APR_ARRAY_IDX(claims, i, apr_table_entry_t);

        sink(data, claim->key, claim->val);
    }
}
