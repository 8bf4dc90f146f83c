/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/keystore/keystore.h"

#include <string.h>

#include "shared/keystore/keystore_fetch.h"
#include "shared/keystore/keystore_ring.h"
#include "shared/log.h"

/* Added to the source's timeout while waiting for the fetch of another process: time to publish the keys. */
#define WAIT_SLACK apr_time_from_msec(100)
/* Any client can make a thread wait for newer keys, by a token with an unknown `kid`. So the wait is short (a rotated
 * key arrives sooner), and only an eighth of the threads do; others use the keys at hand. */
#define COLD_PATIENCE apr_time_from_sec(1)
#define NEWER_WAIT apr_time_from_sec(1)
#define POLL_FIRST apr_time_from_msec(1)
#define POLL_LAST apr_time_from_msec(8)
#define TICK_SHORTEST apr_time_from_msec(100)
#define TICK_LONGEST apr_time_from_sec(10)
/* For so long after a good fetch, a bad signature is no sign of a rotated key. */
#define SIGNATURE_GRACE apr_time_from_sec(5)

apr_size_t clerk_keystore_size(unsigned int sources)
{
    return clerk_keystore_segment_size(sources);
}

/* Fill a slot from its file, as if the document had been fetched at the time stated in the file. */
static void load_file(clerk_keystore *store, unsigned int i, apr_pool_t *pool)
{
    const clerk_key_source *source = store->sources[i];
    segment_slot *slot = keystore_slot(store, i);
    const char *text, *problem;
    char *document;
    apr_size_t len;
    apr_time_t fetched_at, now = store->now();
    apr_status_t rv = clerk_statefile_read(&text, &len, &fetched_at, &problem, store->state, source->id, pool);

    if (rv == APR_SUCCESS) {
        if (now - fetched_at > source->max_stale) {
            problem = "it is older than ClerkJWKSMaxStale";
        } else if (jose_keyset_canonical(&document, &len, text, len, pool) != JOSE_OK) {
            problem = "it holds no usable key";
        } else if (clerk_keystore_segment_publish(slot, document, len) != APR_SUCCESS) {
            problem = "its key set is too large";
        } else {
            atomic_store(&slot->fetched_at, fetched_at);
            atomic_store(&slot->next_refresh, now);
            clerk_log(CLERK_LOG_INFO, 1007, "instance %s: keys kept in %s are used until fresh ones are there",
                      source->name, store->state->path);
        }
    }
    if (problem) {
        clerk_log(CLERK_LOG_WARNING, 1006,
                  "instance %s: the file of kept keys in %s is ignored: %s; it will be "
                  "replaced after the next fetch",
                  source->name, store->state->path, problem);
    }
}

apr_status_t clerk_keystore_create(clerk_keystore **pstore, void *memory, apr_size_t size,
                                   const clerk_key_source *const *sources, unsigned int count,
                                   const clerk_statefile_dir *state, apr_pool_t *pool)
{
    apr_status_t rv = clerk_keystore_segment_init(memory, size, count);
    clerk_keystore *store;
    apr_pool_t *scratch;

    *pstore = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    store = apr_pcalloc(pool, sizeof(*store));
    store->memory = memory;
    store->size = size;
    store->sources = sources;
    store->count = count;
    store->state = state;
    store->now = apr_time_now;
    if (state) {
        clerk_statefile_sweep(state->path);
        for (unsigned int i = 0; i < count; i++) {
            apr_pool_create(&scratch, pool);
            load_file(store, i, scratch);
            apr_pool_destroy(scratch);
        }
    }
    *pstore = store;
    return APR_SUCCESS;
}

apr_status_t clerk_keystore_child_init(clerk_keystore *store, const clerk_http *http, apr_pool_t *process_pool)
{
    apr_status_t rv = clerk_keystore_segment_check(store->memory, store->size, store->count);

    if (rv == APR_SUCCESS) {
        rv = clerk_keystore_ring_create(&store->rings, store->count, process_pool);
    }
    if (rv == APR_SUCCESS) {
        store->http = http;
    }
    return rv;
}

