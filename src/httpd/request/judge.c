/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/judge.h"

#include <http_core.h>
#include <http_request.h>

#include "clerk/authenticate.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/request/instance_services.h"
#include "httpd/request/wire.h"

/** Whether a token that was accepted under @a made would be accepted under @a now. Lists that were inherited are the
 * same array; equal lists written twice count as different, which costs one more verification and nothing else. */
static int same_rules(const clerk_policy *made, const clerk_policy *now)
{
    return made == now
           || (made->token_sources == now->token_sources && made->authorized_parties == now->authorized_parties
               && made->audience == now->audience && made->clock_skew == now->clock_skew
               && made->pending_sessions == now->pending_sessions);
}

/** The state of the nearest request up the chain that was judged for this instance under these rules and found signed
 * in. */
static clerk_request_state *inherited_state(const request_rec *r, const clerk_runtime *runtime,
                                            const clerk_policy *policy)
{
    for (r = r->main ? r->main : r->prev; r; r = r->main ? r->main : r->prev) {
        clerk_request_state *state = clerk_request_state_if_any(r);

        if (state && state->outcome && state->outcome->status == CLERK_SIGNED_IN && state->runtime == runtime
            && same_rules(state->policy, policy)) {
            return state;
        }
    }
    return NULL;
}

static int adopt(request_rec *r, clerk_request_state *state, const clerk_runtime *runtime, const clerk_policy *policy)
{
    const clerk_request_state *from = inherited_state(r, runtime, policy);

    if (!from) {
        return 0;
    }
    state->runtime = from->runtime;
    state->policy = from->policy;
    state->outcome = from->outcome;
    state->headers_sent = 1;
    return 1;
}

clerk_outcome *clerk_judge_request(request_rec *r)
{
    clerk_runtime *runtime = clerk_config_runtime(r);
    const clerk_policy *policy = &clerk_config_dir(r)->policy;
    clerk_request_state *state = clerk_request_state_get(r);
    clerk_services services;
    clerk_request request;

    if (!runtime) {
        const char *name = clerk_config_dir(r)->instance_name;

        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            CLERK_LOGNO(3040) "AuthType Clerk: this server has no Clerk instance%s%s; write ClerkPublishableKey "
                              "pk_... in the server configuration, or ClerkInstance with a name that is defined there",
                        name ? " named " : "", name ? name : "");
        return NULL;
    }
    if (state->outcome && state->runtime == runtime && same_rules(state->policy, policy)) {
        return state->outcome;
    }
    if (adopt(r, state, runtime, policy)) {
        return state->outcome;
    }
    clerk_instance_services_bind(&services, runtime, r, apr_time_now());
    clerk_wire_read_head(&request, r);
    state->runtime = runtime;
    state->policy = policy;
    state->headers_sent = 0;
    state->exported = 0;
    state->outcome = clerk_authenticate(&request, runtime->instance, policy, &services, r->pool);
    clerk_verdicts_add(runtime->verdicts, state->outcome);
    return state->outcome;
}

const clerk_identity *clerk_judge_established_identity(request_rec *r)
{
    clerk_runtime *runtime = clerk_config_runtime(r);
    const clerk_policy *policy = &clerk_config_dir(r)->policy;
    clerk_request_state *state = clerk_request_state_get(r);

    if (!runtime) {
        return NULL;
    }
    if (!state->outcome || state->runtime != runtime || !same_rules(state->policy, policy)) {
        if (!adopt(r, state, runtime, policy)) {
            return NULL;
        }
    }
    return state->outcome->status == CLERK_SIGNED_IN ? state->outcome->identity : NULL;
}
