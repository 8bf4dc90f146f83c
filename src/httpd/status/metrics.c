/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/status/metrics.h"

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

static const char *const health_states[] = {"ok", "fixed", "idle", "failing", "down", NULL};
static const char *const circuit_states[] = {"closed", "open", NULL};

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
                                        [CLERK_METRICS_PROFILES] = "user_profiles"};

    return names[group];
}

int clerk_metrics_apply(clerk_metric_group group, const clerk_report_instance *instance)
{
    switch (group) {
    case CLERK_METRICS_FETCHES:
        return instance->health != CLERK_HEALTH_FIXED;
    case CLERK_METRICS_BACKEND:
        return instance->runtime->instance->secret_key || instance->runtime->instance->machine_secret_key;
    case CLERK_METRICS_PROFILES:
        return instance->runtime->instance->secret_key != NULL;
    default:
        return 1;
    }
}
