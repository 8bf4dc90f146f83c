/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/status/metrics.h"

#include "httpd/process/process.h"

/* The share of the tokens that were found in the token cache; -1: there was none yet. */
static double hit_percentage(const clerk_verdicts *verdicts)
{
    apr_uint64_t hits = atomic_load(&verdicts->cache_hits);
    apr_uint64_t all = hits + atomic_load(&verdicts->cache_misses);

    return all ? 100.0 * (double)hits / (double)all : -1.0;
}

/* Of the user profiles that a request needed and had: from the cache, fresh. */
static double profile_percentage(const clerk_verdicts *verdicts)
{
    apr_uint64_t hits = atomic_load(&verdicts->profile_hits);
    apr_uint64_t all = hits + atomic_load(&verdicts->profile_misses);

    return all ? 100.0 * (double)hits / (double)all : -1.0;
}

static apr_uint64_t webhooks_applied_of_all_types(const clerk_webhook_counts *counts)
{
    apr_uint64_t all = 0;

    for (int type = 0; type < CLERK_EVENT_TYPES; type++) {
        all += atomic_load(&counts->applied[type]);
    }
    return all;
}

static clerk_webhook_last last_webhook(const clerk_report_instance *instance)
{
    clerk_webhook_last last;

    clerk_webhook_counts_last(&last, instance->runtime->webhook_counts);
    return last;
}

static clerk_revocations_stats all_revocations(void)
{
    clerk_revocations_stats stats;

    clerk_revocations_get_stats(&stats, clerk_process_revocations());
    return stats;
}

static const char *fleet_state(void)
{
    const clerk_fleet *fleet = clerk_process_fleet();

    return !fleet ? "alone" : clerk_fleet_is_known(fleet, apr_time_now()) ? "ok" : "failing";
}

/* When all servers' revocations were read last; 0: never, or there are no others. */
static apr_time_t fleet_known_at(void)
{
    const clerk_fleet *fleet = clerk_process_fleet();

    return fleet ? atomic_load(&fleet->memory->known_at) : 0;
}

static apr_uint64_t fleet_servers(void)
{
    const clerk_fleet *fleet = clerk_process_fleet();

    return fleet ? atomic_load(&fleet->memory->servers) : 1;
}

/* A get function: its name, the member of clerk_metric_value for the metric's kind, and the value. */
#define GET(name, member, value)                                                                                       \
    static clerk_metric_value name(const clerk_report_instance *instance)                                              \
    {                                                                                                                  \
        return (clerk_metric_value){.member = (value)};                                                                \
    }

GET(source, text, instance->key_source)
GET(health, text, clerk_report_health_name(instance->health))
GET(generation, count, instance->stats.generation)
GET(fetched_at, time, instance->stats.fetched_at)
GET(next_refresh_at, time, instance->stats.next_refresh)
GET(serves_until, time, instance->serves_until)
GET(failing_since, time, instance->stats.failing_since)
GET(last_error, text, instance->stats.last_error)
GET(fetches, count, instance->stats.fetches)
GET(failures, count, instance->stats.failures)
GET(early_refreshes, count, instance->stats.early_refreshes)
GET(early_refused, count, instance->stats.early_refused)
GET(circuit, text, instance->backend.open_until ? "open" : "closed")
GET(open_until, time, instance->backend.open_until)
GET(failures_in_a_row, count, instance->backend.failures)
GET(left_alone_until, time, instance->backend.left_alone_until)
GET(calls, count, instance->backend.calls)
GET(not_made, count, instance->backend.rejected)
GET(shared, count, instance->backend.shared)
GET(recalled, count, instance->backend.recalled)
GET(hits, count, atomic_load(&instance->runtime->verdicts->cache_hits))
GET(hit_share, percent, hit_percentage(instance->runtime->verdicts))
GET(misses, count, atomic_load(&instance->runtime->verdicts->cache_misses))
GET(sessions, count, atomic_load(&instance->runtime->verdicts->accepted[CLERK_TOKEN_SESSION]))
GET(sessions_refused, count, atomic_load(&instance->runtime->verdicts->refused[CLERK_TOKEN_SESSION]))
GET(api_keys, count, atomic_load(&instance->runtime->verdicts->accepted[CLERK_TOKEN_API_KEY]))
GET(api_keys_refused, count, atomic_load(&instance->runtime->verdicts->refused[CLERK_TOKEN_API_KEY]))
GET(m2m, count, atomic_load(&instance->runtime->verdicts->accepted[CLERK_TOKEN_M2M]))
GET(m2m_refused, count, atomic_load(&instance->runtime->verdicts->refused[CLERK_TOKEN_M2M]))
GET(oauth, count, atomic_load(&instance->runtime->verdicts->accepted[CLERK_TOKEN_OAUTH]))
GET(oauth_refused, count, atomic_load(&instance->runtime->verdicts->refused[CLERK_TOKEN_OAUTH]))