int clerk_keystore_peek(clerk_keys_pin *pin, clerk_keystore *store, unsigned int slot, apr_pool_t *scratch)
{
    return store->rings && atomic_load(&keystore_slot(store, slot)->generation)
           && clerk_keystore_ring_pin(pin, store, slot, 0, scratch);
}

void clerk_keystore_release(clerk_keystore *store, clerk_keys_pin *pin)
{
    (void)store;
    clerk_keystore_ring_unpin(pin);
}

/* Whether there is a shared set and it is not too old. */
static int is_usable(const clerk_keystore *store, unsigned int i, apr_time_t now)
{
    const segment_slot *slot = keystore_slot(store, i);
    apr_time_t fetched_at = atomic_load_explicit(&slot->fetched_at, memory_order_relaxed);
    apr_interval_time_t age = now > fetched_at ? now - fetched_at : fetched_at - now;

    return fetched_at && age <= store->sources[i]->max_stale && atomic_load(&slot->generation);
}

apr_uint32_t clerk_keystore_generation(const clerk_keystore *store, unsigned int slot, apr_time_t now)
{
    return slot < store->count && is_usable(store, slot, now) ? atomic_load(&keystore_slot(store, slot)->generation)
                                                              : 0;
}

static clerk_keys_status no_keys(const clerk_keystore *store, unsigned int i)
{
    return atomic_load(&keystore_slot(store, i)->refused) ? CLERK_KEYS_REFUSED : CLERK_KEYS_UNAVAILABLE;
}

/* All but one of a share of the workers: that one makes the call. */
static unsigned int waiters_of(unsigned int share)
{
    return share ? share - 1 : 0;
}

unsigned int clerk_keystore_waiters(unsigned int workers)
{
    return waiters_of(workers / 4 * 3);
}

unsigned int clerk_keystore_newer_waiters(unsigned int workers)
{
    return waiters_of(workers / 8);
}

void clerk_keystore_let_wait(clerk_keystore *store, clerk_place *places, unsigned int workers)
{
    unsigned int count = clerk_keystore_waiters(workers);

    store->waiting = (clerk_places){places, count, store->count > 1 ? count - count / 4 : count};
    store->newer_waiters = clerk_keystore_newer_waiters(workers);
}

/* One thread's wait for the fetch of another one. */
typedef struct key_wait {
    unsigned int slot;
    unsigned int usable; /* of the places to wait */
    apr_time_t deadline;
    apr_time_t patience; /* how long it waits without a place */
    apr_interval_time_t pause;
    clerk_place_ticket place;
} key_wait;

/* Wait a little. @return 0 if too many threads wait already, or if the deadline is over */
static int wait_a_little(const clerk_keystore *store, key_wait *wait)
{
    apr_time_t now = store->now();

    if (now >= wait->deadline) {
        return 0;
    }
    if (!wait->place.lease
        && !clerk_places_take(&wait->place, &store->waiting, wait->usable, wait->slot, now,
                              wait->deadline - now + WAIT_SLACK)
        && now >= wait->patience) {
        return 0;
    }
    apr_sleep(wait->pause);
    wait->pause = wait->pause * 2 < POLL_LAST ? wait->pause * 2 : POLL_LAST;
    return 1;
}

