/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/token_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <apr_general.h>

/*
 * Layout: a header, a hash index, and blocks of records. The unit is a cache line of the processor; a record takes one
 * or more whole lines and lies in one block.
 *
 * Index: set-associative. A token's hash selects a set of eight slots; a slot holds the position of a record.
 *
 * Eviction: records are appended to the current block. If a record does not fit there, the writer goes on in a block
 * whose records have all expired, so that the cache touches no more memory than the live tokens need; if there is
 * none, it evicts the block that was begun first, with all records in it.
 *
 * Readers: one sequence lock (seqlock) per block. A block gets a new sequence number each time it is begun, before its
 * old records are overwritten, and a position contains the number that the block had when the record was written. A
 * reader copies the record and then compares the numbers: if they differ, the copy may be torn and is discarded.
 *
 * Writers: one write lock for the whole cache, only ever tried, never waited for: a robust mutex in the shared memory,
 * which the system gives to the next writer if its owner was killed. (Process ids do not tell that: they are given out
 * again.) A record becomes visible with the last step, when its slot is written; what a killed process left unfinished
 * is never found.
 */
#define LINE 64
#define WORD sizeof(apr_uint64_t)
#define LINE_WORDS (LINE / WORD)
/* Slots in a set of the index: one line. */
#define WAYS LINE_WORDS
/* Bytes of records for one slot of the index: few enough to have two or more slots for each record. */
#define BYTES_PER_SLOT 512
/* Words of a record before the token: the hash; instance and key generation; the two lengths. */
#define HEADER_WORDS 3
/* A block has a power of two of lines, at least 16 KB. A large cache has about a hundred blocks, of equal size. */
#define BLOCK_BITS 7
#define BLOCKS_MAX (1u << BLOCK_BITS)
#define BLOCK_LINES_MIN 256
/*
 * A slot of the index: in its low bits the position of a record, above them a tag, a part of the hash; 0: empty. A
 * position is, from high to low bits: the sequence number of the block, the number of the block, the line in it.
 */
#define POSITION_BITS 48
#define POSITION_MASK ((APR_UINT64_C(1) << POSITION_BITS) - 1)

typedef _Atomic(apr_uint64_t) word;

/* Atomics that are not lock-free would use a lock of their own in each process. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "atomic operations on 64 bits need no lock");

typedef struct block_header {
    word sequence; /* unique among all blocks, from 1; 0: never used */
    word expires;  /* when the last of its records expires, in seconds since 1970; 0: it has none */
} block_header;

/* The beginning of the shared memory. */
typedef struct cache_header {
    word last_sequence; /* the last sequence number given to a block */
    word next_line;     /* where the next record goes, counted through all blocks */
    pthread_mutex_t write_lock;
    _Alignas(LINE) block_header blocks[BLOCKS_MAX];
} cache_header;

struct clerk_token_cache {
    cache_header *header;
    word *index;     /* sets * WAYS slots */
    apr_size_t sets; /* a power of two */
    word *lines;
    unsigned int line_bits; /* a block has 1 << line_bits lines */
    unsigned int blocks;
    apr_uint64_t key[2]; /* of the hash; made before the fork, so that all children have the same */
    int may_write;       /* in a child */
};

static int make_write_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    int error = pthread_mutexattr_init(&attributes);

    if (error) {
        return error;
    }
    error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (!error) {
        error = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    }
    if (!error) {
        error = pthread_mutex_init(lock, &attributes);
    }
    pthread_mutexattr_destroy(&attributes);
    return error;
}

apr_status_t clerk_token_cache_create(clerk_token_cache **pcache, void *memory, apr_size_t size, apr_pool_t *pool)
{
    clerk_token_cache *cache = apr_pcalloc(pool, sizeof(*cache));
    apr_size_t used, lines;
    int error;

    *pcache = NULL;
    if (size < CLERK_TOKEN_CACHE_SIZE_MIN || (apr_uintptr_t)memory % LINE) {
        return APR_EINVAL;
    }
    cache->sets = 1;
    while (cache->sets <= size / (2 * WAYS * BYTES_PER_SLOT)) {
        cache->sets *= 2;
    }
    used = sizeof(cache_header) + cache->sets * WAYS * WORD;
    lines = (size - used) / LINE;
    while (1u << cache->line_bits < BLOCK_LINES_MIN || lines >> cache->line_bits >= BLOCKS_MAX) {
        cache->line_bits++;
    }
    cache->blocks = (unsigned int)(lines >> cache->line_bits);
    cache->header = memory;
    cache->index = (word *)((char *)memory + sizeof(cache_header));
    cache->lines = (word *)((char *)memory + used);
    error = make_write_lock(&cache->header->write_lock);
    if (error) {
        return APR_FROM_OS_ERROR(error);
    }
    *pcache = cache;
    return apr_generate_random_bytes((unsigned char *)cache->key, sizeof(cache->key));
}

