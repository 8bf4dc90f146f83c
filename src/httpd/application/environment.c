/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/environment.h"

#include "httpd/application/variables.h"
#include "httpd/request/judge.h"
#include "httpd/request/request_state.h"
#include "httpd/request/table.h"

/**
 * Whether a variable tells the application who is asking. httpd overwrites REMOTE_USER and AUTH_TYPE only where there
 * is a user; without one, a program would see what SetEnvIf, for example, made of a request header.
 */
static int is_about_the_user(const char *name)
{
    switch (*name) {
    case 'R':
    case 'r':
        return !strcasecmp(name, "REMOTE_USER");
    case 'A':
    case 'a':
        return !strcasecmp(name, "AUTH_TYPE");
    default:
        return clerk_variables_has_name(name);
    }
}

static void add_variable(void *env, const char *name, const char *value)
{
    /* All of these names have just been removed, and each comes once. */
    apr_table_addn(env, name, value);
}

void clerk_environment_export(request_rec *r)
{
    const clerk_identity *identity = clerk_judge_established_identity(r);
    clerk_request_state *state = clerk_request_state_get(r);

    if (state->exported) {
        return;
    }
    /* What an outer hop left may be another instance's, or another place's choice of claims. */
    clerk_table_remove(r->subprocess_env, is_about_the_user, r->pool);
    clerk_variables_each(r, identity, add_variable, r->subprocess_env);
    state->exported = identity != NULL;
}

int clerk_environment_fixups(request_rec *r)
{
    if (clerk_request_state_is_auth_type(r)) {
        clerk_environment_export(r);
    }
    return DECLINED;
}
