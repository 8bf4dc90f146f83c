/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/process.h"

static clerk_process process;

clerk_process *clerk_process_get(void)
{
    return &process;
}

clerk_keystore *clerk_process_keystore(void)
{
    return process.keystore;
}

clerk_token_cache *clerk_process_token_cache(void)
{
    return process.token_cache;
}

const apr_array_header_t *clerk_process_runtimes(void)
{
    return process.runtimes;
}

apr_time_t clerk_process_since(void)
{
    return process.since;
}

int clerk_process_has_watchdog(void)
{
    return process.watchdog != NULL;
}
