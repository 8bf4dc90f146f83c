/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/environment.h"

#include "httpd/application/variables.h"
#include "httpd/config/config.h"
#include "httpd/request/judge.h"
#include "httpd/request/request_state.h"

static int is_ours(const char *name)
{
    if (!name || (*name != 'C' && *name != 'c')
        || strncasecmp(name, CLERK_VARIABLE_PREFIX, sizeof(CLERK_VARIABLE_PREFIX) - 1)) {
        return 0;
    }
    for (int i = 0; clerk_variable_names[i]; i++) {
        if (!strcasecmp(name, clerk_variable_names[i])) {
            return 1;
        }
    }
    return !strncasecmp(name, CLERK_EXPORT_PREFIX, sizeof(CLERK_EXPORT_PREFIX) - 1);
}

/** Remove what an outer hop left: all of it may be another instance's, or another place's choice of claims. */
static void clear(request_rec *r)
{
    const apr_array_header_t *variables = apr_table_elts(r->subprocess_env);
    apr_array_header_t *doomed = NULL;

    for (int i = 0; i < variables->nelts; i++) {
        const char *name = APR_ARRAY_IDX(variables, i, apr_table_entry_t).key;

        if (is_ours(name)) {
            doomed = doomed ? doomed : apr_array_make(r->pool, 16, sizeof(const char *));
            APR_ARRAY_PUSH(doomed, const char *) = name;
        }
    }
    for (int i = 0; doomed && i < doomed->nelts; i++) {
        apr_table_unset(r->subprocess_env, APR_ARRAY_IDX(doomed, i, const char *));
    }
}

static void export_fact(void *env, const char *name, const char *value)
{
    /* All of these names have just been cleared away, and each comes once. */
    apr_table_addn(env, name, value);
}

void clerk_environment_export(request_rec *r)
{
    const clerk_identity *identity = clerk_judge_established_identity(r);
    clerk_request_state *state = clerk_request_state_get(r);

    if (state->exported) {
        return;
    }
    clear(r);
    clerk_variables_each(r, identity, export_fact, r->subprocess_env);
    state->exported = identity != NULL;
}

int clerk_environment_fixups(request_rec *r)
{
    if (clerk_request_state_is_auth_type(r)) {
        clerk_environment_export(r);
    }
    return DECLINED;
}
