/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/verified_table.h"

#include <stdatomic.h>
#include <string.h>

#include <apr_general.h>
#include <openssl/evp.h>

#define WAYS 4
#define KEY_SIZE 32

/*
 * One entry. `about` is the expiry (high half) and the generation of the keys (low half); 0: empty. The digest's words are stored mixed
 * with it, so that words of one token beside the `about` of another match nothing.
 */
typedef struct verified_entry {
    _Atomic(apr_uint64_t) about;
    _Atomic(apr_uint64_t) words[3];
} verified_entry;

struct clerk_verified_table {
    verified_entry *entries;         /* in shared memory */
    apr_size_t sets;
    unsigned char key[KEY_SIZE];     /* made before the fork, so all children have the same */
};

/* Odd and without a pattern: so that different `about`s differ in every word. */
#define MIX APR_UINT64_C(0x9e3779b97f4a7c15)

apr_size_t clerk_verified_table_size(apr_size_t entries)
{
    return (entries + WAYS - 1) / WAYS * WAYS * sizeof(verified_entry);
}

apr_status_t clerk_verified_table_create(clerk_verified_table **ptable, void *memory, apr_size_t size, apr_pool_t *pool)
{
    clerk_verified_table *table = apr_pcalloc(pool, sizeof(*table));

    *ptable = NULL;
    table->entries = memory;
    table->sets = size / (WAYS * sizeof(verified_entry));
    if (!table->sets) {
        return APR_EINVAL;
    }
    *ptable = table;
    return apr_generate_random_bytes(table->key, sizeof(table->key));
}

int clerk_verified_table_digest(clerk_verified_digest *digest, const clerk_verified_table *table, jose_slice token,
                                unsigned int instance)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1
             && EVP_DigestUpdate(context, table->key, sizeof(table->key)) == 1
             && EVP_DigestUpdate(context, &instance, sizeof(instance)) == 1
             && EVP_DigestUpdate(context, token.data, token.len) == 1
             && EVP_DigestFinal_ex(context, (unsigned char *)digest->words, NULL) == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

static verified_entry *set_of(const clerk_verified_table *table, const clerk_verified_digest *digest)
{
    return &table->entries[digest->words[3] % table->sets * WAYS];
}

static int matches(const verified_entry *entry, const clerk_verified_digest *digest, apr_uint64_t about)
{
    for (int i = 0; i < 3; i++) {
        if (atomic_load_explicit(&entry->words[i], memory_order_relaxed) != (digest->words[i] ^ (about * MIX))) {
            return 0;
        }
    }
    return 1;
}

int clerk_verified_table_has(const clerk_verified_table *table, const clerk_verified_digest *digest,
                             apr_uint32_t generation)
{
    const verified_entry *set = set_of(table, digest);

    for (int way = 0; way < WAYS; way++) {
        apr_uint64_t about = atomic_load_explicit(&set[way].about, memory_order_relaxed);

        if (about && (apr_uint32_t)about == generation && matches(&set[way], digest, about)) {
            return 1;
        }
    }
    return 0;
}

void clerk_verified_table_add(clerk_verified_table *table, const clerk_verified_digest *digest, apr_uint32_t generation,
                              apr_int64_t expires)
{
    verified_entry *set = set_of(table, digest), *victim = set;
    apr_uint64_t about;

    if (expires <= 0 || !generation) {
        return;
    }
    about = (apr_uint64_t)(expires < APR_UINT32_MAX ? expires : APR_UINT32_MAX) << 32 | generation;
    for (int way = 1; way < WAYS; way++) {
        if (atomic_load_explicit(&set[way].about, memory_order_relaxed) >> 32
            < atomic_load_explicit(&victim->about, memory_order_relaxed) >> 32) {
            victim = &set[way];
        }
    }
    atomic_store_explicit(&victim->about, about, memory_order_relaxed);
    for (int i = 0; i < 3; i++) {
        atomic_store_explicit(&victim->words[i], digest->words[i] ^ (about * MIX), memory_order_relaxed);
    }
}
