/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_RUNTIME_H
#define HTTPD_PROCESS_RUNTIME_H

#include "clerk/instance/backend_api.h"
#include "clerk/instance/instance.h"
#include "clerk/session/revoked.h"
#include "clerk/verdicts.h"
#include "clerk/webhook/webhook_counts.h"
#include "shared/keystore/keystore.h"

/**
 * A Clerk instance at run time: its configuration, its keys and its counters. Created in check_config, one for each
 * different configuration of an instance, so that equal pointers mean the same instance. Lives as long as the
 * configuration.
 */
typedef struct clerk_runtime {
    clerk_instance *instance;
    const jose_keyset *static_keys; /**< from ClerkJWTKey: no keys are fetched; NULL: they are fetched from `source` */
    clerk_key_source source;
    int slot;                            /**< in the key store; -1 with static keys, and before post_config */
    clerk_backend_api backend;           /**< how the Backend API is reached */
    clerk_verdicts *verdicts;            /**< in shared memory, set in post_config */
    apr_interval_time_t token_cache_ttl; /**< how long a verified opaque token is believed */
    const char *script_url;              /**< of ClerkJS; NULL: below the frontend API */
    const char *ui_script_url;           /**< of Clerk's components; NULL: the same */
    /** Tells the values of this instance in ClerkSOCache from those of others; the same on all servers of a fleet. */
    unsigned char scope[32];
    apr_interval_time_t profile_ttl;        /**< ClerkUserProfileTTL */
    apr_interval_time_t check_interval;     /**< ClerkRevocationCheck; 0: off */
    const apr_array_header_t *webhook_keys; /**< of clerk_webhook_key; NULL: none */
    clerk_webhook_counts *webhook_counts;   /**< in shared memory, set in post_config */
    /** Tells the revocations of this Clerk instance from those of others, on all servers of a fleet. */
    unsigned char revocation_key[CLERK_REVOKED_KEY];
    unsigned int number; /**< index in the list of runtimes; part of the key of the token cache */
} clerk_runtime;

#endif
