/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/send_event.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "clerk/webhook/webhook.h"
#include "jose/json.h"
#include "text/text.h"

#define BODY_MAX 262144
#define ANSWER_MAX 65536
#define ID_RANDOM 12
/* As for ClerkWebhookSecret. */
#define SECRET_VARIABLE "CLERK_WEBHOOK_SIGNING_SECRET"

/* Read or make the body. @return NULL, or what is wrong */
static const char *make_body(const char **pbody, apr_size_t *plen, clerk_setup *setup, const clerk_send_event *event)
{
    json_t *data = NULL, *body;
    char *text;

    if (event->event) {
        return clerk_setup_read_file(pbody, plen, setup, event->event, BODY_MAX);
    }
    if (event->data
        && jose_json_parse_object(&data, event->data, strlen(event->data), JOSE_JSON_MAX_DEPTH, setup->pool)
               != JOSE_OK) {
        return "--data: write a JSON object, such as {\"id\":\"sess_1\",\"user_id\":\"user_1\"}";
    }
    body = json_pack("{s:s, s:s, s:o, s:I, s:s}", "type", event->type ? event->type : "session.revoked", "object",
                     "event", "data",
                     data ? json_incref(data) : json_pack("{s:s, s:s}", "id", "sess_test", "user_id", "user_test"),
                     "timestamp", (json_int_t)(setup->now / 1000), "instance_id", "ins_clerkctl_test");
    text = body ? json_dumps(body, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(body);
    if (!text) {
        return "--type: this is no UTF-8";
    }
    *pbody = apr_pstrdup(setup->pool, text);
    *plen = strlen(text);
    free(text);
    return NULL;
}

static const char *random_id(apr_pool_t *pool)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuv";
    unsigned char bytes[ID_RANDOM];
    char text[ID_RANDOM + 1];

    if (apr_generate_random_bytes(bytes, sizeof(bytes)) != APR_SUCCESS) {
        return "msg_clerkctl";
    }
    for (int i = 0; i < ID_RANDOM; i++) {
        text[i] = letters[bytes[i] & 31];
    }
    text[ID_RANDOM] = '\0';
    return apr_pstrcat(pool, "msg_", text, NULL);
}

static const char *read_key(clerk_webhook_key *key, clerk_setup *setup, const clerk_send_event *event)
{
    const char *secret, *problem, *inherited = getenv(SECRET_VARIABLE);
    const char *from = event->secret ? event->secret : inherited && *inherited ? "env:" SECRET_VARIABLE : NULL;

    if (!from) {
        return "--secret is missing: env:NAME, file:/path or exec:/path, as for ClerkWebhookSecret; "
               "and " SECRET_VARIABLE " is not set";
    }
    problem = clerk_setup_read_secret(&secret, setup, event->secret ? "--secret" : SECRET_VARIABLE, from);
    if (problem) {
        return problem;
    }
    clerk_output_secret(setup->out, secret);
    problem = clerk_webhook_read_key(key, (jose_slice){secret, strlen(secret)}, setup->pool);
    return problem ? apr_pstrcat(setup->pool, "--secret: ", problem, NULL) : NULL;
}

static clerk_output_code print(clerk_setup *setup, const clerk_webhook_message *message)
{
    clerk_output *out = setup->out;
    json_t *document;

    if (out->as_json) {
        document = json_pack("{s:{s:s, s:s, s:s}, s:s%}", "headers", "svix-id", message->id, "svix-timestamp",
                             message->timestamp, "svix-signature", message->signatures, "body", message->body.data,
                             (size_t)message->body.len);
        if (!document) {
            return clerk_output_fail(out, CLERK_OUTPUT_USAGE, "the event is no UTF-8");
        }
        clerk_output_document(out, document);
        json_decref(document);
        return CLERK_OUTPUT_GOOD;
    }
    clerk_output_print(out, "svix-id: %s\nsvix-timestamp: %s\nsvix-signature: %s\nContent-Type: application/json\n\n",
                       message->id, message->timestamp, message->signatures);
    clerk_output_lines(out, message->body.data);
    clerk_output_print(out, "\n");
    return CLERK_OUTPUT_GOOD;
}

static clerk_output_code deliver(clerk_setup *setup, const clerk_send_event *event,
                                 const clerk_webhook_message *message)
{
    apr_table_t *headers = apr_table_make(setup->pool, 4);
    clerk_http_request request = {.method = "POST",
                                  .url = event->to,
                                  .headers = headers,
                                  .body = message->body.data,
                                  .body_len = message->body.len,
                                  .proxy = setup->conf.http_proxy,
                                  .ca_file = setup->conf.ca_file,
                                  .timeout = setup->conf.http_timeout,
                                  .max_response = ANSWER_MAX};
    clerk_http_response *response;
    int accepted;

    apr_table_setn(headers, "Content-Type", "application/json");
    apr_table_setn(headers, "svix-id", message->id);
    apr_table_setn(headers, "svix-timestamp", message->timestamp);
    apr_table_setn(headers, "svix-signature", message->signatures);
    if (setup->http->perform(setup->http->baton, &response, &request, setup->pool) != APR_SUCCESS) {
        return clerk_output_fail(setup->out, CLERK_OUTPUT_UNAVAILABLE, "%s: %s",
                                 clerk_http_url_printable(event->to, setup->pool), response->error);
    }
    accepted = response->status >= 200 && response->status < 300;
    if (setup->out->as_json) {
        json_t *document
            = json_pack("{s:s, s:i, s:b}", "svix-id", message->id, "answer", response->status, "accepted", accepted);

        clerk_output_document(setup->out, document);
        json_decref(document);
    } else {
        clerk_output_print(setup->out, "%s: answer %d%s\n", accepted ? "accepted" : "refused", response->status,
                           accepted ? ""
                                    : "; the error log of the server says why (docs/troubleshooting.md, \"Messages\")");
    }
    return accepted ? CLERK_OUTPUT_GOOD : CLERK_OUTPUT_BAD;
}

clerk_output_code clerk_send_event_run(clerk_setup *setup, const clerk_send_event *event)
{
    clerk_webhook_message message = {0};
    const char *body = NULL, *problem;
    clerk_webhook_key key;
    apr_size_t len = 0;

    problem = read_key(&key, setup, event);
    if (!problem) {
        problem = make_body(&body, &len, setup, event);
    }
    if (!problem && event->to && clerk_http_url_problem(event->to)) {
        problem = apr_pstrcat(setup->pool, "--to: ", clerk_http_url_problem(event->to), NULL);
    }
    if (!problem && event->id && (!*event->id || !clerk_text_is_graphic(event->id) || strchr(event->id, '.'))) {
        problem = "--id: write one word without dots";
    }
    if (problem) {
        return clerk_output_fail(setup->out, setup->code, "%s", problem);
    }
    message.id = event->id ? event->id : random_id(setup->pool);
    message.timestamp = apr_psprintf(setup->pool, "%" APR_TIME_T_FMT, apr_time_sec(setup->now));
    message.body = (jose_slice){body, len};
    message.signatures = clerk_webhook_sign(&message, &key, setup->pool);
    if (!message.signatures) {
        return clerk_output_fail(setup->out, CLERK_OUTPUT_UNAVAILABLE, "OpenSSL cannot compute the signature");
    }
    return event->to ? deliver(setup, event, &message) : print(setup, &message);
}
