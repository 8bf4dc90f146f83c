/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/session_checks.h"

#include <apr_siphash.h>
#include <apr_strings.h>
#include <http_main.h>

#include "clerk/session/session_state.h"
#include "httpd/process/log.h"
#include "httpd/process/process.h"
#include "text/text.h"

/* Clerk lets an instance make 1,000 calls in 10 seconds, and one for development 100: a tenth of that at most, and a
 * fifth. */
#define BETWEEN_CALLS apr_time_from_msec(100)
#define BETWEEN_DEVELOPMENT_CALLS apr_time_from_msec(500)
/* How often it is looked whether a session is due. */
#define IDLE apr_time_from_msec(200)

/* The ids of an item: the session's, a space, and the user's. */
typedef struct session_ids {
    const char *session;
    const char *user;
} session_ids;

void clerk_session_checks_note(const clerk_runtime *runtime, const clerk_identity *identity, apr_time_t now)
{
    char text[CLERK_DUE_QUEUE_TEXT_MAX + 2];
    apr_uint64_t digest;
    apr_size_t len;

    if (!clerk_process_sessions_due().count || !identity->session_id || !clerk_text_is_id(identity->session_id)
        || !clerk_text_is_id(identity->subject)) {
        return;
    }
    len = (apr_size_t)apr_snprintf(text, sizeof(text), "%s %s", identity->session_id, identity->subject);
    digest = apr_siphash24(text, len, runtime->revocation_key);
    if (len <= CLERK_DUE_QUEUE_TEXT_MAX
        && clerk_recent_set_add(clerk_process_sessions_asked(), digest, now, runtime->check_interval)
        && !clerk_due_queue_add(clerk_process_sessions_due(), runtime->number, text, now)) {
        clerk_verdicts_tick(&runtime->verdicts->checks_put_off);
    }
}

static void end_session(const clerk_runtime *runtime, const session_ids *ids, const char *status)
{
    const clerk_revoked_who who = {CLERK_REVOKED_SESSION, ids->user, ids->session, NULL};
    clerk_revocation revocation;

    if (!clerk_revoked_make(&revocation, runtime->revocation_key, &who, apr_time_sec(apr_time_now()))) {
        return;
    }
    clerk_process_revoke(&revocation);
    clerk_verdicts_tick(&runtime->verdicts->checks_over);
    ap_log_error(
        APLOG_MARK, APLOG_INFO, 0, ap_server_conf,
        CLERK_LOGNO(3293) "instance %s: session %s of user %s is over (%s), as Clerk was asked: its tokens are "
                          "not good any more",
                    runtime->instance->name, ids->session, ids->user, status);
}

/* What has no answer, or gets 429 or 5xx, is in the log already: AC2002, AC1041. */
static void complain(const clerk_runtime *runtime, const clerk_backend_reply *reply, clerk_session_state state)
{
    int level;

    clerk_verdicts_tick(&runtime->verdicts->checks_failed);
    if (reply->status < 200 || reply->status >= 500 || reply->status == HTTP_TOO_MANY_REQUESTS) {
        return;
    }
    level = clerk_httpd_log_message_level(3294);
    ap_log_error(APLOG_MARK, level, 0, ap_server_conf,
                 CLERK_LOGNO(3294) "instance %s: ClerkRevocationCheck cannot find out whether sessions go on: %s; "
                                   "clerkctl doctor tries the Backend API",
                             runtime->instance->name,
                             reply->status == HTTP_UNAUTHORIZED || reply->status == HTTP_FORBIDDEN
                                 ? "the Backend API does not accept ClerkSecretKey"
                             : state == CLERK_SESSION_IS_NONE
                                 ? "the Backend API knows none of them so far; is ClerkSecretKey that of this instance?"
                                 : "the Backend API's answer is not what Clerk says of a session");
}

static void ask(clerk_runtime *runtime, const session_ids *ids, apr_pool_t *pool)
{
    const clerk_backend_call call = {.cause = CLERK_BACKEND_FOR_CHECK,
                                     .method = "GET",
                                     .path = clerk_session_state_path(ids->session, pool),
                                     .user_id = ids->user};
    clerk_backend_reply reply;
    clerk_session_state state;
    const char *status;

    clerk_backend_api_call(&runtime->backend, &reply, &call, pool);
    state = clerk_session_state_read(&status, &reply, ids->session, ids->user, pool);
    if (state == CLERK_SESSION_GOES_ON || state == CLERK_SESSION_IS_OVER) {
        clerk_verdicts_tick(&runtime->verdicts->checks_known);
    }
    /* With the key of another instance Clerk knows no session at all: nobody is to be signed out for that. */
    if (state == CLERK_SESSION_UNKNOWN
        || (state == CLERK_SESSION_IS_NONE && !atomic_load(&runtime->verdicts->checks_known))) {
        complain(runtime, &reply, state);
        return;
    }
    clerk_verdicts_tick(&runtime->verdicts->checks_made);
    if (state != CLERK_SESSION_GOES_ON) {
        end_session(runtime, ids, status);
    }
}

apr_interval_time_t clerk_session_checks_tick(apr_pool_t *scratch)
{
    const apr_array_header_t *runtimes = clerk_process_runtimes();
    clerk_due_item item;
    clerk_runtime *runtime;
    session_ids ids;
    char *space;

    if (!clerk_due_queue_take(&item, clerk_process_sessions_due(), apr_time_now())) {
        return IDLE;
    }
    /* Two items may be mixed: see due_queue.h. */
    space = strchr(item.text, ' ');
    if (item.instance >= (unsigned int)runtimes->nelts || !space) {
        return BETWEEN_CALLS;
    }
    *space = '\0';
    ids = (session_ids){item.text, space + 1};
    runtime = APR_ARRAY_IDX(runtimes, (int)item.instance, clerk_runtime *);
    if (clerk_text_is_id(ids.session) && clerk_text_is_id(ids.user)) {
        ask(runtime, &ids, scratch);
    }
    return runtime->instance->type == CLERK_INSTANCE_DEVELOPMENT ? BETWEEN_DEVELOPMENT_CALLS : BETWEEN_CALLS;
}
