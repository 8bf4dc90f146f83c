/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/keystore/keystore_ring.h"

#include <apr_allocator.h>
#include <apr_thread_mutex.h>

#include "shared/log.h"

/* Parsed sets that a process keeps for one slot: the current one, and older ones that threads still use. */
#define RING_ENTRIES 8

/*
 * One parsed set. Entries are never freed while the process lives, only refilled, so that a thread may touch the count
 * of any entry without holding it. A reader increments the count and then checks that the entry is still current. A
 * writer first makes another entry current and refills an entry only after it saw its count at zero. Both with
 * sequential consistency, so at least one of the two sees the other.
 */
typedef struct ring_entry {
    atomic_uint pins;
    apr_uint32_t generation;
    jose_keyset *set;
    apr_pool_t *pool;
} ring_entry;

struct keystore_ring {
    atomic_uint current;       /* index of the current entry + 1; 0: none yet */
    segment_u32 damaged;       /* the generation whose document is damaged; 0: none */
    segment_u32 looked_after;  /* how many fetches had ended when that was found */
    apr_thread_mutex_t *mutex; /* held while an entry is refilled; guards the pools */
    apr_pool_t *pool;          /* with its own allocator: the process pool is not thread-safe at run time */
    ring_entry entries[RING_ENTRIES];
};

static apr_status_t ring_init(keystore_ring *ring, apr_pool_t *process_pool)
{
    apr_allocator_t *allocator;
    apr_status_t rv = apr_allocator_create(&allocator);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_pool_create_ex(&ring->pool, process_pool, NULL, allocator);
    if (rv != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return rv;
    }
    apr_allocator_owner_set(allocator, ring->pool);
    atomic_init(&ring->current, 0);
    atomic_init(&ring->damaged, 0);
    atomic_init(&ring->looked_after, 0);
    for (int e = 0; e < RING_ENTRIES; e++) {
        atomic_init(&ring->entries[e].pins, 0);
    }
    return apr_thread_mutex_create(&ring->mutex, APR_THREAD_MUTEX_DEFAULT, ring->pool);
}

apr_status_t clerk_keystore_ring_create(keystore_ring **prings, unsigned int count, apr_pool_t *process_pool)
{
    keystore_ring *rings = apr_pcalloc(process_pool, (count ? count : 1) * sizeof(*rings));

    for (unsigned int i = 0; i < count; i++) {
        apr_status_t rv = ring_init(&rings[i], process_pool);

        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    *prings = rings;
    return APR_SUCCESS;
}

/* Pin the current set of this process. @return 0 if it has none */
static int pin_current(clerk_keys_pin *pin, keystore_ring *ring)
{
    unsigned int current = atomic_load(&ring->current);

    while (current) {
        ring_entry *entry = &ring->entries[current - 1];
        unsigned int again;

        atomic_fetch_add(&entry->pins, 1);
        again = atomic_load(&ring->current);
        if (again == current) {
            pin->set = entry->set;
            pin->generation = entry->generation;
            pin->entry = entry;
            return 1;
        }
        atomic_fetch_sub(&entry->pins, 1);
        current = again;
    }
    return 0;
}

void clerk_keystore_ring_unpin(clerk_keys_pin *pin)
{
    ring_entry *entry = pin->entry;

    if (entry) {
        atomic_fetch_sub(&entry->pins, 1);
        pin->set = NULL;
        pin->entry = NULL;
    }
}

/* An entry that is neither current nor in use, or NULL. */
static ring_entry *free_entry(keystore_ring *ring)
{
    unsigned int current = atomic_load(&ring->current);

    for (unsigned int e = 0; e < RING_ENTRIES; e++) {
        if (e + 1 != current && atomic_load(&ring->entries[e].pins) == 0) {
            return &ring->entries[e];
        }
    }
    return NULL;
}

/* With each fetch that ends the document is looked at again: a finding of one process alone must not last. */
int clerk_keystore_ring_is_damaged(const clerk_keystore *store, unsigned int slot)
{
    const keystore_ring *ring = &store->rings[slot];
    const segment_slot *shared = keystore_slot(store, slot);
    apr_uint32_t generation = atomic_load(&shared->generation);

    return generation && atomic_load(&ring->damaged) == generation
           && atomic_load(&ring->looked_after) == atomic_load(&shared->attempts);
}

/* Parse the published document into a free entry and make it current. Call with the ring's mutex. */
static void refill(const clerk_keystore *store, unsigned int i, apr_pool_t *scratch)
{
    keystore_ring *ring = &store->rings[i];
    segment_slot *slot = keystore_slot(store, i);
    unsigned int current = atomic_load(&ring->current);
    apr_uint32_t generation = atomic_load(&slot->generation);
    ring_entry *entry;
    apr_size_t len;
    apr_status_t rv;
    char *text;

    if ((current && ring->entries[current - 1].generation == generation) || !(entry = free_entry(ring))) {
        return;
    }
    rv = clerk_keystore_segment_copy(slot, &text, &len, &generation, scratch);
    if (rv != APR_SUCCESS && rv != APR_EMISMATCH) {
        /* It changed meanwhile, or memory is short: neither says anything about the document. */
        return;
    }
    if (rv == APR_SUCCESS) {
        if (entry->pool) {
            apr_pool_clear(entry->pool);
        } else {
            apr_pool_create(&entry->pool, ring->pool);
        }
        if (jose_keyset_parse(&entry->set, text, len, entry->pool) == JOSE_OK) {
            entry->generation = generation;
            atomic_store(&ring->current, (unsigned int)(entry - ring->entries) + 1);
            return;
        }
        /* The document is intact and was parsed before it was published, so this process is out of memory. */
        entry->set = NULL;
        return;
    }
    /* Note it, so that requests do not try again each; a fetch replaces the document, and is due now. */
    atomic_store(&ring->looked_after, atomic_load(&slot->attempts));
    if (atomic_exchange(&ring->damaged, generation) != generation) {
        atomic_store(&slot->next_refresh, store->now());
        clerk_log(CLERK_LOG_WARNING, 1009,
                  "instance %s: the shared key set was damaged by a process that was stopped; "
                  "it is fetched again",
                  store->sources[i]->name);
    }
}

int clerk_keystore_ring_pin(clerk_keys_pin *pin, const clerk_keystore *store, unsigned int i, int wait,
                            apr_pool_t *scratch)
{
    keystore_ring *ring = &store->rings[i];
    apr_uint32_t generation = atomic_load(&keystore_slot(store, i)->generation);
    int have = pin_current(pin, ring);

    if ((have && pin->generation == generation) || clerk_keystore_ring_is_damaged(store, i)) {
        return have;
    }
    if (have && !wait) {
        if (apr_thread_mutex_trylock(ring->mutex) != APR_SUCCESS) {
            return 1;
        }
    } else if (apr_thread_mutex_lock(ring->mutex) != APR_SUCCESS) {
        return have;
    }
    if (have) {
        clerk_keystore_ring_unpin(pin);
    }
    refill(store, i, scratch);
    have = pin_current(pin, ring);
    apr_thread_mutex_unlock(ring->mutex);
    return have;
}