void clerk_token_cache_child_init(clerk_token_cache *cache)
{
    cache->may_write = 1;
}

/* A mixing function: each bit of the input changes about half of the result. */
static apr_uint64_t mix(apr_uint64_t bits)
{
    bits = (bits ^ bits >> 32) * APR_UINT64_C(0xd6e8feb86659fd93);
    bits = (bits ^ bits >> 32) * APR_UINT64_C(0xd6e8feb86659fd93);
    return bits ^ bits >> 32;
}

/*
 * Hash the last 16 bytes of a token. They belong to its signature, so clients cannot choose them and still have a token
 * that is cached: a simple hash function is enough. The random key keeps clients from computing the hash.
 */
static apr_uint64_t hash_of(const clerk_token_cache *cache, jose_slice token, unsigned int instance)
{
    apr_uint64_t tail[2] = {0, 0};
    apr_size_t len = token.len < sizeof(tail) ? token.len : sizeof(tail);

    memcpy(tail, token.data + token.len - len, len);
    return mix(mix(tail[0] ^ cache->key[0]) ^ mix(tail[1] ^ cache->key[1] ^ instance));
}

static word *set_of(const clerk_token_cache *cache, apr_uint64_t hash)
{
    return &cache->index[(hash & (cache->sets - 1)) * WAYS];
}

static apr_uint64_t tag_of(apr_uint64_t hash)
{
    return hash & ~POSITION_MASK;
}

