/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_PROCESS_H
#define HTTPD_PROCESS_PROCESS_H

#include <httpd.h>

#include "httpd/process/fleet.h"
#include "httpd/process/runtime.h"
#include "httpd/process/socache.h"
#include "shared/due_queue.h"
#include "shared/recent_set.h"
#include "shared/revocations.h"
#include "shared/token_cache.h"

/**
 * The state of this process for one configuration generation: created anew after each restart, in pools that end with
 * the generation. Only lifecycle.c writes it; all other files read it through the functions below.
 */
typedef struct clerk_process {
    apr_array_header_t *runtimes; /**< of clerk_runtime *; NULL before check_config */
    clerk_keystore *keystore;     /**< NULL if every instance has a PEM key */
    clerk_http *http;             /**< made in each child */
    clerk_token_cache *token_cache;
    clerk_backend_limits *backend_limits; /**< NULL where no instance has a secret key */
    int has_socache_key;                  /**< ClerkSOCacheKey is set */
    clerk_socache *socache;               /**< NULL: none is needed, or its module is not loaded */
    clerk_fleet fleet;                    /**< no memory: this server exchanges no revocations with others */
    int has_watchdog;                     /**< 0: keys are refreshed by requests */
    clerk_revocations revocations;        /**< no head: nothing can be revoked */
    clerk_due_queue sessions_due;         /**< sessions that Clerk is to be asked for; no slots: no instance has
                                             ClerkRevocationCheck */
    clerk_recent_set sessions_asked;      /**< which were put there within the interval */
    clerk_recent_set webhooks_seen;       /**< messages that were received, also before a graceful
                                             restart; no words: no instance has a secret */
    clerk_due_queue profiles_due;         /**< users whose profiles are to be refreshed; no slots: there is no cache */
    clerk_recent_set profiles_asked;      /**< which entries of the cache were put there */
    apr_time_t since;                     /**< when the shared memory was created and the counters were 0 */
} clerk_process;

/** The state of this process. For lifecycle.c only. */
clerk_process *clerk_process_get(void);

/** The key store of this configuration generation; NULL if every instance has a PEM key. */
clerk_keystore *clerk_process_keystore(void);

/** All instances of this configuration generation, of clerk_runtime *; NULL before check_config. */
const apr_array_header_t *clerk_process_runtimes(void);

/** Whether any instance has a secret key, its own or a machine's. */
int clerk_process_has_secret_key(void);

/** When the shared memory of this configuration generation was created and the counters were 0. */
apr_time_t clerk_process_since(void);

/** The webhook messages that were received lately. Only where an instance has a ClerkWebhookSecret. */
clerk_recent_set clerk_process_webhooks_seen(void);

/** What was revoked; NULL: nothing can be, as no instance has a ClerkWebhookSecret or ClerkRevocationCheck. */
const clerk_revocations *clerk_process_revocations(void);

/** Whether session tokens are only good while the revocations of the fleet are known (ClerkRevocationFailure closed).
 */
int clerk_process_must_know_revocations(void);

/** The fleet; NULL: this server exchanges no revocations with others. */
const clerk_fleet *clerk_process_fleet(void);

/** Revoke something, for all processes of this machine, and soon for the other servers of the fleet. */
void clerk_process_revoke(const clerk_revocation *revocation);

/** The sessions that Clerk is to be asked for in the background, and those that were put there within the interval. */
clerk_due_queue clerk_process_sessions_due(void);
clerk_recent_set clerk_process_sessions_asked(void);

/** The users whose profiles are to be refreshed in the background, and the cache's entries that were so. */
clerk_due_queue clerk_process_profiles_due(void);
clerk_recent_set clerk_process_profiles_asked(void);

/** Whether keys are refreshed in the background. */
int clerk_process_has_watchdog(void);

/** The cache of ClerkSOCache; NULL if no instance has a secret key, or if its module is not loaded. */
clerk_socache *clerk_process_socache(void);

/** The token cache, shared by all children; NULL before post_config. */
clerk_token_cache *clerk_process_token_cache(void);

#endif
