/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_RUNTIME_H
#define HTTPD_PROCESS_RUNTIME_H

#include "clerk/instance/backend_api.h"
#include "clerk/instance/instance.h"
#include "clerk/verdicts.h"
#include "shared/keystore/keystore.h"

/**
 * An instance at work: what clerk_instance says, and where its keys are. Made in check_config, one for each different
 * configuration of an instance, so that equal pointers mean the same instance; lives as long as the configuration.
 */
typedef struct clerk_runtime {
    clerk_instance *instance;
    const jose_keyset *static_keys; /**< ClerkJWTKey; then nothing is ever fetched */
    clerk_key_source source;        /**< otherwise */
    int slot;                       /**< in the key store; -1 with static keys, and before post_config */
    clerk_backend_api backend;      /**< how the Backend API is reached */
    clerk_verdicts *verdicts;       /**< in shared memory, set in post_config */
    unsigned int number; /**< its place in the list of runtimes, from 0: what was remembered for one is no other's */
} clerk_runtime;

#endif
