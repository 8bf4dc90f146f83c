/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/keystore/keystore_fetch.h"

#include <string.h>

#include <apr_strings.h>

#include "jose/json.h"
#include "shared/keystore/statefile.h"
#include "shared/log.h"

#define RESPONSE_MAX 262144
#define BACKOFF_FIRST apr_time_from_sec(1)
#define BACKOFF_LAST apr_time_from_sec(60)
#define RETRY_AFTER_LAST 600
/* Time for what the holder of the lease does after the fetch: parse, publish, write the file. */
#define LEASE_SLACK apr_time_from_msec(200)

/* The result of a fetch. */
typedef struct fetch_result {
    char *document; /* the canonical text, or NULL if the fetch failed */
    apr_size_t len;
    unsigned int keys;
    const char *problem; /* if it failed: what happened */
    const char *advice;  /* if it failed: what to do about it */
    int refused;         /* the source does not accept our credential */
    int retry_after;     /* seconds, 0 for none */
    int aborted;
} fetch_result;

static const char advice_network[] = "check the network, name service, ClerkHTTPProxy and ClerkCAFile";
static const char advice_url[] = "check ClerkPublishableKey and ClerkJWKSURL";
static const char advice_secret[] = "check ClerkSecretKey";
static const char advice_wait[] = "no action is needed if it passes; see https://status.clerk.com/";

static apr_interval_time_t lease_duration(const clerk_key_source *source)
{
    return source->timeout + source->timeout / 2 + LEASE_SLACK;
}

/* The interval plus or minus a tenth, so that many servers do not call at the same moment. */
static apr_interval_time_t with_jitter(apr_interval_time_t interval)
{
    apr_interval_time_t span = interval / 5;

    return interval - span / 2
           + (span ? (apr_interval_time_t)(clerk_keystore_segment_random() % (apr_uint64_t)span) : 0);
}

int clerk_keystore_fetch_under_way(const clerk_keystore *store, unsigned int slot)
{
    return clerk_lease_is_held(&keystore_slot(store, slot)->lease, store->now(), lease_duration(store->sources[slot]));
}

int clerk_keystore_fetch_in_backoff(const clerk_keystore *store, unsigned int slot, apr_time_t now)
{
    apr_time_t retry_at = atomic_load(&keystore_slot(store, slot)->retry_at);

    /* A time further away than the longest back-off is from before the clock was set back. */
    return retry_at > now && retry_at - now <= apr_time_from_sec(2 * RETRY_AFTER_LAST);
}

apr_interval_time_t clerk_keystore_fetch_due_in(const clerk_keystore *store, unsigned int slot, apr_time_t now)
{
    apr_time_t next = atomic_load(&keystore_slot(store, slot)->next_refresh);

    if (next <= now || next - now > store->sources[slot]->ttl + apr_time_from_sec(2 * RETRY_AFTER_LAST)) {
        return 0;
    }
    return next - now;
}

static void set_problem(fetch_result *result, const char *problem, const char *advice)
{
    result->document = NULL;
    result->problem = problem;
    result->advice = advice;
}

/* Whether an error answer of the Backend API says that the secret key is not valid: {"errors":[{"code":...}]} */
static int says_key_invalid(const clerk_http_response *response, apr_pool_t *pool)
{
    json_t *object, *error;
    const char *code;
    size_t i;

    if (jose_json_parse_object(&object, response->body, response->body_len, JOSE_JSON_MAX_DEPTH, pool) != JOSE_OK) {
        return 0;
    }
    json_array_foreach(json_object_get(object, "errors"), i, error)
    {
        code = json_string_value(json_object_get(error, "code"));
        if (code && !strcmp(code, "clerk_key_invalid")) {
            return 1;
        }
    }
    return 0;
}

static void judge_status(fetch_result *result, const clerk_http_response *response, apr_pool_t *pool)
{
    int status = response->status;

    if (status >= 300 && status < 400) {
        set_problem(result, apr_psprintf(pool, "it answers with a redirect (%d), which is not followed", status),
                    advice_url);
        return;
    }
    if (status == 401 || status == 403 || says_key_invalid(response, pool)) {
        result->refused = 1;
        set_problem(result, apr_psprintf(pool, "it does not accept our credential (status %d)", status), advice_secret);
        return;
    }
    if ((status == 429 || status == 503) && response->retry_after > 0) {
        result->retry_after = response->retry_after < RETRY_AFTER_LAST ? response->retry_after : RETRY_AFTER_LAST;
    }
    set_problem(result, apr_psprintf(pool, "it answers with status %d", status),
                status == 429 || status >= 500 ? advice_wait : advice_url);
}

