/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/keystore/keystore_segment.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#define SEGMENT_MAGIC 0x6b6c636bU
#define SEGMENT_VERSION 1U
#define COPY_TRIES 16

typedef struct segment_header {
    apr_uint32_t magic;
    apr_uint32_t version;
    apr_uint64_t size;
    apr_uint32_t count;
    apr_uint32_t slot_size;
} segment_header;

apr_size_t clerk_keystore_segment_size(unsigned int count)
{
    return sizeof(segment_header) + (apr_size_t)count * sizeof(segment_slot);
}

static segment_header header_for(apr_size_t size, unsigned int count)
{
    segment_header header = {SEGMENT_MAGIC, SEGMENT_VERSION, size, count, sizeof(segment_slot)};

    return header;
}

apr_status_t clerk_keystore_segment_init(void *memory, apr_size_t size, unsigned int count)
{
    static const segment_header zeroed;
    segment_header header = header_for(size, count);

    if (!memory || size < clerk_keystore_segment_size(count) || (uintptr_t)memory % 8 != 0) {
        return APR_EINVAL;
    }
    if (memcmp(memory, &zeroed, sizeof(zeroed))) {
        return APR_EMISMATCH;
    }
    memcpy(memory, &header, sizeof(header));
    return APR_SUCCESS;
}

apr_status_t clerk_keystore_segment_check(const void *memory, apr_size_t size, unsigned int count)
{
    segment_header header = header_for(size, count);

    return !memcmp(memory, &header, sizeof(header)) ? APR_SUCCESS : APR_EMISMATCH;
}

segment_slot *clerk_keystore_segment_slot(void *memory, unsigned int i)
{
    return (segment_slot *)(void *)((char *)memory + sizeof(segment_header)) + i;
}

static int digest_of(apr_uint64_t digest[4], const char *text, apr_size_t len)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int digest_len;

    if (!EVP_Digest(text, len, bytes, &digest_len, EVP_sha256(), NULL) || digest_len != 32) {
        return 0;
    }
    memcpy(digest, bytes, 32);
    return 1;
}

/*
 * Words are loaded with acquire and stored with release order: a reader that saw even one word of a newer document also
 * sees the newer generation when it loads the generation again.
 */
static void load_words(char *text, apr_size_t len, const segment_u64 *words)
{
    for (apr_size_t at = 0; at < len; at += 8) {
        apr_uint64_t word = atomic_load_explicit(&words[at / 8], memory_order_acquire);

        memcpy(text + at, &word, len - at < 8 ? len - at : 8);
    }
}

static void store_words(segment_u64 *words, const char *text, apr_size_t len)
{
    for (apr_size_t at = 0; at < len; at += 8) {
        apr_uint64_t word = 0;

        memcpy(&word, text + at, len - at < 8 ? len - at : 8);
        atomic_store_explicit(&words[at / 8], word, memory_order_release);
    }
}

/*
 * Copy one buffer. @return APR_SUCCESS; APR_EMISMATCH if it is damaged, which the digest alone decides; APR_ENOMEM if
 * the digest could not be computed, which says nothing about the document
 */
static apr_status_t copy_document(char *text, apr_size_t *plen, const segment_document *document)
{
    apr_uint64_t expected[4], digest[4];
    apr_uint64_t len = atomic_load_explicit(&document->len, memory_order_acquire);

    if (len > SEGMENT_DOCUMENT_MAX) {
        return APR_EMISMATCH;
    }
    for (int i = 0; i < 4; i++) {
        expected[i] = atomic_load_explicit(&document->digest[i], memory_order_acquire);
    }
    load_words(text, (apr_size_t)len, document->words);
    text[len] = '\0';
    *plen = (apr_size_t)len;
    if (!digest_of(digest, text, (apr_size_t)len)) {
        return APR_ENOMEM;
    }
    return !memcmp(digest, expected, sizeof(digest)) ? APR_SUCCESS : APR_EMISMATCH;
}

apr_status_t clerk_keystore_segment_copy(const segment_slot *slot, char **ptext, apr_size_t *plen,
                                         apr_uint32_t *pgeneration, apr_pool_t *pool)
{
    char *text = NULL;

    for (int try = 0; try < COPY_TRIES; try++) {
        apr_uint32_t generation = atomic_load(&slot->generation);
        apr_status_t rv;

        *pgeneration = generation;
        if (generation == 0) {
            return APR_NOTFOUND;
        }
        if (!text) {
            text = apr_palloc(pool, SEGMENT_DOCUMENT_MAX + 1);
        }
        rv = copy_document(text, plen, &slot->documents[generation & 1]);
        if (atomic_load(&slot->generation) != generation) {
            continue;
        }
        if (rv == APR_SUCCESS) {
            *ptext = text;
        }
        return rv;
    }
    return APR_EAGAIN;
}

apr_status_t clerk_keystore_segment_publish(segment_slot *slot, const char *text, apr_size_t len)
{
    apr_uint32_t generation = atomic_load(&slot->generation);
    apr_uint32_t next = generation + 1 ? generation + 1 : 2;
    segment_document *document = &slot->documents[next & 1];
    apr_uint64_t digest[4];

    if (len > SEGMENT_DOCUMENT_MAX || !digest_of(digest, text, len)) {
        return APR_ENOSPC;
    }
    atomic_store_explicit(&document->len, len, memory_order_release);
    for (int i = 0; i < 4; i++) {
        atomic_store_explicit(&document->digest[i], digest[i], memory_order_release);
    }
    store_words(document->words, text, len);
    return atomic_compare_exchange_strong(&slot->generation, &generation, next) ? APR_SUCCESS : APR_EBUSY;
}

void clerk_keystore_segment_set_error(segment_slot *slot, const char *text)
{
    char padded[SEGMENT_ERROR_SIZE] = "";
    apr_size_t len = strlen(text);

    memcpy(padded, text, len < sizeof(padded) ? len : sizeof(padded) - 1);
    store_words(slot->last_error, padded, sizeof(padded));
}

void clerk_keystore_segment_get_error(const segment_slot *slot, char text[SEGMENT_ERROR_SIZE])
{
    load_words(text, SEGMENT_ERROR_SIZE, slot->last_error);
    text[SEGMENT_ERROR_SIZE - 1] = '\0';
}

static const clerk_allowance_rate early_fetches = {apr_time_from_sec(10), 3};

int clerk_keystore_segment_allowance_has(const segment_slot *slot, segment_allowance which, apr_time_t now)
{
    return clerk_allowance_has(&slot->allowance[which], early_fetches, now);
}

int clerk_keystore_segment_allowance_take(segment_slot *slot, segment_allowance which, apr_time_t now)
{
    return clerk_allowance_take(&slot->allowance[which], early_fetches, now);
}

apr_uint64_t clerk_keystore_segment_random(void)
{
    static _Atomic apr_uint64_t calls;
    /* splitmix64 of values that differ between processes, runs and calls */
    apr_uint64_t x = (apr_uint64_t)apr_time_now() + ((apr_uint64_t)getpid() << 40)
                     + (atomic_fetch_add(&calls, 1) + 1) * 0x9e3779b97f4a7c15U;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}
