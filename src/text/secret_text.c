/* SPDX-License-Identifier: Apache-2.0 */
#include "text/secret_text.h"

#include <string.h>
#include <sys/mman.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <openssl/crypto.h>

#define POOL_KEY "clerk_secret_text"
/* Room for some hundred keys; pages are used only once something is written to them. */
#define BLOCK_SIZE ((apr_size_t)16384)

#if !defined(MAP_ANONYMOUS) && defined(MAP_ANON)
#define MAP_ANONYMOUS MAP_ANON
#endif

typedef struct block {
    struct block *next;
    char *memory;
    apr_size_t size, used;
} block;

typedef struct store {
    block *blocks; /* the newest first */
} store;

static apr_status_t wipe(void *baton)
{
    for (const block *at = ((store *)baton)->blocks; at; at = at->next) {
        OPENSSL_cleanse(at->memory, at->used);
        munmap(at->memory, at->size);
    }
    return APR_SUCCESS;
}

static store *store_of(apr_pool_t *pool)
{
    void *found = NULL;
    store *made;

    apr_pool_userdata_get(&found, POOL_KEY, pool);
    if (found) {
        return found;
    }
    made = apr_pcalloc(pool, sizeof(*made));
    apr_pool_userdata_setn(made, POOL_KEY, NULL, pool);
    apr_pool_cleanup_register(pool, made, wipe, apr_pool_cleanup_null);
    return made;
}

static block *add_block(store *to, apr_size_t least, apr_pool_t *pool)
{
    apr_size_t size = least > BLOCK_SIZE ? APR_ALIGN(least, BLOCK_SIZE) : BLOCK_SIZE;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    block *added;

    if (memory == MAP_FAILED) {
        return NULL;
    }
#if defined(MADV_DONTDUMP)
    (void)madvise(memory, size, MADV_DONTDUMP);
#elif defined(MADV_NOCORE)
    (void)madvise(memory, size, MADV_NOCORE);
#endif
    added = apr_palloc(pool, sizeof(*added));
    added->memory = memory;
    added->size = size;
    added->used = 0;
    added->next = to->blocks;
    to->blocks = added;
    return added;
}

const char *clerk_secret_text_keep(apr_pool_t *pool, const char *text, apr_size_t len)
{
    store *to = store_of(pool);
    block *at = to->blocks;
    char *copy;

    if (!at || at->size - at->used <= len) {
        at = add_block(to, len + 1, pool);
    }
    if (!at) {
        return apr_pstrmemdup(pool, text, len);
    }
    copy = at->memory + at->used;
    memcpy(copy, text, len);
    copy[len] = '\0';
    at->used += len + 1;
    return copy;
}