static void judge_document(fetch_result *result, const clerk_http_response *response, apr_pool_t *pool)
{
    jose_keyset *set;
    jose_status status
        = jose_keyset_canonical(&result->document, &result->len, response->body, response->body_len, pool);

    /* Check the canonical document, which every process will parse, not the response. */
    if (status == JOSE_OK) {
        status = jose_keyset_parse(&set, result->document, result->len, pool);
    }
    if (status != JOSE_OK) {
        set_problem(result,
                    apr_psprintf(pool, "its answer is not a key set with a usable key (%s)", jose_status_text(status)),
                    advice_url);
    } else if (result->len > SEGMENT_DOCUMENT_MAX) {
        set_problem(result,
                    apr_psprintf(pool, "its key set is too large (%" APR_SIZE_T_FMT " bytes, at most %d)", result->len,
                                 SEGMENT_DOCUMENT_MAX),
                    advice_url);
    } else {
        result->keys = jose_keyset_count(set);
    }
}

static fetch_result call_source(const clerk_keystore *store, const clerk_key_source *source,
                                apr_interval_time_t timeout, apr_pool_t *pool)
{
    apr_table_t *headers = apr_table_make(pool, 2);
    clerk_http_request request = {.method = "GET",
                                  .url = source->url,
                                  .bearer = source->bearer,
                                  .headers = headers,
                                  .proxy = source->proxy,
                                  .ca_file = source->ca_file,
                                  .timeout = timeout,
                                  .max_response = RESPONSE_MAX};
    fetch_result result = {.document = NULL};
    clerk_http_response *response;
    apr_status_t rv;

    apr_table_setn(headers, "Accept", "application/json");
    if (source->bearer) {
        apr_table_setn(headers, "Clerk-API-Version", source->api_version);
    }
    rv = store->http->perform(store->http->baton, &response, &request, pool);
    if (APR_STATUS_IS_EINTR(rv)) {
        result.aborted = 1;
    } else if (rv != APR_SUCCESS) {
        const char *error = response->error ? response->error : "no reason given";

        /* No error text should contain the secret key; make sure that none is logged. */
        if (source->bearer && strstr(error, source->bearer)) {
            error = "the reason is withheld";
        }
        set_problem(&result, apr_psprintf(pool, "it gives no answer: %s", error), advice_network);
    } else if (response->status < 200 || response->status > 299) {
        judge_status(&result, response, pool);
    } else {
        judge_document(&result, response, pool);
    }
    return result;
}

static void persist(clerk_keystore *store, unsigned int i, const fetch_result *result, apr_time_t fetched_at,
                    apr_pool_t *pool)
{
    segment_slot *slot = keystore_slot(store, i);
    const clerk_key_source *source = store->sources[i];
    apr_status_t rv;
    char reason[120];

    if (!store->state) {
        return;
    }
    rv = clerk_statefile_write(store->state, source->id, result->document, result->len, fetched_at, pool);
    if (rv != APR_SUCCESS && !atomic_exchange(&slot->persist_failing, 1)) {
        clerk_log(CLERK_LOG_WARNING, 1004,
                  "instance %s: the keys cannot be kept in %s: %s; a restart while their "
                  "source is down would have no keys; check that the directory of ClerkStateDir can be written",
                  source->name, store->state->path, apr_strerror(rv, reason, sizeof(reason)));
    } else if (rv == APR_SUCCESS && atomic_exchange(&slot->persist_failing, 0)) {
        clerk_log(CLERK_LOG_NOTICE, 1005, "instance %s: the keys are kept in %s again", source->name,
                  store->state->path);
    }
}

static void record_good(clerk_keystore *store, unsigned int i, const fetch_result *result, apr_pool_t *pool)
{
    segment_slot *slot = keystore_slot(store, i);
    const clerk_key_source *source = store->sources[i];
    apr_time_t now = store->now(), failing_since;
    apr_time_t next = now + with_jitter(source->ttl / 5 * 4);
    apr_uint32_t generation;
    apr_size_t old_len;
    char *old;

    /* Publish the document if it is new, or if the published one is damaged. */
    if (clerk_keystore_segment_copy(slot, &old, &old_len, &generation, pool) != APR_SUCCESS || old_len != result->len
        || memcmp(old, result->document, old_len)) {
        if (clerk_keystore_segment_publish(slot, result->document, result->len) == APR_SUCCESS) {
            clerk_log(CLERK_LOG_INFO, 1003, "instance %s: new key set, %u key(s)", source->name, result->keys);
        } else {
            /* Another process published meanwhile: one of the two was stopped for longer than its lease. Fetch again.
             */
            next = now;
        }
    }
    atomic_store(&slot->fetched_at, now);
    atomic_store(&slot->next_refresh, next);
    atomic_store(&slot->retry_at, 0);
    atomic_store(&slot->failures_in_a_row, 0);
    atomic_store(&slot->refused, 0);
    atomic_store(&slot->lapsed, 0);
    failing_since = atomic_exchange(&slot->failing_since, 0);
    clerk_keystore_segment_set_error(slot, "");
    atomic_fetch_add(&slot->attempts, 1);
    if (failing_since) {
        clerk_log(CLERK_LOG_NOTICE, 1002,
                  "instance %s: the keys can be fetched from %s again, after %" APR_TIME_T_FMT " s", source->name,
                  clerk_http_url_printable(source->url, pool), apr_time_sec(now - failing_since));
    }
    persist(store, i, result, now, pool);
}

