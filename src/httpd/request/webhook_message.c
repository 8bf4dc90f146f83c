/* SPDX-License-Identifier: Apache-2.0 */
/* First, so that APR's ring macros use offsetof() and not their own, which clang refuses. */
#include <stddef.h>

#include "httpd/request/webhook_message.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "clerk/webhook/webhook.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/process/process.h"
#include "httpd/request/request_body.h"
#include "httpd/request/request_state.h"

#define FILTER "CLERK_WEBHOOK_BODY"

/* What is known of a message, in the state of the client's request. */
struct clerk_webhook_state {
    const clerk_runtime *runtime; /* the instance that it was verified for */
    clerk_request_body body;
    apr_time_t sent;
    int has_headers; /* one of them at least, so it is meant to be a message */
    int is_good;
};

/* The headers as svix names them, or as the specification Standard Webhooks does. */
static void read_headers(clerk_webhook_message *message, const request_rec *r)
{
    int is_svix = apr_table_get(r->headers_in, "svix-id") != NULL;

    message->id = apr_table_get(r->headers_in, is_svix ? "svix-id" : "webhook-id");
    message->timestamp = apr_table_get(r->headers_in, is_svix ? "svix-timestamp" : "webhook-timestamp");
    message->signatures = apr_table_get(r->headers_in, is_svix ? "svix-signature" : "webhook-signature");
}

/* Read the whole body. @return NULL, or what is wrong; then too, what was read is kept */
static const char *read_body(clerk_request_body *body, request_rec *r)
{
    if (clerk_request_body_read(body, r, CLERK_WEBHOOK_BODY_MAX) != APR_SUCCESS) {
        return "its body could not be read";
    }
    return body->len > CLERK_WEBHOOK_BODY_MAX ? "its body is longer than 1 MB" : NULL;
}

/* Remember a message by all of its signatures. @return whether none of them was seen */
static int is_new(const clerk_webhook_names *names, apr_time_t now)
{
    int found = 0;

    for (int i = 0; i < names->count; i++) {
        /* In the future and in the past: a message can be valid for twice the tolerance. */
        found |= !clerk_recent_set_add(clerk_process_webhooks_seen(), names->digests[i], now,
                                       2 * CLERK_WEBHOOK_TOLERANCE);
    }
    return !found;
}

static const char *check(request_rec *r, struct clerk_webhook_state *found)
{
    const apr_array_header_t *keys = found->runtime->webhook_keys;
    clerk_webhook_message message;
    clerk_webhook_verdict verdict;
    clerk_webhook_names names;
    const char *problem;

    if (!keys) {
        return "ClerkWebhookSecret is not set for this instance";
    }
    read_headers(&message, r);
    found->has_headers = message.id || message.timestamp || message.signatures;
    verdict = clerk_webhook_check_headers(&message, r->request_time, r->pool);
    if (verdict != CLERK_WEBHOOK_VALID) {
        return clerk_webhook_text(verdict);
    }
    if ((problem = read_body(&found->body, r))) {
        return problem;
    }
    message.body = (jose_slice){found->body.data, found->body.len};
    found->sent = message.sent;
    verdict = clerk_webhook_verify(&names, &message, keys, r->request_time, r->pool);
    if (verdict != CLERK_WEBHOOK_VALID) {
        return clerk_webhook_text(verdict);
    }
    return is_new(&names, r->request_time) ? NULL : "the same message was received already";
}

/* Give a request the body, once. */
static void give_body(request_rec *r, const struct clerk_webhook_state *found)
{
    for (const ap_filter_t *filter = r->input_filters; filter; filter = filter->next) {
        if (!strcasecmp(filter->frec->name, FILTER)) {
            return;
        }
    }
    ap_add_input_filter(FILTER, apr_pmemdup(r->pool, &found->body, sizeof(found->body)), r, r->connection);
}

