/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/webhook/webhook_handler.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

#include "clerk/webhook/event.h"
#include "httpd/application/user_profile.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/process/process.h"
#include "httpd/request/webhook_message.h"

#define HANDLER "clerk-webhook"

static void apply(request_rec *r, const clerk_runtime *runtime, const clerk_event *event)
{
    clerk_revocation revocation;

    if (event->revokes
        && clerk_revoked_make(&revocation, runtime->revocation_key, &event->who, apr_time_sec(event->at))) {
        clerk_process_revoke(&revocation);
    }
    if (event->changed_user) {
        clerk_user_profile_forget(r, event->changed_user);
    }
    clerk_webhook_counts_add(runtime->webhook_counts, CLERK_WEBHOOK_APPLIED, event, r->request_time);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  CLERK_LOGNO(3281) "webhook message applied: %s%s", clerk_event_type_text(event->type),
                              event->revokes ? ", older session tokens are not good any more" : "");
}

int clerk_webhook_handler(request_rec *r)
{
    const clerk_runtime *runtime;
    clerk_webhook_received received;
    clerk_event event;
    const char *problem;

    if (!r->handler || strcmp(r->handler, HANDLER)) {
        return DECLINED;
    }
    if (r->method_number != M_POST) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_POST, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    runtime = clerk_config_runtime(r);
    if (!runtime || !runtime->webhook_keys) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      CLERK_LOGNO(3280) "SetHandler clerk-webhook: there is no ClerkWebhookSecret for this instance; "
                                        "write it in the server configuration");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!clerk_webhook_message_is_good(r)) {
        return HTTP_BAD_REQUEST;
    }
    received = clerk_webhook_message_received(r);
    problem = clerk_event_read(&event, received.body, received.sent, r->pool);
    if (problem) {
        clerk_webhook_counts_add(runtime->webhook_counts, CLERK_WEBHOOK_UNUSABLE, &event, r->request_time);
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      CLERK_LOGNO(3282) "webhook message of type %s refused: it is signed, but %s; nothing was revoked",
                                  clerk_event_type_text(event.type), problem);
        return HTTP_BAD_REQUEST;
    }
    apply(r, runtime, &event);
    if (event.revokes && clerk_process_must_know_revocations()
        && !clerk_fleet_is_known(clerk_process_fleet(), apr_time_now())) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      CLERK_LOGNO(3290) "webhook message applied here, and answered with 503 so that Clerk sends it "
                                        "again: the other servers cannot be told now");
        return HTTP_SERVICE_UNAVAILABLE;
    }
    r->status = HTTP_NO_CONTENT;
    ap_set_content_length(r, 0);
    return OK;
}