static apr_interval_time_t backoff(apr_uint32_t failures_in_a_row, int retry_after)
{
    apr_interval_time_t wait = failures_in_a_row > 6 ? BACKOFF_LAST : BACKOFF_FIRST << (failures_in_a_row - 1);

    wait = with_jitter(wait < BACKOFF_LAST ? wait : BACKOFF_LAST);
    return wait > apr_time_from_sec(retry_after) ? wait : apr_time_from_sec(retry_after);
}

static void record_bad(clerk_keystore *store, unsigned int i, const fetch_result *result, apr_pool_t *pool)
{
    segment_slot *slot = keystore_slot(store, i);
    const clerk_key_source *source = store->sources[i];
    const char *url = clerk_http_url_printable(source->url, pool);
    apr_time_t now = store->now(), none = 0, fetched_at = atomic_load(&slot->fetched_at);
    apr_time_t retry_at = now + backoff(atomic_fetch_add(&slot->failures_in_a_row, 1) + 1, result->retry_after);
    int kind_changed = atomic_exchange(&slot->refused, (apr_uint32_t)result->refused) != (apr_uint32_t)result->refused;
    int began = atomic_compare_exchange_strong(&slot->failing_since, &none, now);

    clerk_keystore_segment_set_error(slot, result->problem);
    atomic_fetch_add(&slot->failures, 1);
    atomic_store(&slot->retry_at, retry_at);
    atomic_store(&slot->next_refresh, retry_at);
    atomic_fetch_add(&slot->attempts, 1);
    if (began || kind_changed) {
        clerk_log(CLERK_LOG_WARNING, 1001,
                  "instance %s: the keys cannot be fetched from %s: %s; %s; %s; clerkctl keys tries it", source->name,
                  url, result->problem, result->advice,
                  fetched_at ? "the last good keys are used until they are older than ClerkJWKSMaxStale"
                             : "there are no keys yet, so no token can be verified");
    }
    if (fetched_at && now - fetched_at > source->max_stale && !atomic_exchange(&slot->lapsed, 1)) {
        clerk_log(CLERK_LOG_ERROR, 1008,
                  "instance %s: the last good keys are older than ClerkJWKSMaxStale and no longer used, "
                  "so no token can be verified until %s answers: %s; %s; clerkctl keys tries it",
                  source->name, url, result->problem, result->advice);
    }
}

static fetch_outcome fetch_with_lease(clerk_keystore *store, unsigned int i, apr_uint64_t *please,
                                      apr_interval_time_t timeout, apr_pool_t *pool)
{
    segment_slot *slot = keystore_slot(store, i);
    const clerk_key_source *source = store->sources[i];
    fetch_result result;

    atomic_fetch_add(&slot->fetches, 1);
    result = call_source(store, source, timeout < source->timeout ? timeout : source->timeout, pool);
    if (result.aborted) {
        return FETCH_ABORTED;
    }
    /* This process was stopped for so long that its lease expired and another has it: drop the result. */
    if (!clerk_lease_renew(&slot->lease, please, store->now(), lease_duration(source))) {
        return FETCH_BUSY;
    }
    if (result.document) {
        record_good(store, i, &result, pool);
    } else {
        record_bad(store, i, &result, pool);
    }
    return FETCH_DONE;
}

fetch_outcome clerk_keystore_fetch(clerk_keystore *store, unsigned int i, apr_uint32_t attempts,
                                   segment_allowance allowance, apr_interval_time_t timeout, apr_pool_t *scratch)
{
    segment_slot *slot = keystore_slot(store, i);
    apr_time_t now = store->now();
    fetch_outcome outcome;
    apr_uint64_t lease;
    apr_pool_t *pool;

    if (clerk_keystore_fetch_in_backoff(store, i, now)) {
        return FETCH_BACKOFF;
    }
    if (allowance != SEGMENT_ALLOWANCES && !clerk_keystore_segment_allowance_has(slot, allowance, now)) {
        return FETCH_REFUSED;
    }
    lease = clerk_lease_take(&slot->lease, now, lease_duration(store->sources[i]));
    if (!lease) {
        return FETCH_BUSY;
    }
    if (atomic_load(&slot->attempts) != attempts) {
        outcome = FETCH_BUSY;
    } else if (allowance != SEGMENT_ALLOWANCES && !clerk_keystore_segment_allowance_take(slot, allowance, now)) {
        outcome = FETCH_REFUSED;
    } else {
        if (allowance != SEGMENT_ALLOWANCES) {
            atomic_fetch_add(&slot->early_refreshes, 1);
        }
        apr_pool_create(&pool, scratch);
        outcome = fetch_with_lease(store, i, &lease, timeout, pool);
        apr_pool_destroy(pool);
    }
    clerk_lease_release(&slot->lease, lease);
    return outcome;
}