GET(renewed, count, atomic_load(&instance->runtime->verdicts->renewed))
GET(forms_kept, count, atomic_load(&instance->runtime->verdicts->forms_kept))
GET(profile_hits, count, atomic_load(&instance->runtime->verdicts->profile_hits))
GET(profile_misses, count, atomic_load(&instance->runtime->verdicts->profile_misses))
GET(profile_share, percent, profile_percentage(instance->runtime->verdicts))
GET(profile_failures, count, atomic_load(&instance->runtime->verdicts->profile_failures))
GET(profile_kept, count, atomic_load(&instance->runtime->verdicts->profile_kept))

GET(webhooks_applied, count, webhooks_applied_of_all_types(instance->runtime->webhook_counts))
GET(webhooks_refused, count, atomic_load(&instance->runtime->webhook_counts->refused))
GET(webhooks_unusable, count, atomic_load(&instance->runtime->webhook_counts->unusable))
GET(webhook_at, time, last_webhook(instance).at)
GET(webhook_verdict, text, clerk_webhook_counts_fate_text(last_webhook(instance).fate))
GET(webhook_lag, count, (apr_uint64_t)apr_time_sec(last_webhook(instance).lag))

GET(checks_made, count, atomic_load(&instance->runtime->verdicts->checks_made))
GET(checks_over, count, atomic_load(&instance->runtime->verdicts->checks_over))
GET(checks_failed, count, atomic_load(&instance->runtime->verdicts->checks_failed))
GET(checks_put_off, count, atomic_load(&instance->runtime->verdicts->checks_put_off))

/* A get function of the server. */
#define GET_OF_SERVER(name, member, value)                                                                             \
    static clerk_metric_value name(const clerk_report_instance *none)                                                  \
    {                                                                                                                  \
        (void)none;                                                                                                    \
        return (clerk_metric_value){.member = (value)};                                                                \
    }

GET_OF_SERVER(revoked, count, clerk_revocations_held(clerk_process_revocations(), 0))
GET_OF_SERVER(room, count, all_revocations().capacity)
GET_OF_SERVER(given_way, count, all_revocations().given_way)
GET_OF_SERVER(newest, time, apr_time_from_sec(all_revocations().newest))
GET_OF_SERVER(fleet, text, fleet_state())
GET_OF_SERVER(servers, count, fleet_servers())
GET_OF_SERVER(known_at, time, fleet_known_at())

static const char *const health_states[] = {"ok", "fixed", "idle", "failing", "down", NULL};
static const char *const circuit_states[] = {"closed", "open", NULL};
static const char *const webhook_verdicts[] = {"none", "applied", "refused", "unusable", NULL};
static const char *const fleet_states[] = {"alone", "ok", "failing", NULL};

