/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/expressions.h"

#include <apr_strings.h>

#include "clerk/outcome.h"
#include "clerk/session/claim.h"
#include "httpd/application/fast_redirect.h"
#include "httpd/application/variables.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/own_user.h"
#include "httpd/request/request_state.h"

static int in_force(const ap_expr_eval_ctx_t *ctx)
{
    return ctx->r && ctx->r->per_dir_config && clerk_request_state_is_auth_type(ctx->r);
}

static const clerk_identity *identity_of(ap_expr_eval_ctx_t *ctx)
{
    const clerk_identity *identity;
    const clerk_outcome *outcome;
    clerk_request_state *state;

    if (!in_force(ctx)) {
        return NULL;
    }
    state = clerk_request_state_get(ctx->r);
    state->expression_asked = 1;
    if ((identity = clerk_judge_established_identity(ctx->r)) || state->settled) {
        return identity;
    }
    outcome = clerk_judge_request(ctx->r);
    clerk_outcome_headers_send(ctx->r);
    return outcome && outcome->status == CLERK_SIGNED_IN ? outcome->identity : NULL;
}

static const json_t *claim_of(ap_expr_eval_ctx_t *ctx, const char *path)
{
    const clerk_identity *identity = identity_of(ctx);

    return identity ? clerk_claim_find(clerk_identity_claims(identity), path, ctx->p) : NULL;
}

static const char *claim_function(ap_expr_eval_ctx_t *ctx, const void *data, const char *path)
{
    (void)data;
    return clerk_claim_encode(claim_of(ctx, path), ctx->p);
}

static apr_array_header_t *claim_list_function(ap_expr_eval_ctx_t *ctx, const void *data, const char *path)
{
    (void)data;
    return clerk_claim_texts(claim_of(ctx, path), ctx->p);
}

static const char *variable_function(ap_expr_eval_ctx_t *ctx, const void *variable)
{
    /* CLERK_AUTH_STATUS is 'signed-out' for visitors, and empty where AuthType Clerk does not apply. */
    return in_force(ctx) ? clerk_variables_get(ctx->r, identity_of(ctx), variable) : NULL;
}

void clerk_expressions_settle(request_rec *r)
{
    clerk_request_state *state = clerk_request_state_get(r);

    state->settled = 1;
    clerk_fast_redirect_settle(r, state);
    if (r->user && clerk_request_state_is_auth_type(r)) {
        clerk_own_user_enforce(r);
    }
}

int clerk_expressions_lookup(ap_expr_lookup_parms *parms)
{
    const clerk_variable *variable;

    switch (parms->type) {
    case AP_EXPR_FUNC_STRING:
        if (strcasecmp(parms->name, "clerk")) {
            return DECLINED;
        }
        *parms->func = (const void *)claim_function;
        *parms->data = NULL;
        return OK;
    case AP_EXPR_FUNC_LIST:
        if (strcasecmp(parms->name, "clerk")) {
            return DECLINED;
        }
        *parms->func = (const void *)claim_list_function;
        *parms->data = NULL;
        return OK;
    case AP_EXPR_FUNC_VAR:
        if (!(variable = clerk_variables_find(parms->name))) {
            return DECLINED;
        }
        *parms->func = (const void *)variable_function;
        *parms->data = variable;
        return OK;
    default:
        return DECLINED;
    }
}