static clerk_keys_status wait_cold(clerk_keys_pin *pin, clerk_keystore *store, key_wait *wait, apr_pool_t *scratch)
{
    unsigned int i = wait->slot;
    segment_slot *slot = keystore_slot(store, i);
    apr_interval_time_t timeout = store->sources[i]->timeout;
    apr_time_t deadline = wait->deadline;
    int fetched = 0;

    for (;;) {
        apr_uint32_t attempts = atomic_load(&slot->attempts);
        apr_time_t now = store->now();
        int is_there = is_usable(store, i, now);
        fetch_outcome outcome = FETCH_BUSY;

        if (is_there && clerk_keystore_ring_pin(pin, store, i, 1, scratch)) {
            return CLERK_KEYS_OK;
        }
        if (fetched) {
            return no_keys(store, i);
        }
        /* No fetch if the document is intact and only could not be pinned (it changed meanwhile, or memory is short),
         * and none if most of the time is gone: it would only time out. */
        if ((!is_there || clerk_keystore_ring_is_damaged(store, i)) && deadline - now > timeout / 2) {
            /* A damaged document has an allowance: the finding may be this process's alone. */
            outcome = clerk_keystore_fetch(store, i, attempts, is_there ? SEGMENT_DAMAGED : SEGMENT_ALLOWANCES,
                                           deadline - now, scratch);
        }
        if (outcome == FETCH_DONE) {
            fetched = 1;
        } else if (outcome != FETCH_BUSY || !wait_a_little(store, wait)) {
            return no_keys(store, i);
        }
    }
}

/* Cold start: there is no usable set. Fetch one, or wait for the process that does. */
static clerk_keys_status acquire_cold(clerk_keys_pin *pin, clerk_keystore *store, unsigned int i, apr_pool_t *scratch)
{
    key_wait wait = {.slot = i, .usable = store->waiting.count, .pause = POLL_FIRST};
    clerk_keys_status status;

    wait.deadline = store->now() + store->sources[i]->timeout + WAIT_SLACK;
    wait.patience = store->now() + COLD_PATIENCE;
    status = wait_cold(pin, store, &wait, scratch);
    clerk_places_give_back(&wait.place);
    return status;
}

static clerk_keys_status wait_newer(clerk_keys_pin *pin, clerk_keystore *store, key_wait *wait, clerk_keys_want want,
                                    apr_uint32_t seen, apr_pool_t *scratch)
{
    unsigned int i = wait->slot;
    segment_slot *slot = keystore_slot(store, i);
    segment_allowance allowance = want == CLERK_KEYS_UNKNOWN_KID ? SEGMENT_UNKNOWN_KID : SEGMENT_BAD_SIGNATURE;
    apr_interval_time_t timeout = store->sources[i]->timeout;
    apr_uint32_t attempts = atomic_load(&slot->attempts);
    apr_time_t deadline = store->now() + timeout;

    for (;;) {
        int is_over = atomic_load(&slot->attempts) != attempts;
        apr_time_t now = store->now();
        fetch_outcome outcome = FETCH_BUSY;

        if (atomic_load(&slot->generation) != seen && clerk_keystore_ring_pin(pin, store, i, 1, scratch)) {
            if (pin->generation != seen) {
                return CLERK_KEYS_OK;
            }
            clerk_keystore_release(store, pin);
        }
        if (is_over) {
            return CLERK_KEYS_UNCHANGED;
        }
        if (!clerk_keystore_fetch_under_way(store, i)) {
            apr_interval_time_t age = now - atomic_load(&slot->fetched_at);

            if (want == CLERK_KEYS_BAD_SIGNATURE && age >= 0 && age < SIGNATURE_GRACE) {
                outcome = FETCH_REFUSED;
            } else if (deadline - now > timeout / 2) {
                outcome = clerk_keystore_fetch(store, i, attempts, allowance, deadline - now, scratch);
            }
        }
        if (outcome == FETCH_REFUSED) {
            atomic_fetch_add(&slot->early_refused, 1);
        }
        if (outcome == FETCH_DONE) {
            continue;
        }
        if (outcome != FETCH_BUSY || !wait_a_little(store, wait)) {
            return CLERK_KEYS_UNCHANGED;
        }
    }
}

/* The caller needs a newer set than `seen`: take it if there is one, or fetch it if the allowance permits. */
static clerk_keys_status acquire_newer(clerk_keys_pin *pin, clerk_keystore *store, unsigned int i, clerk_keys_want want,
                                       apr_uint32_t seen, apr_pool_t *scratch)
{
    key_wait wait = {.slot = i, .usable = store->newer_waiters, .pause = POLL_FIRST};
    apr_interval_time_t timeout = store->sources[i]->timeout;
    clerk_keys_status status;

    wait.deadline = store->now() + (timeout < NEWER_WAIT ? timeout : NEWER_WAIT);
    status = wait_newer(pin, store, &wait, want, seen, scratch);
    clerk_places_give_back(&wait.place);
    return status;
}

