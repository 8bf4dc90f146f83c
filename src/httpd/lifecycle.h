/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_LIFECYCLE_H
#define HTTPD_LIFECYCLE_H

#include <httpd.h>

#include "httpd/process/runtime.h"
#include "shared/token_cache.h"

/** The key store of this configuration generation; NULL where every instance has a PEM key. */
clerk_keystore *clerk_process_keystore(void);

/** All instances of this configuration generation, of clerk_runtime *; NULL before check_config. */
const apr_array_header_t *clerk_process_runtimes(void);

/** When the shared memory of this configuration generation was made: what the counters count from. */
apr_time_t clerk_process_since(void);

/** Whether keys are refreshed in the background. */
int clerk_process_has_watchdog(void);

/** What all children remember of verified tokens; NULL before post_config. */
clerk_verified_tokens *clerk_process_tokens(void);

/** Register the hooks that start and stop things: pre_config to child_stopping. */
void clerk_lifecycle_register(apr_pool_t *pool);

#endif
