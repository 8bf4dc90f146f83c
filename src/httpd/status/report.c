/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/status/report.h"

#include <apr_strings.h>

#include "httpd/config/config.h"
#include "httpd/process/process.h"

static int has_runtime(const server_rec *server, const clerk_runtime *runtime, apr_pool_t *pool)
{
    const clerk_server_config *conf = clerk_config_server(server);

    if (conf->runtime == runtime || !conf->named_runtimes) {
        return conf->runtime == runtime;
    }
    for (apr_hash_index_t *at = apr_hash_first(pool, conf->named_runtimes); at; at = apr_hash_next(at)) {
        if (apr_hash_this_val(at) == runtime) {
            return 1;
        }
    }
    return 0;
}

static apr_array_header_t *servers_of(const clerk_runtime *runtime, const server_rec *server, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(const char *));

    for (; server; server = server->next) {
        if (has_runtime(server, runtime, pool)) {
            const char *host = server->server_hostname ? server->server_hostname : "(no ServerName)";

            APR_ARRAY_PUSH(list, const char *)
                = server->port ? apr_psprintf(pool, "%s:%u", host, server->port) : apr_pstrdup(pool, host);
        }
    }
    return list;
}

static void add_keys(apr_array_header_t *keys, const jose_keyset *set, apr_pool_t *pool)
{
    for (unsigned int i = 0; i < jose_keyset_count(set); i++) {
        const jose_key *key = jose_keyset_at(set, i);
        clerk_report_key *entry = apr_array_push(keys);

        entry->id = jose_key_id(key) ? apr_pstrdup(pool, jose_key_id(key)) : NULL;
        entry->description = apr_pstrdup(pool, jose_key_description(key));
        entry->usable = jose_key_usable(key);
    }
}

static const char *source_name(const clerk_runtime *runtime)
{
    const clerk_instance *instance = runtime->instance;

    if (runtime->static_keys) {
        return "PEM key";
    }
    if (instance->jwks_needs_secret) {
        return "Backend API";
    }
    return instance->frontend_url
                   && !strncmp(instance->jwks_url, instance->frontend_url, strlen(instance->frontend_url))
               ? "frontend API"
               : "ClerkJWKSURL";
}

static clerk_report_health health_of(const clerk_report_instance *entry, apr_time_t now)
{
    const clerk_keystore_stats *stats = &entry->stats;

    if (stats->generation && entry->serves_until >= now) {
        return stats->failing_since ? CLERK_HEALTH_FAILING : CLERK_HEALTH_OK;
    }
    return stats->fetches || stats->generation ? CLERK_HEALTH_DOWN : CLERK_HEALTH_IDLE;
}

static void look_at_keys(clerk_report_instance *entry, const clerk_runtime *runtime, apr_time_t now, apr_pool_t *pool)
{
    clerk_keystore *store = clerk_process_keystore();
    clerk_keys_pin pin;

    if (runtime->static_keys) {
        add_keys(entry->keys, runtime->static_keys, pool);
        entry->health = CLERK_HEALTH_FIXED;
        return;
    }
    clerk_keystore_get_stats(&entry->stats, store, (unsigned int)runtime->slot);
    if (clerk_keystore_peek(&pin, store, (unsigned int)runtime->slot, pool)) {
        add_keys(entry->keys, pin.set, pool);
        clerk_keystore_release(store, &pin);
    }
    if (entry->stats.generation && entry->stats.fetched_at) {
        entry->serves_until = entry->stats.fetched_at + runtime->source.max_stale;
    }
    entry->health = health_of(entry, now);
}

const clerk_report *clerk_report_make(server_rec *main_server, apr_pool_t *pool)
{
    const apr_array_header_t *runtimes = clerk_process_runtimes();
    clerk_report *report = apr_pcalloc(pool, sizeof(*report));
    int count = runtimes ? runtimes->nelts : 0;

    report->now = apr_time_now();
    report->since = clerk_process_since();
    report->background_refresh = clerk_process_has_watchdog() || !clerk_process_keystore();
    report->instances = apr_array_make(pool, count ? count : 1, sizeof(clerk_report_instance));
    for (int i = 0; i < count; i++) {
        const clerk_runtime *runtime = APR_ARRAY_IDX(runtimes, i, const clerk_runtime *);
        clerk_report_instance *entry = apr_array_push(report->instances);

        entry->runtime = runtime;
        entry->used_by = servers_of(runtime, main_server, pool);
        entry->key_source = source_name(runtime);
        entry->keys = apr_array_make(pool, 2, sizeof(clerk_report_key));
        clerk_backend_api_get_stats(&entry->backend, &runtime->backend, report->now);
        look_at_keys(entry, runtime, report->now, pool);
    }
    return report;
}

const char *clerk_report_health_name(clerk_report_health health)
{
    static const char *const names[] = {[CLERK_HEALTH_OK] = "ok",
                                        [CLERK_HEALTH_FIXED] = "fixed",
                                        [CLERK_HEALTH_IDLE] = "idle",
                                        [CLERK_HEALTH_FAILING] = "failing",
                                        [CLERK_HEALTH_DOWN] = "down"};

    return names[health];
}
