/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_WEBHOOK_MESSAGE_H
#define HTTPD_REQUEST_WEBHOOK_MESSAGE_H

#include <httpd.h>

#include "jose/jose.h"

/** The largest body of a message. Clerk's are some KB. */
#define CLERK_WEBHOOK_BODY_MAX ((apr_size_t)1 << 20)

/**
 * Whether the client's request is a webhook message of the instance in force that was not seen before: read its body,
 * verify it, and remember it. Asked once a request; what was found is kept for internal redirects, and the body is
 * there for the handler again. Logged if it is refused.
 */
int clerk_webhook_message_is_good(request_rec *r);

/**
 * Whether a Require clerk-webhook was evaluated for this request, and not met.
 * @param pwas_message set then: whether the request has headers of a message, so that it is meant to be one
 */
int clerk_webhook_message_was_refused(request_rec *r, int *pwas_message);

/** A message that is good. */
typedef struct clerk_webhook_received {
    jose_slice body; /**< belongs to the request */
    apr_time_t sent; /**< by its header */
} clerk_webhook_received;

/** The message of the client's request, after clerk_webhook_message_is_good() has said so. */
clerk_webhook_received clerk_webhook_message_received(request_rec *r);

/** Register the filter that gives the body to the handler. */
void clerk_webhook_message_register(void);

#endif
