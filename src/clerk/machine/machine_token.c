/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/machine/machine_token.h"

#include <string.h>
#include <strings.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "clerk/machine/machine_form.h"
#include "clerk/machine/machine_jwt.h"
#include "clerk/machine/opaque_token.h"
#include "clerk/session/claims.h"
#include "text/text.h"

static int accepts(const clerk_policy *policy, clerk_token_type type)
{
    return (policy->accept_tokens & CLERK_ACCEPT(type)) != 0;
}

/* Sign in with a verified token, if its claims are good here and now. */
static clerk_outcome *use_record(clerk_context *context, clerk_token_record *record, int is_jwt)
{
    const clerk_step_listener *steps = context->services->steps;
    clerk_reason reason;

    context->outcome->credential = record->identity.kind;
    if (!clerk_step_tell(steps, CLERK_STEP_KIND, accepts(context->policy, record->identity.kind))) {
        return clerk_context_signed_out(context, CLERK_REASON_TOKEN_TYPE_MISMATCH);
    }
    reason = clerk_claims_check_machine(&record->claims, record->identity.kind, is_jwt, context->policy,
                                        context->services->now);
    return clerk_step_tell(steps, CLERK_STEP_MACHINE_CLAIMS, reason == CLERK_REASON_NONE)
               ? clerk_context_accept(context, &record->identity)
               : clerk_context_signed_out(context, reason);
}

static clerk_token_record *find(const clerk_context *context, jose_slice token, int is_opaque)
{
    const clerk_services *services = context->services;

    return services->machine_get ? services->machine_get(services->baton, token, is_opaque, context->pool) : NULL;
}

static void keep(const clerk_context *context, jose_slice token, int is_opaque, apr_uint32_t generation,
                 const clerk_token_record *record)
{
    const clerk_services *services = context->services;

    if (services->machine_put) {
        services->machine_put(services->baton, token, is_opaque, generation, record, context->pool);
    }
}

static clerk_outcome *verify_jwt(clerk_context *context, jose_slice token, const clerk_machine_form *form)
{
    clerk_token_record *record;
    apr_uint32_t generation = 0;
    clerk_reason reason = clerk_machine_jwt_verify(&record, &generation, form, context->services, context->pool);
    clerk_outcome *outcome;

    if (!clerk_step_tell(context->services->steps, CLERK_STEP_MACHINE_JWT, reason == CLERK_REASON_NONE)) {
        return clerk_reason_is_unavailable(reason) ? clerk_context_unavailable(context, reason)
                                                   : clerk_context_signed_out(context, reason);
    }
    outcome = use_record(context, record, 1);
    if (outcome->status == CLERK_SIGNED_IN) {
        keep(context, token, 0, generation, record);
    }
    return outcome;
}

static clerk_outcome *verify_opaque(clerk_context *context, jose_slice token, clerk_token_type type)
{
    clerk_opaque_result result
        = clerk_opaque_token_verify(type, token, context->request, context->instance, context->services, context->pool);

    context->outcome->refused_key = result.refused_key;
    if (clerk_step_tell(context->services->steps, CLERK_STEP_OPAQUE, !!result.record)) {
        keep(context, token, 1, 0, result.record);
        return use_record(context, result.record, 0);
    }
    if (clerk_reason_is_unavailable(result.reason)) {
        (void)clerk_context_unavailable(context, result.reason);
        context->outcome->retry_after = result.retry_after;
        return context->outcome;
    }
    return clerk_context_signed_out(context, result.reason);
}

/* Whether the token cache has it, as a session token: then it need not be decoded to see what it is. */
static int is_known_session(const clerk_context *context, jose_slice token)
{
    const clerk_services *services = context->services;

    return services->cache_get && services->cache_get(services->baton, token, context->pool);
}

clerk_outcome *clerk_machine_token_decide(clerk_context *context, jose_slice token)
{
    int is_opaque = clerk_machine_form_has_prefix(token);
    clerk_token_record *known = find(context, token, is_opaque);
    clerk_machine_form form;

    /* What was known of an opaque token, and has lapsed, is asked again. */
    if (known && (!is_opaque || known->claims.expires.seconds > (double)context->services->now / APR_USEC_PER_SEC)) {
        return use_record(context, known, !is_opaque);
    }
    if (accepts(context->policy, CLERK_TOKEN_SESSION) && !is_opaque && is_known_session(context, token)) {
        return NULL;
    }
    form = clerk_machine_form_of(token, context->pool);
    (void)clerk_step_tell(context->services->steps, CLERK_STEP_MACHINE, form.type != CLERK_TOKEN_SESSION);
    if (form.type == CLERK_TOKEN_SESSION && accepts(context->policy, CLERK_TOKEN_SESSION)) {
        return NULL;
    }
    context->outcome->credential = form.type;
    if (form.type == CLERK_TOKEN_SESSION || !accepts(context->policy, form.type)) {
        (void)clerk_step_tell(context->services->steps, CLERK_STEP_KIND, 0);
        return clerk_context_signed_out(context, CLERK_REASON_TOKEN_TYPE_MISMATCH);
    }
    return form.is_jwt ? verify_jwt(context, token, &form) : verify_opaque(context, token, form.type);
}

clerk_outcome *clerk_machine_token_missing(clerk_context *context)
{
    unsigned int accepted = context->policy->accept_tokens;
    int is_one = accepted && !(accepted & (accepted - 1));

    return clerk_context_signed_out(context,
                                    is_one ? CLERK_REASON_NO_TOKEN_IN_HEADER : CLERK_REASON_TOKEN_TYPE_MISMATCH);
}

const char *clerk_machine_token_password(const char *authorization, apr_pool_t *pool)
{
    static const char basic[] = "Basic ";
    const char *text = NULL, *colon;
    apr_size_t len = 0;

    if (!strncasecmp(authorization, basic, sizeof(basic) - 1)) {
        authorization += sizeof(basic) - 1;
        authorization += strspn(authorization, " ");
        text = apr_pdecode_base64(pool, authorization, APR_ENCODE_STRING, APR_ENCODE_NONE, &len);
    }
    colon = text && strlen(text) == len ? strchr(text, ':') : NULL;
    return colon ? colon + 1 : NULL;
}

int clerk_machine_token_of_basic(jose_slice *ptoken, const char *authorization, const clerk_policy *policy,
                                 apr_pool_t *pool)
{
    const char *password = clerk_machine_token_password(authorization, pool);
    clerk_machine_form form;

    if (!password) {
        return 0;
    }
    *ptoken = (jose_slice){password, strlen(password)};
    form = clerk_machine_form_of(*ptoken, pool);
    return form.type != CLERK_TOKEN_SESSION && accepts(policy, form.type);
}
