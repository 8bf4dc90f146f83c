/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/environment.h"

#include "httpd/facts.h"
#include "httpd/state.h"

/** Remove what an outer hop left: all of it may be another instance's, or another place's choice of claims. */
static void clear(request_rec *r)
{
    const apr_array_header_t *variables = apr_table_elts(r->subprocess_env);
    apr_array_header_t *doomed = apr_array_make(r->pool, 4, sizeof(const char *));

    for (int i = 0; i < variables->nelts; i++) {
        const char *name = APR_ARRAY_IDX(variables, i, apr_table_entry_t).key;

        if (name && (*name == 'C' || *name == 'c') && !strncasecmp(name, CLERK_FACT_CLAIM, sizeof(CLERK_FACT_CLAIM) - 1)) {
            APR_ARRAY_PUSH(doomed, const char *) = name;
        }
    }
    for (int i = 0; i < doomed->nelts; i++) {
        apr_table_unset(r->subprocess_env, APR_ARRAY_IDX(doomed, i, const char *));
    }
    for (int i = 0; clerk_fact_names[i]; i++) {
        apr_table_unset(r->subprocess_env, clerk_fact_names[i]);
    }
}

static int export_fact(void *env, const char *name, const char *value)
{
    /* All of these names have just been cleared away. */
    apr_table_addn(env, name, value);
    return 1;
}

void clerk_environment_export(request_rec *r)
{
    const clerk_identity *identity = clerk_established_identity(r);
    clerk_request_state *state = clerk_state(r);

    if (state->exported) {
        return;
    }
    clear(r);
    apr_table_do(export_fact, r->subprocess_env, clerk_facts(r, identity), NULL);
    state->exported = identity != NULL;
}

int clerk_environment_fixups(request_rec *r)
{
    if (clerk_is_auth_type(r)) {
        clerk_environment_export(r);
    }
    return DECLINED;
}
