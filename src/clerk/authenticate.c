/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/authenticate.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "clerk/browser/context.h"
#include "clerk/browser/cookie_decision.h"
#include "clerk/browser/refused_token.h"
#include "clerk/machine/machine_token.h"
#include "clerk/protocol.h"
#include "clerk/session/session_token.h"

/*
 * The token of an Authorization value, split at spaces as the SDK splits it (protocol.md 2.2). The scheme may be
 * written in any case (differences.md row 29).
 * @return 0 if there is none: then the cookies decide
 */
static int header_token(jose_slice *token, const char *authorization)
{
    static const char bearer[] = "Bearer";
    const char *space;
    const char *word;

    if (!authorization) {
        return 0;
    }
    space = strchr(authorization, ' ');
    token->data = authorization;
    if (!space) {
        token->len = strlen(authorization);
        return 1;
    }
    token->len = (apr_size_t)(space - authorization);
    word = space + 1;
    if (*word == ' ' || *word == '\0') {
        /* Two spaces: the SDK takes the scheme's name for the token, which no token is. */
        return 1;
    }
    if (token->len != sizeof(bearer) - 1 || strncasecmp(authorization, bearer, token->len)) {
        return 0;
    }
    token->data = word;
    token->len = strlen(word);
    space = memchr(word, ' ', token->len);
    if (space) {
        token->len = (apr_size_t)(space - word);
    }
    return 1;
}

/* The token in the request's header: as Bearer, or, where that is accepted, as the password of Basic. */
static int token_of_request(jose_slice *token, const clerk_context *context)
{
    const char *authorization = context->request->authorization;

    return header_token(token, authorization)
           || (context->policy->accept_basic && authorization
               && clerk_machine_token_of_basic(token, authorization, context->policy, context->pool));
}

/* Read what the decision by cookies needs. Not done for a request with a good token in its header. */
static void read_browser_state(clerk_context *context)
{
    const clerk_instance *instance = context->instance;
    const char *dev_browser;

    if (!clerk_policy_takes_cookies(context->policy)) {
        return;
    }
    context->cookies = clerk_cookies_read(context->request->cookie, instance, context->services, context->pool);
    (void)clerk_step_tell(context->services->steps, CLERK_STEP_SUFFIXED, context->cookies->suffixed);
    if ((instance->type == CLERK_INSTANCE_DEVELOPMENT || instance->satellite) && !clerk_context_url(context)) {
        return;
    }
    context->browser_flow = instance->publishable_key && instance->frontend_url;
    context->development = context->browser_flow && instance->type == CLERK_INSTANCE_DEVELOPMENT;
    if (context->development) {
        dev_browser = clerk_query_get(context->query, CLERK_COOKIE_DEV_BROWSER);
        context->dev_browser = dev_browser && *dev_browser != '\0' ? dev_browser : context->cookies->dev_browser;
        context->outcome->dev_browser = context->dev_browser;
    }
}

/* @return NULL: the cookies decide, because session tokens are not taken from the header */
static clerk_outcome *header_path(clerk_context *context, jose_slice token)
{
    clerk_identity *identity;
    clerk_reason reason;

    context->outcome->carrier = CLERK_CARRIER_HEADER;
    if (context->policy->accept_tokens != CLERK_ACCEPT_SESSION) {
        clerk_outcome *outcome = clerk_machine_token_decide(context, token);

        if (outcome) {
            return outcome;
        }
        if (!(context->policy->token_sources & CLERK_SOURCE_HEADER)) {
            context->outcome->carrier = CLERK_CARRIER_NONE;
            return NULL;
        }
    }
    reason = clerk_context_verify(context, &identity, token, context->policy->clock_skew);
    if (reason == CLERK_REASON_NONE) {
        return clerk_context_accept(context, identity);
    }
    read_browser_state(context);
    return clerk_refused_token(context, reason);
}

clerk_outcome *clerk_authenticate(clerk_request *request, const clerk_instance *instance, const clerk_policy *policy,
                                  const clerk_services *services, apr_pool_t *pool)
{
    clerk_context context = {0};
    jose_slice token;
    int has_token;

    context.request = request;
    context.instance = instance;
    context.policy = policy;
    context.services = services;
    context.pool = pool;
    context.outcome = apr_pcalloc(pool, sizeof(*context.outcome));
    context.outcome->reason_text = "";
    context.outcome->set_cookies = apr_array_make(pool, 2, sizeof(const char *));
    has_token = ((policy->token_sources & CLERK_SOURCE_HEADER) || policy->accept_tokens != CLERK_ACCEPT_SESSION)
                && token_of_request(&token, &context);
    if (clerk_step_tell(services->steps, CLERK_STEP_HEADER, has_token)) {
        clerk_outcome *outcome = header_path(&context, token);

        if (outcome) {
            return outcome;
        }
    }
    if (!clerk_step_tell(services->steps, CLERK_STEP_COOKIES, clerk_policy_takes_cookies(policy))) {
        return policy->accept_tokens & CLERK_ACCEPT_SESSION
                   ? clerk_context_signed_out(&context, CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING)
                   : clerk_machine_token_missing(&context);
    }
    read_browser_state(&context);
    return clerk_cookie_decision(&context);
}
