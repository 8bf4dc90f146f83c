/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/context.h"

#include <apr_strings.h>

#include "clerk/session/session_token.h"

const clerk_request *clerk_context_page(clerk_context *context)
{
    return clerk_request_complete(context->request);
}

const clerk_url *clerk_context_url(clerk_context *context)
{
    if (!context->url) {
        const clerk_request *page = clerk_context_page(context);

        context->url = clerk_url_join(page->origin_url, page->target, context->pool);
        context->query = clerk_query_parse(context->url ? context->url->query : NULL, context->pool);
    }
    return context->url;
}

int clerk_context_may_handshake(clerk_context *context)
{
    return context->browser_flow && clerk_context_url(context)
           && clerk_request_is_navigation(clerk_context_page(context));
}

clerk_organization_target clerk_context_organization(clerk_context *context)
{
    clerk_organization_target target = {0, NULL, NULL, NULL};

    if (context->policy->organization_sync && clerk_context_url(context)) {
        target = clerk_organization_sync_match(context->policy->organization_sync, context->url->path, context->pool);
        if (target.given_up) {
            context->outcome->given_up_pattern = target.given_up;
        }
    }
    return target;
}

clerk_reason clerk_context_verify(const clerk_context *context, clerk_identity **pidentity, jose_slice token,
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
    if (clerk_step_tell(context->services->steps, CLERK_STEP_PENDING,
                        identity->pending && context->policy->pending_sessions == CLERK_PENDING_SIGNED_OUT)) {
        return clerk_context_signed_out(context, CLERK_REASON_SESSION_PENDING);
    }
    outcome->status = CLERK_SIGNED_IN;
    outcome->reason = CLERK_REASON_NONE;
    outcome->reason_text = clerk_reason_text(CLERK_REASON_NONE);
    return outcome;
}