/* Whether the background refresh has missed its time by more than a tenth of the period. */
static int is_overdue(const clerk_keystore *store, unsigned int i, apr_time_t now)
{
    apr_time_t next = atomic_load_explicit(&keystore_slot(store, i)->next_refresh, memory_order_relaxed);

    return now - next > store->sources[i]->ttl / 10;
}

clerk_keys_status clerk_keystore_acquire(clerk_keys_pin *pin, clerk_keystore *store, unsigned int slot,
                                         clerk_keys_want want, apr_uint32_t seen, apr_pool_t *scratch)
{
    apr_time_t now;

    memset(pin, 0, sizeof(*pin));
    if (slot >= store->count || !store->rings) {
        return CLERK_KEYS_UNAVAILABLE;
    }
    now = store->now();
    if (!is_usable(store, slot, now)) {
        clerk_keys_status status = acquire_cold(pin, store, slot, scratch);

        if (status == CLERK_KEYS_OK && want != CLERK_KEYS_CURRENT && pin->generation == seen) {
            clerk_keystore_release(store, pin);
            return CLERK_KEYS_UNCHANGED;
        }
        return status;
    }
    if (want != CLERK_KEYS_CURRENT) {
        return acquire_newer(pin, store, slot, want, seen, scratch);
    }
    if (is_overdue(store, slot, now)) {
        /* There seems to be no background thread. This request refreshes; others use the current keys meanwhile. */
        clerk_keystore_fetch(store, slot, atomic_load(&keystore_slot(store, slot)->attempts), SEGMENT_ALLOWANCES,
                             store->sources[slot]->timeout, scratch);
    }
    if (clerk_keystore_ring_pin(pin, store, slot, 0, scratch)) {
        return CLERK_KEYS_OK;
    }
    return acquire_cold(pin, store, slot, scratch);
}

apr_interval_time_t clerk_keystore_tick(clerk_keystore *store, apr_pool_t *scratch)
{
    apr_interval_time_t sleep = TICK_LONGEST;

    for (unsigned int i = 0; store->rings && i < store->count; i++) {
        apr_uint32_t attempts = atomic_load(&keystore_slot(store, i)->attempts);
        apr_interval_time_t due_in = clerk_keystore_fetch_due_in(store, i, store->now());

        if (due_in == 0) {
            if (clerk_keystore_fetch(store, i, attempts, SEGMENT_ALLOWANCES, store->sources[i]->timeout, scratch)
                == FETCH_ABORTED) {
                break;
            }
            due_in = clerk_keystore_fetch_due_in(store, i, store->now());
        }
        sleep = due_in < sleep ? due_in : sleep;
    }
    return sleep > TICK_SHORTEST ? sleep : TICK_SHORTEST;
}

void clerk_keystore_get_stats(clerk_keystore_stats *stats, const clerk_keystore *store, unsigned int slot)
{
    const segment_slot *shared = keystore_slot(store, slot);

    memset(stats, 0, sizeof(*stats));
    stats->generation = atomic_load(&shared->generation);
    stats->fetched_at = atomic_load(&shared->fetched_at);
    stats->next_refresh = atomic_load(&shared->next_refresh);
    stats->failing_since = atomic_load(&shared->failing_since);
    clerk_keystore_segment_get_error(shared, stats->last_error);
    stats->fetches = atomic_load(&shared->fetches);
    stats->failures = atomic_load(&shared->failures);
    stats->early_refreshes = atomic_load(&shared->early_refreshes);
    stats->early_refused = atomic_load(&shared->early_refused);
}

unsigned int clerk_keystore_count(const clerk_keystore *store)
{
    return store->count;
}

const clerk_key_source *clerk_keystore_source(const clerk_keystore *store, unsigned int slot)
{
    return store->sources[slot];
}