const clerk_metric clerk_metrics[] = {
    {CLERK_METRICS_KEYS, "source", CLERK_METRIC_TEXT, source, .series = "keys_source_info", .label = "Keys from",
     .help = "Where the keys are from."},
    {CLERK_METRICS_KEYS, "health", CLERK_METRIC_TEXT, health, .series = "keys_health", .states = health_states,
     .help = "Whether there are keys, and whether fetches of keys succeed."},
    {CLERK_METRICS_FETCHES, "generation", CLERK_METRIC_GAUGE, generation, .series = "keys_generation",
     .help = "The number of different key sets so far."},
    {CLERK_METRICS_FETCHES, "fetched_at", CLERK_METRIC_TIME, fetched_at, .series = "keys_fetched_timestamp_seconds",
     .help = "When keys were last fetched."},
    {CLERK_METRICS_FETCHES, "age_seconds", CLERK_METRIC_AGE, fetched_at, .label = "Age", .none = "never fetched",
     .help = "How long ago keys were last fetched."},
    {CLERK_METRICS_FETCHES, "next_refresh_at", CLERK_METRIC_TIME, next_refresh_at,
     .series = "keys_next_refresh_timestamp_seconds", .label = "Next refresh", .none = "on demand", .past = "due",
     .future = "in ", .help = "When keys are fetched again."},
    {CLERK_METRICS_FETCHES, "serves_until", CLERK_METRIC_TIME, serves_until,
     .series = "keys_serves_until_timestamp_seconds", .label = "Without a refresh", .past = "too old",
     .future = "usable for ", .help = "Until when the keys are used if no fetch succeeds."},
    {CLERK_METRICS_FETCHES, "failing_since", CLERK_METRIC_TIME, failing_since,
     .series = "keys_failing_since_timestamp_seconds", .help = "Since when fetches of keys fail."},
    {CLERK_METRICS_FETCHES, "last_error", CLERK_METRIC_TEXT, last_error, .series = "keys_last_error_info",
     .help = "Why the last fetch of keys failed."},
    {CLERK_METRICS_FETCHES, "fetches", CLERK_METRIC_COUNTER, fetches, .series = "keys_fetches_total",
     .label = "Fetches", .help = "Fetches of keys."},
    {CLERK_METRICS_FETCHES, "failures", CLERK_METRIC_COUNTER, failures, .series = "keys_fetch_failures_total",
     .note = "failed", .help = "Fetches of keys that failed."},
    {CLERK_METRICS_FETCHES, "early_refreshes", CLERK_METRIC_COUNTER, early_refreshes,
     .series = "keys_early_refreshes_total", .label = "Early refreshes",
     .help = "Fetches of keys because of an unknown key id or a bad signature."},
    {CLERK_METRICS_FETCHES, "early_refused", CLERK_METRIC_COUNTER, early_refused,
     .series = "keys_early_refreshes_refused_total", .note = "over the limit",
     .help = "Fetches of keys that were not made because of the rate limit."},
    {CLERK_METRICS_BACKEND, "circuit", CLERK_METRIC_TEXT, circuit, .series = "backend_api_circuit",
     .states = circuit_states, .help = "Whether the Backend API is called."},
    {CLERK_METRICS_BACKEND, "open_until", CLERK_METRIC_TIME, open_until,
     .series = "backend_api_circuit_open_until_timestamp_seconds", .help = "Until when the Backend API is not called."},
    {CLERK_METRICS_BACKEND, "failures_in_a_row", CLERK_METRIC_GAUGE, failures_in_a_row,
     .series = "backend_api_failures_in_a_row", .help = "Calls of the Backend API that failed since one succeeded."},
    {CLERK_METRICS_BACKEND, "calls", CLERK_METRIC_COUNTER, calls, .series = "backend_api_calls_total",
     .label = "Backend API calls", .help = "Calls of the Backend API."},
    {CLERK_METRICS_BACKEND, "not_made", CLERK_METRIC_COUNTER, not_made, .series = "backend_api_calls_not_made_total",
     .note = "not made", .help = "Calls of the Backend API that a limit held back."},
    {CLERK_METRICS_BACKEND, "shared", CLERK_METRIC_COUNTER, shared, .series = "backend_api_replies_shared_total",
     .help = "Replies of the Backend API that the call of another request brought."},
    {CLERK_METRICS_BACKEND, "from_store", CLERK_METRIC_COUNTER, recalled,
     .series = "backend_api_replies_from_store_total",
     .help = "What Clerk has said about machine tokens, found in the cache of ClerkSOCache."},
    {CLERK_METRICS_BACKEND, "left_alone_until", CLERK_METRIC_TIME, left_alone_until,
     .series = "backend_api_left_alone_until_timestamp_seconds",
     .help = "Until when the Backend API is not called for strangers, because of a 429."},
    {CLERK_METRICS_CACHE, "hits", CLERK_METRIC_COUNTER, hits, .series = "token_cache_hits_total",
     .help = "Tokens found in the token cache."},
    {CLERK_METRICS_CACHE, NULL, CLERK_METRIC_PERCENT, hit_share, .label = "Token cache hits",
     .help = "The share of the tokens that were found in the token cache."},
    {CLERK_METRICS_CACHE, "misses", CLERK_METRIC_COUNTER, misses, .series = "token_cache_misses_total",
     .note = "verified", .help = "Signatures that had to be checked."},
    {CLERK_METRICS_CREDENTIALS, "session_tokens", CLERK_METRIC_COUNTER, sessions,
     .series = "credentials_session_tokens_total", .label = "Session tokens",
     .help = "Requests signed in by a session token."},
    {CLERK_METRICS_CREDENTIALS, "session_tokens_refused", CLERK_METRIC_COUNTER, sessions_refused,
     .series = "credentials_session_tokens_refused_total", .note = "refused",
     .help = "Requests whose session token was refused."},
    {CLERK_METRICS_CREDENTIALS, "api_keys", CLERK_METRIC_COUNTER, api_keys, .series = "credentials_api_keys_total",
     .label = "API keys", .help = "Requests signed in by an API key."},
    {CLERK_METRICS_CREDENTIALS, "api_keys_refused", CLERK_METRIC_COUNTER, api_keys_refused,
     .series = "credentials_api_keys_refused_total", .note = "refused", .help = "Requests whose API key was refused."},
    {CLERK_METRICS_CREDENTIALS, "m2m_tokens", CLERK_METRIC_COUNTER, m2m, .series = "credentials_m2m_tokens_total",
     .label = "M2M tokens", .help = "Requests signed in by an M2M token."},
    {CLERK_METRICS_CREDENTIALS, "m2m_tokens_refused", CLERK_METRIC_COUNTER, m2m_refused,
     .series = "credentials_m2m_tokens_refused_total", .note = "refused",
     .help = "Requests whose M2M token was refused."},
    {CLERK_METRICS_CREDENTIALS, "oauth_tokens", CLERK_METRIC_COUNTER, oauth, .series = "credentials_oauth_tokens_total",
     .label = "OAuth tokens", .help = "Requests signed in by an OAuth access token."},
    {CLERK_METRICS_CREDENTIALS, "oauth_tokens_refused", CLERK_METRIC_COUNTER, oauth_refused,
     .series = "credentials_oauth_tokens_refused_total", .note = "refused",
     .help = "Requests whose OAuth access token was refused."},
    {CLERK_METRICS_SESSIONS, "renewed", CLERK_METRIC_COUNTER, renewed, .series = "sessions_renewed_total",
     .label = "Sessions renewed", .help = "Requests that an expired session was renewed for."},
    {CLERK_METRICS_SESSIONS, "forms_kept", CLERK_METRIC_COUNTER, forms_kept, .series = "sessions_forms_kept_total",
     .label = "Forms kept", .help = "Forms kept in their page, because their session had expired."},
    {CLERK_METRICS_PROFILES, "hits", CLERK_METRIC_COUNTER, profile_hits, .series = "user_profiles_hits_total",
     .help = "User profiles found in the cache, fresh enough."},
    {CLERK_METRICS_PROFILES, NULL, CLERK_METRIC_PERCENT, profile_share, .label = "User profile hits",
     .help = "The share of the user profiles that were found in the cache."},
    {CLERK_METRICS_PROFILES, "misses", CLERK_METRIC_COUNTER, profile_misses, .series = "user_profiles_misses_total",
     .note = "asked for", .help = "User profiles that Clerk had to be asked for."},
    {CLERK_METRICS_PROFILES, "failures", CLERK_METRIC_COUNTER, profile_failures,
     .series = "user_profiles_failures_total", .label = "User profiles not had",
     .help = "User profiles that Clerk was asked for in vain."},
    {CLERK_METRICS_PROFILES, "kept", CLERK_METRIC_COUNTER, profile_kept, .series = "user_profiles_kept_total",
     .note = "an old one used", .help = "Old user profiles that were used because Clerk did not answer."},
    {CLERK_METRICS_CHECKS, "made", CLERK_METRIC_COUNTER, checks_made, .series = "session_checks_made_total",
     .label = "Sessions checked", .help = "Sessions that Clerk was asked for, and said something of."},
    {CLERK_METRICS_CHECKS, "over", CLERK_METRIC_COUNTER, checks_over, .series = "session_checks_over_total",
     .note = "over", .help = "Sessions that were over at Clerk when it was asked for them."},
    {CLERK_METRICS_CHECKS, "failed", CLERK_METRIC_COUNTER, checks_failed, .series = "session_checks_failed_total",
     .label = "Sessions not checked", .help = "Sessions that Clerk was to be asked for and said nothing of."},
    {CLERK_METRICS_CHECKS, "put_off", CLERK_METRIC_COUNTER, checks_put_off, .series = "session_checks_put_off_total",
     .note = "put off", .help = "Sessions that wait for a later interval: more are in use than can be asked for."},
    {CLERK_METRICS_WEBHOOKS, "applied", CLERK_METRIC_COUNTER, webhooks_applied, .series = "webhooks_applied_total",
     .label = "Webhook messages", .help = "Webhook messages that were verified, and done what they say."},
    {CLERK_METRICS_WEBHOOKS, "refused", CLERK_METRIC_COUNTER, webhooks_refused, .series = "webhooks_refused_total",
     .note = "refused", .help = "Webhook messages that were refused: signature, age, or received before."},
    {CLERK_METRICS_WEBHOOKS, "unusable", CLERK_METRIC_COUNTER, webhooks_unusable, .series = "webhooks_unusable_total",
     .help = "Webhook messages that were signed, but do not say what they should."},
    {CLERK_METRICS_WEBHOOKS, "last_at", CLERK_METRIC_TIME, webhook_at, .series = "webhooks_last_timestamp_seconds",
     .help = "When the last webhook message came."},
    {CLERK_METRICS_WEBHOOKS, "last_age_seconds", CLERK_METRIC_AGE, webhook_at, .label = "Last webhook message",
     .none = "none yet", .help = "How long ago the last webhook message came."},
    {CLERK_METRICS_WEBHOOKS, "last_verdict", CLERK_METRIC_TEXT, webhook_verdict, .series = "webhooks_last_verdict",
     .states = webhook_verdicts, .label = "What became of it", .help = "What became of the last webhook message."},
    {CLERK_METRICS_WEBHOOKS, "lag_seconds", CLERK_METRIC_GAUGE, webhook_lag, .series = "webhooks_lag_seconds",
     .help = "From the event to the arrival of its message, for the last one that was applied."},
    {CLERK_METRICS_REVOCATIONS, "held", CLERK_METRIC_GAUGE, revoked, .series = "revocations_held",
     .label = "Revocations held", .help = "Sessions, users and memberships that are revoked as of some time."},
    {CLERK_METRICS_REVOCATIONS, "capacity", CLERK_METRIC_GAUGE, room, .series = "revocations_capacity",
     .help = "How many revocations there is room for."},
    {CLERK_METRICS_REVOCATIONS, "given_way", CLERK_METRIC_COUNTER, given_way, .series = "revocations_given_way_total",
     .help = "Revocations that gave way to newer ones: more than them is revoked now."},
    {CLERK_METRICS_REVOCATIONS, "newest_at", CLERK_METRIC_TIME, newest,
     .series = "revocations_newest_timestamp_seconds", .help = "As of when something was last revoked."},
    {CLERK_METRICS_REVOCATIONS, "newest_age_seconds", CLERK_METRIC_AGE, newest, .label = "The newest one",
     .none = "none", .help = "How long ago something was last revoked."},
    {CLERK_METRICS_REVOCATIONS, "fleet", CLERK_METRIC_TEXT, fleet, .series = "revocations_fleet",
     .states = fleet_states, .label = "Other servers",
     .help = "Whether what other servers have revoked is known here."},
    {CLERK_METRICS_REVOCATIONS, "fleet_servers", CLERK_METRIC_GAUGE, servers, .series = "revocations_fleet_servers",
     .help = "Servers that exchange revocations, this one included."},
    {CLERK_METRICS_REVOCATIONS, "fleet_known_at", CLERK_METRIC_TIME, known_at,
     .series = "revocations_fleet_known_timestamp_seconds",
     .help = "When the revocations of all servers were last read."},
    {.get = NULL},
};

