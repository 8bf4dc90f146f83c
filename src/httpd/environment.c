/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/environment.h"

#include <apr_strings.h>

#include "httpd/state.h"

static const char *const variables[] = {
    "CLERK_AUTH_STATUS", "CLERK_TOKEN_TYPE", "CLERK_USER_ID", "CLERK_SESSION_ID", "CLERK_SESSION_STATUS",
    "CLERK_ORG_ID", "CLERK_ORG_SLUG", "CLERK_ORG_ROLE", "CLERK_ORG_PERMISSIONS", "CLERK_FEATURES", "CLERK_PLANS",
    "CLERK_FACTOR_AGE", "CLERK_ACTOR_ID"
};

static void set(apr_table_t *env, const char *name, const char *value)
{
    if (value) {
        apr_table_setn(env, name, value);
    }
}

static const char *factor_age_text(const clerk_factor_age *age, apr_pool_t *pool)
{
    return age->valid ? apr_psprintf(pool, "%.15g,%.15g", age->first, age->second) : NULL;
}

static void export_identity(apr_table_t *env, const clerk_identity *identity, apr_pool_t *pool)
{
    apr_table_setn(env, "CLERK_AUTH_STATUS", "signed-in");
    apr_table_setn(env, "CLERK_TOKEN_TYPE", "session_token");
    set(env, "CLERK_USER_ID", identity->user_id);
    set(env, "CLERK_SESSION_ID", identity->session_id);
    set(env, "CLERK_SESSION_STATUS", identity->session_status);
    set(env, "CLERK_ORG_ID", identity->org_id);
    set(env, "CLERK_ORG_SLUG", identity->org_slug);
    set(env, "CLERK_ORG_ROLE", identity->org_role);
    if (identity->org_permissions) {
        set(env, "CLERK_ORG_PERMISSIONS", apr_array_pstrcat(pool, identity->org_permissions, ','));
    }
    set(env, "CLERK_FEATURES", identity->features_text);
    set(env, "CLERK_PLANS", identity->plans_text);
    set(env, "CLERK_FACTOR_AGE", factor_age_text(&identity->factor_age, pool));
    set(env, "CLERK_ACTOR_ID", identity->actor_id);
}

void clerk_environment_export(request_rec *r)
{
    const clerk_identity *identity = clerk_established_identity(r);
    clerk_request_state *state = clerk_state(r);

    if (state->exported) {
        return;
    }
    for (apr_size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        apr_table_unset(r->subprocess_env, variables[i]);
    }
    if (identity) {
        export_identity(r->subprocess_env, identity, r->pool);
        state->exported = 1;
    }
    else {
        apr_table_setn(r->subprocess_env, "CLERK_AUTH_STATUS", "signed-out");
    }
}

int clerk_environment_fixups(request_rec *r)
{
    if (clerk_is_auth_type(r)) {
        clerk_environment_export(r);
    }
    return DECLINED;
}
