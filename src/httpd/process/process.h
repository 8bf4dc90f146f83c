/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_PROCESS_H
#define HTTPD_PROCESS_PROCESS_H

#include <httpd.h>
#include <mod_watchdog.h>

#include "httpd/process/runtime.h"
#include "shared/token_cache.h"

/**
 * What this process holds for one configuration generation: made anew after each restart, from pools that end with it.
 * lifecycle.c alone writes it; the others read it through the functions below.
 */
typedef struct clerk_process {
    apr_array_header_t *runtimes; /**< of clerk_runtime *; NULL before check_config */
    clerk_keystore *keystore;     /**< NULL where every instance has a PEM key */
    clerk_http *http;             /**< each child's own */
    clerk_token_cache *tokens;
    ap_watchdog_t *watchdog; /**< NULL: keys are refreshed by requests */
    apr_time_t since;        /**< when the segment was made, and counting began */
} clerk_process;

/** The one there is, for lifecycle.c. */
clerk_process *clerk_process_get(void);

/** The key store of this configuration generation; NULL where every instance has a PEM key. */
clerk_keystore *clerk_process_keystore(void);

/** All instances of this configuration generation, of clerk_runtime *; NULL before check_config. */
const apr_array_header_t *clerk_process_runtimes(void);

/** When the shared memory of this configuration generation was made: what the counters count from. */
apr_time_t clerk_process_since(void);

/** Whether keys are refreshed in the background. */
int clerk_process_has_watchdog(void);

/** What all children remember of verified tokens; NULL before post_config. */
clerk_token_cache *clerk_process_tokens(void);

#endif
