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

clerk_socache *clerk_process_socache(void)
{
    return process.socache;
}

const apr_array_header_t *clerk_process_runtimes(void)
{
    return process.runtimes;
}

int clerk_process_has_secret_key(void)
{
    for (int i = 0; i < process.runtimes->nelts; i++) {
        if (APR_ARRAY_IDX(process.runtimes, i, clerk_runtime *)->instance->secret_key
            || APR_ARRAY_IDX(process.runtimes, i, clerk_runtime *)->instance->machine_secret_key) {
            return 1;
        }
    }
    return 0;
}

apr_time_t clerk_process_since(void)
{
    return process.since;
}

clerk_recent_set clerk_process_webhooks_seen(void)
{
    return process.webhooks_seen;
}

const clerk_revocations *clerk_process_revocations(void)
{
    return process.revocations.head ? &process.revocations : NULL;
}

void clerk_process_revoke(const clerk_revocation *revocation)
{
    if (process.revocations.head) {
        clerk_revocations_add(&process.revocations, revocation);
        clerk_fleet_note(&process.fleet, revocation);
    }
}

clerk_due_queue clerk_process_sessions_due(void)
{
    return process.sessions_due;
}

clerk_recent_set clerk_process_sessions_asked(void)
{
    return process.sessions_asked;
}

clerk_due_queue clerk_process_profiles_due(void)
{
    return process.profiles_due;
}

clerk_recent_set clerk_process_profiles_asked(void)
{
    return process.profiles_asked;
}

int clerk_process_must_know_revocations(void)
{
    return process.fleet.memory && process.fleet.closed;
}

const clerk_fleet *clerk_process_fleet(void)
{
    return process.fleet.memory ? &process.fleet : NULL;
}

int clerk_process_has_watchdog(void)
{
    return process.has_watchdog;
}
