/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_STATUS_REPORT_H
#define HTTPD_STATUS_REPORT_H

#include <httpd.h>

#include "httpd/process/runtime.h"

/*
 * What the status page tells, before it is HTML or JSON. Numbers and public keys' names only: no secret, no token, no
 * user, no address of a key source.
 */

typedef enum clerk_report_health {
    CLERK_HEALTH_OK,
    CLERK_HEALTH_FIXED,   /**< a PEM key: nothing is ever fetched */
    CLERK_HEALTH_IDLE,    /**< no fetch yet: nobody has presented a token */
    CLERK_HEALTH_FAILING, /**< the source is down, the last good keys serve */
    CLERK_HEALTH_DOWN     /**< no usable keys: requests with a token get 503 */
} clerk_report_health;

typedef struct clerk_report_key {
    const char *id;          /**< or NULL for a PEM key */
    const char *description; /**< "RSA 2048", or why it is unusable */
    int usable;
} clerk_report_key;

/** One instance. Texts are unescaped. */
typedef struct clerk_report_instance {
    const clerk_runtime *runtime;
    apr_array_header_t *used_by; /**< of const char *, "host:port" of the servers that have it */
    clerk_report_health health;
    const char *key_source;        /**< "PEM key", "Backend API", "frontend API" or "ClerkJWKSURL" */
    apr_array_header_t *keys;      /**< of clerk_report_key; empty where there are none */
    clerk_keystore_stats stats;    /**< zero with a PEM key */
    apr_time_t serves_until;       /**< when the keys lapse if no fetch succeeds any more; 0: no keys, or a PEM key */
    apr_time_t breaker_open_until; /**< 0: the Backend API is called when needed */
} clerk_report_instance;

typedef struct clerk_report {
    apr_time_t now;
    apr_time_t since;              /**< counters count from then */
    int background_refresh;        /**< or nothing to refresh */
    apr_array_header_t *instances; /**< of clerk_report_instance */
} clerk_report;

/** Look at everything as it is now. Fetches nothing and waits for nothing. */
const clerk_report *clerk_report_make(server_rec *main_server, apr_pool_t *pool);

/** "ok", "fixed", "idle", "failing" or "down". */
const char *clerk_report_health_name(clerk_report_health health);

#endif
