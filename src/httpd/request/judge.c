/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/judge.h"

#include <http_core.h>
#include <http_request.h>

#include "clerk/authenticate.h"
#include "httpd/config/config.h"
#include "httpd/config/htaccess.h"
#include "httpd/process/log.h"
#include "httpd/process/session_checks.h"
#include "httpd/request/audit.h"
#include "httpd/request/instance_services.h"
#include "httpd/request/wire.h"

/*
 * Whether a token accepted under one policy is accepted under the other. Inherited lists are the same array; equal
 * lists that are written twice count as different, which only costs one more verification.
 */
static int is_same_policy(const clerk_policy *one, const clerk_policy *other)
{
    return one == other
           || (one->accept_tokens == other->accept_tokens && one->accept_basic == other->accept_basic
               && one->token_sources == other->token_sources && one->authorized_parties == other->authorized_parties
               && one->audience == other->audience && one->narrower_parties == other->narrower_parties
               && one->narrower_audience == other->narrower_audience && one->clock_skew == other->clock_skew
               && one->pending_sessions == other->pending_sessions && one->revocation == other->revocation);
}

/* The state of the nearest parent or redirecting request that is signed in to this instance under the same policy. */
static clerk_request_state *inherited_state(const request_rec *r, const clerk_runtime *runtime,
                                            const clerk_policy *policy)
{
    for (r = r->main ? r->main : r->prev; r; r = r->main ? r->main : r->prev) {
        clerk_request_state *state = clerk_request_state_if_any(r);

        if (state && state->outcome && state->outcome->status == CLERK_SIGNED_IN && state->runtime == runtime
            && is_same_policy(state->policy, policy)) {
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

static void log_pattern(request_rec *r, const char *pattern)
{
    int level = clerk_httpd_log_message_level(3041);

    ap_log_rerror(APLOG_MARK, level, 0, r,
                  CLERK_LOGNO(3041) "ClerkOrganizationSync: matching \"%s\" with this path took too long and was given "
                                    "up, so it does not match; write it so that no two parts that repeat can take the "
                                    "same text",
                              pattern);
}

static void log_no_instance(request_rec *r)
{
    const clerk_dir_config *dir = clerk_config_dir(r);
    const char *name = dir->htaccess ? dir->htaccess->instance_name : NULL;

    if (name && !clerk_htaccess_grants_instance(dir, name)) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            CLERK_LOGNO(3122) "ClerkInstance %s in .htaccess: the server's administrator has not granted this "
                              "instance to .htaccess files; ClerkHtaccessInstances %s in the server "
                              "configuration does",
                        name, name);
        return;
    }
    name = name ? name : dir->instance_name;
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  CLERK_LOGNO(3040) "AuthType Clerk: this server has no Clerk instance%s%s; write ClerkPublishableKey "
                                    "pk_... in the server configuration, or ClerkInstance with a name that is defined "
                                    "there",
                              name ? " named " : "", name ? name : "");
}

static void warn_of_ignored(request_rec *r, const char *directive)
{
    int level = clerk_httpd_log_message_level(3123);

    ap_log_rerror(
        APLOG_MARK, level, 0, r,
        CLERK_LOGNO(3123) "%s in .htaccess has no effect where it allows more than the server configuration, replaces "
                  "what that says, or names an origin that the server does not know; the server's administrator "
                  "can change it there",
            directive);
}

static void warn_of_htaccess(request_rec *r, const clerk_dir_config *dir)
{
    if (dir->htaccess_ignored) {
        warn_of_ignored(r, dir->htaccess_ignored);
    }
    /* Not what ClerkTrustForwarded makes of a client's header. */
    if (clerk_htaccess_public_origin(dir) && clerk_wire_ignores_htaccess(r)) {
        warn_of_ignored(r, "ClerkPublicOrigin");
    }
}

static void log_refused_key(request_rec *r, const clerk_runtime *runtime, const char *directive)
{
    const clerk_instance *instance = runtime->instance;
    int is_machine = !strcmp(directive, "ClerkMachineSecretKey");
    int is_there = (is_machine ? instance->machine_secret_key : instance->secret_key) != NULL;
    int level = clerk_httpd_log_message_level(3230);

    ap_log_rerror(
        APLOG_MARK, level, 0, r,
        CLERK_LOGNO(3230) "instance %s: a machine token cannot be checked, because %s; write %s with %s as the "
                          "Clerk dashboard shows it",
                    instance->name, is_there ? "Clerk refuses the key of this server" : "there is no key", directive,
                    is_machine ? "the machine's secret key" : "the instance's secret key");
}

/* Authenticate by the clock @a now. */
static inline clerk_outcome *judge_at(request_rec *r, clerk_runtime *runtime, apr_time_t now)
{
    const clerk_policy *policy = &clerk_config_dir(r)->policy;
    clerk_request_state *state = clerk_request_state_get(r);
    clerk_services services;
    clerk_request request;

    clerk_instance_services_bind(&services, runtime, r, now);
    clerk_wire_read_head(&request, r);
    state->runtime = runtime;
    state->policy = policy;
    state->headers_sent = 0;
    state->exported = 0;
    state->outcome = clerk_authenticate(&request, runtime->instance, policy, &services, r->pool);
    clerk_verdicts_add(runtime->verdicts, state->outcome);
    clerk_audit_decided(r, runtime, state->outcome);
    if (runtime->check_interval && policy->revocation && state->outcome->status == CLERK_SIGNED_IN
        && state->outcome->identity->kind == CLERK_TOKEN_SESSION) {
        clerk_session_checks_note(runtime, state->outcome->identity, now);
    }
    if (state->outcome->renewed) {
        clerk_verdicts_tick(&runtime->verdicts->renewed);
    }
    if (state->outcome->refused_key) {
        log_refused_key(r, runtime, state->outcome->refused_key);
    }
    if (state->outcome->given_up_pattern) {
        log_pattern(r, state->outcome->given_up_pattern);
    }
    return state->outcome;
}

clerk_outcome *clerk_judge_renewing(request_rec *r)
{
    clerk_runtime *runtime = clerk_config_runtime(r);

    if (!runtime) {
        log_no_instance(r);
        return NULL;
    }
    return judge_at(r, runtime, apr_time_now() + clerk_config_dir(r)->policy.clock_skew);
}

clerk_outcome *clerk_judge_request(request_rec *r)
{
    clerk_runtime *runtime = clerk_config_runtime(r);
    const clerk_policy *policy = &clerk_config_dir(r)->policy;
    clerk_request_state *state = clerk_request_state_get(r);

    if (!runtime) {
        log_no_instance(r);
        return NULL;
    }
    if (state->outcome && state->runtime == runtime && is_same_policy(state->policy, policy)) {
        return state->outcome;
    }
    if (adopt(r, state, runtime, policy)) {
        return state->outcome;
    }
    if (clerk_config_dir(r)->htaccess) {
        warn_of_htaccess(r, clerk_config_dir(r));
    }
    return judge_at(r, runtime, apr_time_now());
}

const clerk_identity *clerk_judge_established_identity(request_rec *r)
{
    clerk_runtime *runtime = clerk_config_runtime(r);
    const clerk_policy *policy = &clerk_config_dir(r)->policy;
    clerk_request_state *state = clerk_request_state_get(r);

    if (!runtime) {
        return NULL;
    }
    if (!state->outcome || state->runtime != runtime || !is_same_policy(state->policy, policy)) {
        if (!adopt(r, state, runtime, policy)) {
            return NULL;
        }
    }
    return state->outcome->status == CLERK_SIGNED_IN ? state->outcome->identity : NULL;
}
