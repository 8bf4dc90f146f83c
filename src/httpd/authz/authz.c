/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/authz.h"

#include <ap_provider.h>
#include <http_request.h>
#include <mod_auth.h>

#include "httpd/authz/authz_providers.h"
#include "httpd/authz/authz_require.h"
#include "httpd/authz/refusal.h"
#include "httpd/process/log.h"
#include "httpd/request/judge.h"
#include "httpd/request/request_state.h"

void clerk_authz_register(apr_pool_t *pool)
{
    static const struct {
        const char *name;
        const authz_provider *provider;
    } providers[] = {{"clerk-optional", &clerk_require_optional},
                     {"clerk-role", &clerk_require_role},
                     {"clerk-org", &clerk_require_org},
                     {"clerk-permission", &clerk_require_permission},
                     {"clerk-feature", &clerk_require_feature},
                     {"clerk-plan", &clerk_require_plan},
                     {"clerk-reverification", &clerk_require_reverification},
                     {"clerk-mfa", &clerk_require_mfa},
                     {"clerk-claim", &clerk_require_claim},
                     {"clerk-actor", &clerk_require_actor}};

    for (apr_size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
        ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, providers[i].name, AUTHZ_PROVIDER_VERSION,
                                  providers[i].provider, AP_AUTH_INTERNAL_PER_CONF);
    }
}

int clerk_authz_check_access(request_rec *r)
{
    clerk_request_state *state;
    int rc;

    if (!clerk_request_state_is_auth_type(r)) {
        return DECLINED;
    }
    state = clerk_request_state_get(r);
    if (state->in_access) {
        return DECLINED;
    }
    state->in_access = 1;
    state->expression_asked = 0;
    state->user_needed = 0;
    rc = ap_run_access_checker_ex(r);
    state->in_access = 0;
    if (rc == DECLINED) {
        /* To say so ourselves would run all the hooks a second time. */
        state->user_needed = 1;
    } else if (state->expression_asked && !r->user) {
        /* mod_authz_core does not know that the expression was about a user; if it did, it would have asked for one. */
        state->user_needed = rc == OK ? state->outcome && state->outcome->status == CLERK_SIGNED_IN
                                      : rc == HTTP_FORBIDDEN || rc == HTTP_UNAUTHORIZED;
    }
    /* OK is not the last word then: clerk_authz_force_authn() wants authentication and authorization. */
    return state->user_needed ? OK : rc;
}

int clerk_authz_force_authn(request_rec *r)
{
    return clerk_request_state_is_auth_type(r) && clerk_request_state_get(r)->user_needed ? OK : DECLINED;
}

int clerk_authz_fixups(request_rec *r)
{
    if (clerk_request_state_is_auth_type(r) && clerk_request_state_get(r)->user_needed && !r->user) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            CLERK_LOGNO(3066) "a user is required, and no user was authenticated; another module answers httpd's "
                              "force_authn hook before this one");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return DECLINED;
}

int clerk_authz_check(request_rec *r)
{
    clerk_require_log trial = {NULL, NULL};
    clerk_request_state *state;
    const clerk_identity *identity;
    int rc;

    if (!clerk_request_state_is_auth_type(r)) {
        return DECLINED;
    }
    state = clerk_request_state_get(r);
    if (state->trial) {
        return DECLINED;
    }
    identity = clerk_judge_established_identity(r);
    if (r->user && !identity) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      CLERK_LOGNO(3062) "AuthType is Clerk, but another module set the user and this one never saw the "
                                        "request; load auth_clerk_module before that module");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    state->trial = &trial;
    rc = ap_run_auth_checker(r);
    state->trial = NULL;
    return identity && (rc == HTTP_UNAUTHORIZED || rc == HTTP_FORBIDDEN) ? clerk_refusal_refuse(r, identity, &trial)
                                                                         : rc;
}
