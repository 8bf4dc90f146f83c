/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/token_cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_siphash.h>
#include <apr_thread_mutex.h>

/* A token can stand in one of so many places; the one that lapses first makes room. */
#define WAYS 8
/* So many bytes at the end of a token are hashed: part of the signature, 384 random bits. */
#define HASHED_TAIL 64

/* A remembered token. Immutable but for the count; freed when it is zero. */
typedef struct entry {
    atomic_uint uses;                /* the table's own, and one for each request that has it */
    apr_uint64_t hash;
    unsigned int instance;
    apr_uint32_t generation;
    apr_time_t expires;
    void *value;
    void (*destroy)(void *value);
    struct entry *next_retired;
    struct place *retired_from;
    apr_size_t len;
    char token[];
} entry;

/*
 * A place of the table; never freed while the process lives, so its count can be touched without owning anything. A reader counts itself in, then
 * looks which entry is there; a writer exchanges the entry, then looks at the count, and while that is not zero keeps the old entry on
 * a list. With sequential consistency at least one of the two sees the other, so an entry is never freed under a reader's eyes.
 */
typedef struct place {
    _Atomic(apr_uint64_t) tag;       /* the entry's hash; 0: empty. A hint that spares most lookups the count. */
    _Atomic(entry *) entry;
    atomic_uint readers;
} place;

struct clerk_token_cache {
    apr_size_t sets;                 /* a power of two */
    place *places;                   /* sets * WAYS */
    unsigned char key[APR_SIPHASH_KSIZE];
    apr_thread_mutex_t *mutex;       /* one writer at a time; guards the list */
    entry *retired;
    atomic_uint filled;
};

static void drop(entry *old)
{
    if (atomic_fetch_sub(&old->uses, 1) == 1) {
        old->destroy(old->value);
        free(old);
    }
}

static apr_status_t drop_when_done(void *data)
{
    drop(data);
    return APR_SUCCESS;
}

static apr_status_t destroy_cache(void *data)
{
    clerk_token_cache *cache = data;

    for (apr_size_t i = 0; i < cache->sets * WAYS; i++) {
        entry *old = atomic_exchange(&cache->places[i].entry, NULL);

        if (old) {
            drop(old);
        }
    }
    while (cache->retired) {
        entry *old = cache->retired;

        cache->retired = old->next_retired;
        drop(old);
    }
    return APR_SUCCESS;
}

apr_status_t clerk_token_cache_create(clerk_token_cache **pcache, unsigned int entries, apr_pool_t *process_pool)
{
    clerk_token_cache *cache = apr_pcalloc(process_pool, sizeof(*cache));
    apr_status_t rv = apr_generate_random_bytes(cache->key, sizeof(cache->key));

    *pcache = NULL;
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&cache->mutex, APR_THREAD_MUTEX_DEFAULT, process_pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    cache->sets = 1;
    while (cache->sets * WAYS < entries) {
        cache->sets *= 2;
    }
    cache->places = apr_pcalloc(process_pool, cache->sets * WAYS * sizeof(*cache->places));
    apr_pool_cleanup_register(process_pool, cache, destroy_cache, apr_pool_cleanup_null);
    *pcache = cache;
    return APR_SUCCESS;
}

/** Never 0: that is an empty place's. */
static apr_uint64_t hash_of(const clerk_token_cache *cache, jose_slice token)
{
    apr_size_t tail = token.len < HASHED_TAIL ? token.len : HASHED_TAIL;

    return apr_siphash24(token.data + token.len - tail, tail, cache->key) | 1;
}

static place *set_of(const clerk_token_cache *cache, apr_uint64_t hash)
{
    return &cache->places[(hash >> 1 & (cache->sets - 1)) * WAYS];
}

static int is_same(const entry *there, apr_uint64_t hash, jose_slice token, unsigned int instance)
{
    return there->hash == hash && there->instance == instance && there->len == token.len
           && !memcmp(there->token, token.data, token.len);
}

const void *clerk_token_cache_get(clerk_token_cache *cache, jose_slice token, unsigned int instance,
                                  apr_uint32_t generation, apr_pool_t *pool)
{
    apr_uint64_t hash = hash_of(cache, token);
    place *set = set_of(cache, hash);

    for (unsigned int way = 0; generation && way < WAYS; way++) {
        entry *found;

        if (atomic_load_explicit(&set[way].tag, memory_order_relaxed) != hash) {
            continue;
        }
        atomic_fetch_add(&set[way].readers, 1);
        found = atomic_load(&set[way].entry);
        if (found && found->generation == generation && is_same(found, hash, token, instance)) {
            atomic_fetch_add_explicit(&found->uses, 1, memory_order_relaxed);
        }
        else {
            found = NULL;
        }
        atomic_fetch_sub(&set[way].readers, 1);
        if (found) {
            apr_pool_cleanup_register(pool, found, drop_when_done, apr_pool_cleanup_null);
            return found->value;
        }
    }
    return NULL;
}

/** Let go of entries that nobody looks at any more. Under the mutex. */
static void reclaim(clerk_token_cache *cache)
{
    for (entry **link = &cache->retired; *link;) {
        entry *old = *link;

        if (atomic_load(&old->retired_from->readers)) {
            link = &old->next_retired;
            continue;
        }
        *link = old->next_retired;
        drop(old);
    }
}

/** Where the entry goes: where the same token is, an empty place, or the one whose entry lapses first. Under the mutex, so entries stay. */
static place *place_for(place *set, apr_uint64_t hash, jose_slice token, unsigned int instance)
{
    place *best = NULL;
    apr_time_t soonest = 0;

    for (unsigned int way = 0; way < WAYS; way++) {
        const entry *there = atomic_load(&set[way].entry);

        if (there && is_same(there, hash, token, instance)) {
            return &set[way];
        }
        if (!best || (there ? there->expires : 0) < soonest) {
            best = &set[way];
            soonest = there ? there->expires : 0;
        }
    }
    return best;
}

void clerk_token_cache_put(clerk_token_cache *cache, jose_slice token, unsigned int instance, apr_uint32_t generation,
                           apr_time_t expires, void *value, void (*destroy)(void *value))
{
    entry *fresh, *old;
    place *where;

    if (apr_thread_mutex_trylock(cache->mutex) != APR_SUCCESS) {
        destroy(value);
        return;
    }
    fresh = malloc(sizeof(*fresh) + token.len);
    if (!fresh) {
        apr_thread_mutex_unlock(cache->mutex);
        destroy(value);
        return;
    }
    atomic_init(&fresh->uses, 1);
    fresh->hash = hash_of(cache, token);
    fresh->instance = instance;
    fresh->generation = generation;
    fresh->expires = expires;
    fresh->value = value;
    fresh->destroy = destroy;
    fresh->len = token.len;
    memcpy(fresh->token, token.data, token.len);
    where = place_for(set_of(cache, fresh->hash), fresh->hash, token, instance);
    old = atomic_exchange(&where->entry, fresh);
    atomic_store(&where->tag, fresh->hash);
    if (old) {
        old->retired_from = where;
        old->next_retired = cache->retired;
        cache->retired = old;
    }
    else {
        atomic_fetch_add(&cache->filled, 1);
    }
    reclaim(cache);
    apr_thread_mutex_unlock(cache->mutex);
}

unsigned int clerk_token_cache_count(const clerk_token_cache *cache)
{
    return atomic_load(&cache->filled);
}
