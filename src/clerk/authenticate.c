/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/authenticate.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/context.h"
#include "clerk/cookie_path.h"
#include "clerk/handshake.h"
#include "clerk/session_token.h"

int clerk_reason_is_unavailable(clerk_reason reason)
{
    return reason == CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD || reason == CLERK_REASON_SECRET_KEY_INVALID;
}

clerk_reason clerk_context_verify(const clerk_context *context, clerk_identity **pidentity, const char *token,
                                  apr_interval_time_t skew)
{
    return clerk_session_token_verify(pidentity, clerk_session_token_read(token, context->services, context->pool),
                                      context->instance, context->policy, skew, context->services, context->pool);
}

clerk_outcome *clerk_context_signed_out_text(clerk_context *context, clerk_reason reason, const char *text)
{
    clerk_outcome *outcome = context->outcome;

    outcome->status = CLERK_SIGNED_OUT;
    outcome->reason = reason;
    outcome->reason_text = text;
    return outcome;
}

clerk_outcome *clerk_context_signed_out(clerk_context *context, clerk_reason reason)
{
    return clerk_context_signed_out_text(context, reason, clerk_reason_text(reason));
}

clerk_outcome *clerk_context_unavailable(clerk_context *context, clerk_reason reason)
{
    (void)clerk_context_signed_out(context, reason);
    context->outcome->status = CLERK_UNAVAILABLE;
    return context->outcome;
}

clerk_outcome *clerk_context_accept(clerk_context *context, clerk_identity *identity)
{
    clerk_outcome *outcome = context->outcome;

    outcome->identity = identity;
    if (identity->pending && context->policy->pending_sessions == CLERK_PENDING_SIGNED_OUT) {
        return clerk_context_signed_out(context, CLERK_REASON_SESSION_PENDING);
    }
    outcome->status = CLERK_SIGNED_IN;
    outcome->reason = CLERK_REASON_NONE;
    outcome->reason_text = clerk_reason_text(CLERK_REASON_NONE);
    return outcome;
}

/** The token of an Authorization value (2.2), word by word as the SDK splits it; NULL: none, the cookies decide. */
static const char *header_token(const char *authorization, apr_pool_t *pool)
{
    const char *space;
    const char *token;
    apr_size_t len;

    if (authorization == NULL) {
        return NULL;
    }
    space = strchr(authorization, ' ');
    if (space == NULL) {
        return authorization;
    }
    token = space + 1;
    space = strchr(token, ' ');
    len = space != NULL ? (apr_size_t)(space - token) : strlen(token);
    if (len == 0) {
        /* Two spaces: the scheme's name is all there is, and it is no token. */
        return apr_pstrmemdup(pool, authorization, (apr_size_t)(token - 1 - authorization));
    }
    return strncmp(authorization, "Bearer ", 7) == 0 ? apr_pstrmemdup(pool, token, len) : NULL;
}

const clerk_url *clerk_context_url(clerk_context *context)
{
    if (context->url == NULL) {
        context->url = clerk_url_join(context->request->origin_url, context->request->target, context->pool);
        context->query = clerk_query_parse(context->url != NULL ? context->url->query : NULL, context->pool);
    }
    return context->url;
}

/** Everything that only matters where cookies count; a good header token needs none of it. */
static void read_browser_state(clerk_context *context)
{
    const clerk_instance *instance = context->instance;
    const char *dev_browser;

    if (!(context->policy->token_sources & CLERK_SOURCE_COOKIE)) {
        return;
    }
    context->cookies = clerk_cookies_read(context->request->cookie, instance, context->services, context->pool);
    if ((instance->type == CLERK_INSTANCE_DEVELOPMENT || instance->satellite) && clerk_context_url(context) == NULL) {
        return;
    }
    context->browser_flow = instance->publishable_key != NULL && instance->frontend_url != NULL;
    context->development = context->browser_flow && instance->type == CLERK_INSTANCE_DEVELOPMENT;
    if (context->development) {
        dev_browser = clerk_query_get(context->query, "__clerk_db_jwt");
        context->dev_browser = dev_browser != NULL && *dev_browser != '\0' ? dev_browser
                                                                             : context->cookies->dev_browser;
        context->outcome->dev_browser = context->dev_browser;
    }
}

static clerk_outcome *header_path(clerk_context *context, const char *token)
{
    clerk_identity *identity;
    clerk_reason reason;

    context->outcome->carrier = CLERK_CARRIER_HEADER;
    reason = clerk_context_verify(context, &identity, token, context->policy->clock_skew);
    if (reason == CLERK_REASON_NONE) {
        return clerk_context_accept(context, identity);
    }
    read_browser_state(context);
    return clerk_token_refused(context, reason);
}

clerk_outcome *clerk_authenticate(const clerk_request *request, const clerk_instance *instance,
                                  const clerk_policy *policy, const clerk_services *services, apr_pool_t *pool)
{
    clerk_context context = {0};

    context.request = request;
    context.instance = instance;
    context.policy = policy;
    context.services = services;
    context.pool = pool;
    context.outcome = apr_pcalloc(pool, sizeof(*context.outcome));
    context.outcome->reason_text = "";
    context.outcome->set_cookies = apr_array_make(pool, 2, sizeof(const char *));
    if (policy->token_sources & CLERK_SOURCE_HEADER) {
        const char *token;

        token = header_token(request->authorization, pool);
        if (token != NULL) {
            return header_path(&context, token);
        }
    }
    if (!(policy->token_sources & CLERK_SOURCE_COOKIE)) {
        return clerk_context_signed_out(&context, CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING);
    }
    read_browser_state(&context);
    return clerk_cookie_path(&context);
}
