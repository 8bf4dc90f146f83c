/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_STATUS_REPORT_H
#define HTTPD_STATUS_REPORT_H

#include <httpd.h>

#include "httpd/process/runtime.h"

/*
 * The content of the status page, before it is written as HTML or JSON. It has numbers and the names of public keys
 * only: no secrets, no tokens, no users, no URLs of key sources.
 */

typedef enum clerk_report_health {
    CLERK_HEALTH_OK,
    CLERK_HEALTH_FIXED,   /**< a PEM key: no keys are fetched */
    CLERK_HEALTH_IDLE,    /**< no fetch yet, because no token had to be checked */
    CLERK_HEALTH_FAILING, /**< the source is down, the last good keys are used */
    CLERK_HEALTH_DOWN     /**< no usable keys: requests with a token get 503 */
} clerk_report_health;

typedef struct clerk_report_key {
    const char *id;          /**< or NULL for a PEM key */
    const char *description; /**< "RSA 2048", or why it is unusable */
    int usable;
} clerk_report_key;

/** One instance. Texts are not escaped. */
typedef struct clerk_report_instance {
    const clerk_runtime *runtime;
    apr_array_header_t *used_by; /**< of const char *, "host:port" of the servers that use it */
    clerk_report_health health;
    const char *key_source;      /**< "PEM key", "Backend API", "frontend API" or "ClerkJWKSURL" */
    apr_array_header_t *keys;    /**< of clerk_report_key; may be empty */
    clerk_keystore_stats stats;  /**< zero with a PEM key */
    apr_time_t serves_until;     /**< until when the keys are used if no fetch succeeds; 0: no keys, or a PEM key */
    clerk_backend_stats backend; /**< of the Backend API */
} clerk_report_instance;

typedef struct clerk_report {
    apr_time_t now;
    apr_time_t since;              /**< when the counters were 0 */
    int background_refresh;        /**< also true if there is nothing to refresh */
    apr_array_header_t *instances; /**< of clerk_report_instance */
} clerk_report;

/** Collect the current state. Makes no calls and does not wait. */
const clerk_report *clerk_report_make(server_rec *main_server, apr_pool_t *pool);

/** "ok", "fixed", "idle", "failing" or "down". */
const char *clerk_report_health_name(clerk_report_health health);

#endif