const char *clerk_metrics_object(clerk_metric_group group)
{
    static const char *const names[] = {[CLERK_METRICS_KEYS] = "keys",
                                        [CLERK_METRICS_FETCHES] = "keys",
                                        [CLERK_METRICS_BACKEND] = "backend_api",
                                        [CLERK_METRICS_CACHE] = "token_cache",
                                        [CLERK_METRICS_CREDENTIALS] = "credentials",
                                        [CLERK_METRICS_SESSIONS] = "sessions",
                                        [CLERK_METRICS_PROFILES] = "user_profiles",
                                        [CLERK_METRICS_WEBHOOKS] = "webhooks",
                                        [CLERK_METRICS_CHECKS] = "session_checks",
                                        [CLERK_METRICS_REVOCATIONS] = "revocations"};

    return names[group];
}

int clerk_metrics_apply(clerk_metric_group group, const clerk_report_instance *instance)
{
    if (!instance || group == CLERK_METRICS_REVOCATIONS) {
        return !instance && group == CLERK_METRICS_REVOCATIONS && clerk_process_revocations();
    }
    switch (group) {
    case CLERK_METRICS_FETCHES:
        return instance->health != CLERK_HEALTH_FIXED;
    case CLERK_METRICS_BACKEND:
        return instance->runtime->instance->secret_key || instance->runtime->instance->machine_secret_key;
    case CLERK_METRICS_PROFILES:
        return instance->runtime->instance->secret_key != NULL;
    case CLERK_METRICS_CHECKS:
        return instance->runtime->check_interval != 0;
    case CLERK_METRICS_WEBHOOKS:
        return instance->runtime->webhook_keys != NULL;
    default:
        return 1;
    }
}