/* An internal redirect leaves the filter behind, and need not be authorized again. */
static void insert_filter(request_rec *r)
{
    const clerk_request_state *state;

    if (!r->prev || r->main || !clerk_process_webhooks_seen().count) {
        return;
    }
    state = clerk_request_state_if_any(clerk_request_state_top(r));
    if (state && state->webhook && state->webhook->body.data) {
        give_body(r, state->webhook);
    }
}

int clerk_webhook_message_is_good(request_rec *r)
{
    const clerk_runtime *runtime = clerk_config_runtime(r);
    request_rec *top = clerk_request_state_top(r);
    clerk_request_state *state = clerk_request_state_get(top);
    struct clerk_webhook_state *found = state->webhook;
    const char *problem;

    if (!runtime) {
        return 0;
    }
    clerk_request_state_get(r)->webhook_asked = 1;
    if (!found) {
        state->webhook = found = apr_pcalloc(top->pool, sizeof(*found));
        found->runtime = runtime;
        problem = check(top, found);
        found->is_good = !problem;
        if (problem && found->has_headers) {
            clerk_webhook_counts_add(runtime->webhook_counts, CLERK_WEBHOOK_REFUSED, NULL, r->request_time);
        }
        if (problem) {
            /* In a place for people too, nearly no request is meant to be a message. */
            ap_log_rerror(APLOG_MARK, found->has_headers ? APLOG_WARNING : APLOG_INFO, 0, r,
                          CLERK_LOGNO(3250) "webhook message refused: %s; clerkctl webhook sends a test event",
                                      problem);
        }
    }
    if (found->body.data && !r->main) {
        give_body(r, found);
    }
    /* A message for one instance is none for another. */
    return found->is_good && found->runtime == runtime;
}

clerk_webhook_received clerk_webhook_message_received(request_rec *r)
{
    const struct clerk_webhook_state *found = clerk_request_state_get(clerk_request_state_top(r))->webhook;

    return (clerk_webhook_received){{found->body.data, found->body.len}, found->sent};
}

int clerk_webhook_message_was_refused(request_rec *r, int *pwas_message)
{
    const struct clerk_webhook_state *found = clerk_request_state_get(clerk_request_state_top(r))->webhook;

    if (!clerk_request_state_get(r)->webhook_asked || !found
        || (found->is_good && found->runtime == clerk_config_runtime(r))) {
        return 0;
    }
    *pwas_message = found->has_headers;
    return 1;
}

/* Gives what was read, and then what was not. The context is what is left. */
static apr_status_t body_filter(ap_filter_t *f, apr_bucket_brigade *brigade, ap_input_mode_t mode,
                                apr_read_type_e block, apr_off_t wanted)
{
    apr_bucket_alloc_t *allocator = f->r->connection->bucket_alloc;
    clerk_request_body *left = f->ctx;
    apr_size_t len = left->len;

    if (mode == AP_MODE_INIT || mode == AP_MODE_EATCRLF || (len == 0 && !left->is_whole)) {
        return ap_get_brigade(f->next, brigade, mode, block, wanted);
    }
    if (mode == AP_MODE_GETLINE) {
        const char *end = memchr(left->data, '\n', len);

        len = end ? (apr_size_t)(end - left->data) + 1 : len;
    } else if (mode != AP_MODE_EXHAUSTIVE && wanted >= 0 && (apr_uint64_t)wanted < len) {
        len = (apr_size_t)wanted;
    }
    if (len > 0) {
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_immortal_create(left->data, len, allocator));
    }
    if (mode != AP_MODE_SPECULATIVE) {
        left->data += len;
        left->len -= len;
    }
    if (left->len == 0 && left->is_whole) {
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(allocator));
    }
    return APR_SUCCESS;
}

void clerk_webhook_message_register(void)
{
    ap_register_input_filter(FILTER, body_filter, NULL, AP_FTYPE_RESOURCE);
    ap_hook_insert_filter(insert_filter, NULL, NULL, APR_HOOK_MIDDLE);
}