static apr_uint64_t load(const word *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static void store(word *to, apr_uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

/* No sum, which could wrap: on 32-bit machines a damaged record may claim nearly as many bytes as there are addresses.
 */
static apr_size_t words_of(apr_size_t bytes)
{
    return bytes / WORD + (bytes % WORD != 0);
}

static apr_size_t block_lines(const clerk_token_cache *cache)
{
    return (apr_size_t)1 << cache->line_bits;
}

static unsigned int block_of(const clerk_token_cache *cache, apr_uint64_t position)
{
    return (unsigned int)(position >> cache->line_bits) & (BLOCKS_MAX - 1);
}

static apr_size_t line_of(const clerk_token_cache *cache, apr_uint64_t position)
{
    return (apr_size_t)position & (block_lines(cache) - 1);
}

static word *record_at(const clerk_token_cache *cache, apr_uint64_t position)
{
    apr_size_t line = block_of(cache, position) * block_lines(cache) + line_of(cache, position);

    return &cache->lines[line * LINE_WORDS];
}

/*
 * Whether the block of this position still has the record's sequence number. Sequence numbers that are too large for a
 * position never compare equal: then the cache finds nothing any more.
 */
static int is_current(const clerk_token_cache *cache, apr_uint64_t position)
{
    const block_header *block = &cache->header->blocks[block_of(cache, position)];

    return load(&block->sequence) == position >> cache->line_bits >> BLOCK_BITS;
}

/* The header of a record for this token. */
static void make_record_header(apr_uint64_t header[HEADER_WORDS], apr_uint64_t hash, unsigned int instance,
                               apr_uint32_t generation, apr_size_t token_len, apr_size_t value_len)
{
    header[0] = hash;
    header[1] = (apr_uint64_t)instance << 32 | generation;
    header[2] = (apr_uint64_t)token_len << 32 | (apr_uint32_t)value_len;
}

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif

/*
 * Most of the time of a lookup is spent here, so the text is not compared by atomic words, but at once, although
 * another process may be writing there: the result counts only if is_current() says afterwards that none was. The
 * thread sanitizer, which cannot know that, gets the words.
 */
static int is_same_text(const word *from, jose_slice text)
{
#if defined(THREAD_SANITIZER)
    apr_uint64_t differing = 0;

    for (apr_size_t at = 0; at < text.len; at += WORD) {
        apr_uint64_t mine = 0;

        memcpy(&mine, text.data + at, text.len - at < WORD ? text.len - at : WORD);
        differing |= mine ^ load(&from[at / WORD]);
    }
    return differing == 0;
#else
    return !memcmp((const void *)from, text.data, text.len);
#endif
}

/* As is_same_text() does, and for the same reason. */
static void load_words(apr_uint64_t *to, const word *from, apr_size_t words)
{
#if defined(THREAD_SANITIZER)
    for (apr_size_t i = 0; i < words; i++) {
        to[i] = load(&from[i]);
    }
#else
    memcpy(to, (const void *)from, words * WORD);
#endif
}

static void store_bytes(word *to, const void *data, apr_size_t len)
{
    apr_size_t whole = len / WORD, rest = len % WORD;
    apr_uint64_t mine;

    for (apr_size_t i = 0; i < whole; i++) {
        memcpy(&mine, (const char *)data + i * WORD, WORD);
        store(&to[i], mine);
    }
    if (rest) {
        mine = 0;
        memcpy(&mine, (const char *)data + whole * WORD, rest);
        store(&to[whole], mine);
    }
}

/* From a position to the end of its block. */
static apr_size_t lines_left(const clerk_token_cache *cache, apr_uint64_t position)
{
    return block_lines(cache) - line_of(cache, position);
}

/*
 * Copy the value of the record at a position if it is the wanted record, else return NULL. A writer may overwrite the
 * record at any moment, so the lengths in it are checked and the result only counts if is_current() says so afterwards.
 */
static void *copy_value(apr_size_t *psize, const clerk_token_cache *cache, apr_uint64_t position, jose_slice token,
                        const apr_uint64_t wanted[HEADER_WORDS], apr_pool_t *pool)
{
    const word *record = record_at(cache, position);
    apr_size_t size = (apr_uint32_t)load(&record[2]), words = words_of(size), token_words = words_of(token.len);
    apr_uint64_t *value;

    if (load(&record[0]) != wanted[0] || load(&record[1]) != wanted[1] || load(&record[2]) >> 32 != wanted[2] >> 32
        || HEADER_WORDS + token_words + words > lines_left(cache, position) * LINE_WORDS
        || !is_same_text(record + HEADER_WORDS, token)) {
        return NULL;
    }
    record += HEADER_WORDS + token_words;
    value = apr_palloc(pool, words * WORD);
    load_words(value, record, words);
    *psize = size;
    return value;
}

void *clerk_token_cache_get(apr_size_t *psize, const clerk_token_cache *cache, jose_slice token, unsigned int instance,
                            apr_uint32_t generation, apr_pool_t *pool)
{
    apr_uint64_t hash = hash_of(cache, token, instance), wanted[HEADER_WORDS];
    const word *set = set_of(cache, hash);

    make_record_header(wanted, hash, instance, generation, token.len, 0);
    for (apr_size_t way = 0; generation && way < WAYS; way++) {
        apr_uint64_t slot = atomic_load_explicit(&set[way], memory_order_acquire), position = slot & POSITION_MASK;
        void *value;

        if (!slot || tag_of(slot) != tag_of(hash)) {
            continue;
        }
        value = copy_value(psize, cache, position, token, wanted, pool);
        /* Pairs with place_record(): if the copy has a word of a newer record, the new sequence number is seen here.
         */
        atomic_thread_fence(memory_order_acquire);
        if (value && is_current(cache, position)) {
            return value;
        }
    }
    return NULL;
}

/* Take the write lock if it is free or its owner is dead. Never waits. */
static int take_write_lock(clerk_token_cache *cache)
{
    int error = pthread_mutex_trylock(&cache->header->write_lock);

    if (error == EOWNERDEAD) {
        /* What it left is in order: see place_record(). */
        error = pthread_mutex_consistent(&cache->header->write_lock);
    }
    return error == 0;
}

static void release_write_lock(clerk_token_cache *cache)
{
    pthread_mutex_unlock(&cache->header->write_lock);
}

/*
 * The slot for a record: the one that has a record of the same token, else one that is empty or whose record is gone,
 * else the one with the oldest block. Call with the write lock.
 */
static word *choose_slot(const clerk_token_cache *cache, apr_uint64_t hash)
{
    word *set = set_of(cache, hash), *best = set;
    apr_uint64_t oldest = POSITION_MASK;

    for (apr_size_t way = 0; way < WAYS; way++) {
        apr_uint64_t slot = load(&set[way]), position = slot & POSITION_MASK;
        int current = position && is_current(cache, position);

        if (current && tag_of(slot) == tag_of(hash) && load(&record_at(cache, position)[0]) == hash) {
            return &set[way];
        }
        position = current ? position : 0;
        if (position < oldest) {
            oldest = position;
            best = &set[way];
        }
    }
    return best;
}

/* Whether the slot has this very record: another process may have just stored it. Call with the write lock. */
static int is_cached(const clerk_token_cache *cache, const word *slot, const apr_uint64_t wanted[HEADER_WORDS],
                     jose_slice token)
{
    apr_uint64_t position = load(slot) & POSITION_MASK;
    const word *record = record_at(cache, position);

    return position && is_current(cache, position) && load(&record[0]) == wanted[0] && load(&record[1]) == wanted[1]
           && load(&record[2]) == wanted[2] && is_same_text(record + HEADER_WORDS, token);
}

/* The block to reuse: the first one whose records have all expired, else the oldest. */
static unsigned int choose_block(const clerk_token_cache *cache, apr_int64_t now)
{
    const block_header *blocks = cache->header->blocks;
    unsigned int oldest = 0;

    for (unsigned int i = 0; i < cache->blocks; i++) {
        if ((apr_int64_t)load(&blocks[i].expires) < now) {
            return i;
        }
        if (load(&blocks[i].sequence) < load(&blocks[oldest].sequence)) {
            oldest = i;
        }
    }
    return oldest;
}

/*
 * The position for a record of so many lines: after the last record, or, if the current block has too few lines left,
 * at the beginning of a reused block. Call with the write lock. Safe against being killed at any point.
 */
static apr_uint64_t place_record(const clerk_token_cache *cache, apr_uint64_t lines, apr_int64_t now)
{
    cache_header *header = cache->header;
    apr_uint64_t next_line = load(&header->next_line), sequence;
    unsigned int block = block_of(cache, next_line);

    /* Line 0: the current block is full to its last line, and this is the beginning of another block, still in use. */
    if (!load(&header->last_sequence) || lines > lines_left(cache, next_line) || line_of(cache, next_line) == 0) {
        block = choose_block(cache, now);
        sequence = load(&header->last_sequence) + 1;
        store(&header->last_sequence, sequence);
        /* In this order: if the process is killed in between, this block counts as expired and may be chosen again. */
        store(&header->blocks[block].expires, 0);
        store(&header->blocks[block].sequence, sequence);
        next_line = (apr_uint64_t)block << cache->line_bits;
        store(&header->next_line, next_line);
    }
    /* The new sequence number is visible before any line is overwritten: pairs with clerk_token_cache_get(). */
    atomic_thread_fence(memory_order_release);
    return load(&header->blocks[block].sequence) << BLOCK_BITS << cache->line_bits | next_line;
}

int clerk_token_cache_put(clerk_token_cache *cache, jose_slice token, unsigned int instance, apr_uint32_t generation,
                          apr_int64_t expires, apr_int64_t now, const void *value, apr_size_t size)
{
    apr_uint64_t hash = hash_of(cache, token, instance), header[HEADER_WORDS], lines, position;
    word *slot, *record, *block_expires;

    if (!generation || token.len > APR_UINT32_MAX || size > APR_UINT32_MAX) {
        return 0;
    }
    lines = (HEADER_WORDS + words_of(token.len) + words_of(size) + LINE_WORDS - 1) / LINE_WORDS;
    if (!cache->may_write || lines > block_lines(cache) || !take_write_lock(cache)) {
        return 0;
    }
    make_record_header(header, hash, instance, generation, token.len, size);
    slot = choose_slot(cache, hash);
    if (!is_cached(cache, slot, header, token)) {
        position = place_record(cache, lines, now);
        record = record_at(cache, position);
        for (int i = 0; i < HEADER_WORDS; i++) {
            store(&record[i], header[i]);
        }
        store_bytes(record + HEADER_WORDS, token.data, token.len);
        store_bytes(record + HEADER_WORDS + words_of(token.len), value, size);
        block_expires = &cache->header->blocks[block_of(cache, position)].expires;
        if ((apr_int64_t)load(block_expires) < expires) {
            store(block_expires, (apr_uint64_t)expires);
        }
        /* First move next_line behind the record, then publish its slot: no writer overwrites a record that can be
         * found. */
        atomic_fetch_add_explicit(&cache->header->next_line, lines, memory_order_release);
        atomic_store_explicit(slot, tag_of(hash) | (position & POSITION_MASK), memory_order_release);
    }
    release_write_lock(cache);
    return 1;
}
