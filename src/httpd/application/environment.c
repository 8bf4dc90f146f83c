/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/environment.h"

#include "httpd/application/variables.h"
#include "httpd/request/judge.h"
#include "httpd/request/request_state.h"
#include "httpd/request/table.h"

/*
 * Whether a variable names the user for the application. httpd sets REMOTE_USER and AUTH_TYPE only if there is a user;
 * without one, a program would get what, for example, SetEnvIf derived from a request header.
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
    /* No need to replace: these names were just removed, and each is added once. */
    apr_table_addn(env, name, value);
}

void clerk_environment_export(request_rec *r)
{
    const clerk_identity *identity = clerk_judge_established_identity(r);
    clerk_request_state *state = clerk_request_state_get(r);

    if (state->exported) {
        return;
    }
    /* Variables of the parent or redirecting request may be for another instance or another ClerkExportClaim. */
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
