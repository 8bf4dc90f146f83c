/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_WEBHOOK_WEBHOOK_HANDLER_H
#define HTTPD_WEBHOOK_WEBHOOK_HANDLER_H

#include <httpd.h>

/**
 * Handler hook for `SetHandler clerk-webhook`: verify a webhook message, and do what it says of sessions, users and
 * memberships. 204; 400 for what is no valid message, or was received already; 405 for other methods than POST.
 */
int clerk_webhook_handler(request_rec *r);

#endif
