/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/fast_redirect.h"

#include "httpd/application/environment.h"
#include "httpd/application/headers.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/own_user.h"
#include "httpd/request/request_state.h"

/** The subrequest ends, and was not needed. */
static apr_status_t forget_part(void *baton)
{
    clerk_request_state *state = baton;

    if (state->whole->part == state) {
        state->whole->part = NULL;
    }
    return APR_SUCCESS;
}

void clerk_fast_redirect_note_part(request_rec *r)
{
    clerk_request_state *state = clerk_request_state_get(r);

    state->whole = clerk_request_state_get(r->main);
    state->whole->part = state;
    apr_pool_cleanup_register(r->pool, state, forget_part, apr_pool_cleanup_null);
}

void clerk_fast_redirect_take_over(request_rec *r)
{
    clerk_request_state *state = clerk_request_state_get(r);
    const clerk_request_state *part = state->part;

    if (!clerk_request_state_is_auth_type(r)) {
        return;
    }
    part = part && part->allowed_for == r->per_dir_config ? part : NULL;
    if (part && part->user) {
        state->runtime = part->runtime;
        state->policy = part->policy;
        state->outcome = part->outcome;
        clerk_own_user_set(r, part->user);
    } else if (!clerk_judge_established_identity(r)) {
        clerk_own_user_set(r, NULL);
        state->user_needed = part && part->user_needed;
    }
}

void clerk_fast_redirect_set_again(request_rec *r)
{
    clerk_fast_redirect_take_over(r);
    clerk_outcome_headers_unify(r);
    clerk_request_state_get(r)->exported = 0;
    (void)clerk_environment_fixups(r);
    clerk_headers_set_again(r);
}
