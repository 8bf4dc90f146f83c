/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/token_cache.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <apr_general.h>

/* The memory is made of lines, a processor's cache lines; a record begins with one. */
#define LINE 64
#define WORD sizeof(apr_uint64_t)
#define LINE_WORDS (LINE / WORD)
/* A token can be found in one of so many places of the index: a line of it. */
#define WAYS LINE_WORDS
/* One place in the index for so many bytes of records: two or more for each. */
#define BYTES_A_PLACE 512
/* Words before the token: the hash, who and under which keys, the two lengths. */
#define HEAD_WORDS 3

/*
 * Records fill one block after the other. A block has a power of two of lines, at least 16 KB; there are about a
 * hundred of them where the memory is large enough.
 */
#define BLOCK_BITS 7
#define BLOCKS_MAX (1u << BLOCK_BITS)
#define BLOCK_LINES_LEAST 256

/*
 * A place of the index: the position of a record, and above that a part of its hash; 0: empty. A position is made of
 * the number of the block's filling, the block, and the line in it.
 */
#define POSITION_BITS 48
#define POSITION_MASK ((APR_UINT64_C(1) << POSITION_BITS) - 1)

typedef _Atomic(apr_uint64_t) word;

/* A lock would be each process's own. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "atomic operations on 64 bits need no lock");

/*
 * A block of records. Its fillings are numbered through with those of all others, from 1. A record is whole as long as
 * its block has the number that it had: a writer changes that before it writes over anything.
 */
typedef struct block_head {
    word filling;
    word expires; /* when the last of its records lapses, in seconds since 1970; 0: it has none */
} block_head;

/* The beginning of the shared memory. */
typedef struct shared_head {
    word fillings;         /* how many numbers were given */
    word end;              /* the line behind the last record, counted through all blocks */
    word writer;           /* who is writing: a number of its own, and below it its process id; 0: nobody */
    atomic_uint processes; /* how many of those numbers were given */
    _Alignas(LINE) block_head blocks[BLOCKS_MAX];
} shared_head;

struct clerk_token_cache {
    shared_head *head;
    word *index;     /* sets * WAYS places */
    apr_size_t sets; /* a power of two */
    word *lines;
    unsigned int line_bits; /* a block has 1 << line_bits lines */
    unsigned int blocks;
    apr_uint64_t key[2]; /* made before the fork, so all children have the same */
    apr_uint64_t self;   /* as in `writer` */
};

apr_status_t clerk_token_cache_create(clerk_token_cache **ptokens, void *memory, apr_size_t size, apr_pool_t *pool)
{
    clerk_token_cache *tokens = apr_pcalloc(pool, sizeof(*tokens));
    apr_size_t used, lines;

    *ptokens = NULL;
    if (size < CLERK_TOKEN_CACHE_LEAST || (apr_uintptr_t)memory % LINE) {
        return APR_EINVAL;
    }
    tokens->sets = 1;
    while (tokens->sets <= size / (2 * WAYS * BYTES_A_PLACE)) {
        tokens->sets *= 2;
    }
    used = sizeof(shared_head) + tokens->sets * WAYS * WORD;
    lines = (size - used) / LINE;
    while (1u << tokens->line_bits < BLOCK_LINES_LEAST || lines >> tokens->line_bits >= BLOCKS_MAX) {
        tokens->line_bits++;
    }
    tokens->blocks = (unsigned int)(lines >> tokens->line_bits);
    tokens->head = memory;
    tokens->index = (word *)((char *)memory + sizeof(shared_head));
    tokens->lines = (word *)((char *)memory + used);
    *ptokens = tokens;
    return apr_generate_random_bytes((unsigned char *)tokens->key, sizeof(tokens->key));
}

static pid_t process_of(apr_uint64_t writer)
{
    return (pid_t)(apr_uint32_t)writer;
}

void clerk_token_cache_child_init(clerk_token_cache *tokens)
{
    apr_uint64_t writer = atomic_load(&tokens->head->writer);
    pid_t own = getpid();

    /* Process ids are used again; with the number, nobody is ever taken for another. */
    tokens->self = (apr_uint64_t)(atomic_fetch_add(&tokens->head->processes, 1) + 1) << 32 | (apr_uint32_t)own;
    if (writer && process_of(writer) == own) {
        /* Whoever had this id before is dead, and died with the pen in his hand. */
        atomic_compare_exchange_strong(&tokens->head->writer, &writer, 0);
    }
}

/** Spread what any bit says over all of them. */
static apr_uint64_t mix(apr_uint64_t bits)
{
    bits = (bits ^ bits >> 32) * APR_UINT64_C(0xd6e8feb86659fd93);
    bits = (bits ^ bits >> 32) * APR_UINT64_C(0xd6e8feb86659fd93);
    return bits ^ bits >> 32;
}

/**
 * The last bytes of a token belong to its signature: nobody can choose them and still have a token that is
 * remembered. So a few multiplications do; the key keeps anybody from knowing what comes of them.
 */
static apr_uint64_t hash_of(const clerk_token_cache *tokens, jose_slice token, unsigned int instance)
{
    apr_uint64_t tail[2] = {0, 0};
    apr_size_t len = token.len < sizeof(tail) ? token.len : sizeof(tail);

    memcpy(tail, token.data + token.len - len, len);
    return mix(mix(tail[0] ^ tokens->key[0]) ^ mix(tail[1] ^ tokens->key[1] ^ instance));
}

static word *set_of(const clerk_token_cache *tokens, apr_uint64_t hash)
{
    return &tokens->index[(hash & (tokens->sets - 1)) * WAYS];
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

static apr_size_t words_of(apr_size_t bytes)
{
    return (bytes + WORD - 1) / WORD;
}

static apr_size_t block_lines(const clerk_token_cache *tokens)
{
    return (apr_size_t)1 << tokens->line_bits;
}

static unsigned int block_of(const clerk_token_cache *tokens, apr_uint64_t position)
{
    return (unsigned int)(position >> tokens->line_bits) & (BLOCKS_MAX - 1);
}

static apr_size_t line_of(const clerk_token_cache *tokens, apr_uint64_t position)
{
    return (apr_size_t)position & (block_lines(tokens) - 1);
}

static word *record_at(const clerk_token_cache *tokens, apr_uint64_t position)
{
    apr_size_t line = block_of(tokens, position) * block_lines(tokens) + line_of(tokens, position);

    return &tokens->lines[line * LINE_WORDS];
}

/** Once there are more fillings than a position can say, none is found any more. */
static int is_whole(const clerk_token_cache *tokens, apr_uint64_t position)
{
    const block_head *block = &tokens->head->blocks[block_of(tokens, position)];

    return load(&block->filling) == position >> tokens->line_bits >> BLOCK_BITS;
}

/** The head of a record that would be found for this token. */
static void describe(apr_uint64_t head[HEAD_WORDS], apr_uint64_t hash, unsigned int instance, apr_uint32_t generation,
                     apr_size_t token_len, apr_size_t value_len)
{
    head[0] = hash;
    head[1] = (apr_uint64_t)instance << 32 | generation;
    head[2] = (apr_uint64_t)token_len << 32 | (apr_uint32_t)value_len;
}

/** How @a from differs from the eight bytes at @a text; 0: not at all. */
static apr_uint64_t difference(const word *from, const char *text)
{
    apr_uint64_t mine;

    memcpy(&mine, text, WORD);
    return mine ^ load(from);
}

static int is_same_text(const word *from, jose_slice text)
{
    apr_size_t whole = text.len / WORD, rest = text.len % WORD, i = 0;
    apr_uint64_t differing = 0, mine = 0;

    /* Four at a time: this is most of what a lookup costs. */
    for (; i + 4 <= whole && !differing; i += 4) {
        const char *at = text.data + i * WORD;

        differing = difference(&from[i], at) | difference(&from[i + 1], at + WORD)
                    | difference(&from[i + 2], at + 2 * WORD) | difference(&from[i + 3], at + 3 * WORD);
    }
    for (; i < whole && !differing; i++) {
        differing = difference(&from[i], text.data + i * WORD);
    }
    if (rest) {
        memcpy(&mine, text.data + whole * WORD, rest);
        differing |= mine ^ load(&from[whole]);
    }
    return differing == 0;
}

static void load_words(apr_uint64_t *to, const word *from, apr_size_t words)
{
    apr_size_t i = 0;

    for (; i + 4 <= words; i += 4) {
        to[i] = load(&from[i]);
        to[i + 1] = load(&from[i + 1]);
        to[i + 2] = load(&from[i + 2]);
        to[i + 3] = load(&from[i + 3]);
    }
    for (; i < words; i++) {
        to[i] = load(&from[i]);
    }
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

/** From a position to the end of its block. */
static apr_size_t lines_left(const clerk_token_cache *tokens, apr_uint64_t position)
{
    return block_lines(tokens) - line_of(tokens, position);
}

/**
 * Copy the value of the record at a position, if it is the one that is wanted. What is read here may be overwritten
 * at any moment: no length of it is trusted.
 */
static void *copy_value(apr_size_t *psize, const clerk_token_cache *tokens, apr_uint64_t position, jose_slice token,
                        const apr_uint64_t wanted[HEAD_WORDS], apr_pool_t *pool)
{
    const word *record = record_at(tokens, position);
    apr_size_t size = (apr_uint32_t)load(&record[2]), words = words_of(size), token_words = words_of(token.len);
    apr_uint64_t *value;

    if (load(&record[0]) != wanted[0] || load(&record[1]) != wanted[1] || load(&record[2]) >> 32 != wanted[2] >> 32
        || HEAD_WORDS + token_words + words > lines_left(tokens, position) * LINE_WORDS
        || !is_same_text(record + HEAD_WORDS, token)) {
        return NULL;
    }
    record += HEAD_WORDS + token_words;
    value = apr_palloc(pool, words * WORD);
    load_words(value, record, words);
    *psize = size;
    return value;
}

void *clerk_token_cache_get(apr_size_t *psize, const clerk_token_cache *tokens, jose_slice token, unsigned int instance,
                            apr_uint32_t generation, apr_pool_t *pool)
{
    apr_uint64_t hash = hash_of(tokens, token, instance), wanted[HEAD_WORDS];
    const word *set = set_of(tokens, hash);

    describe(wanted, hash, instance, generation, token.len, 0);
    for (apr_size_t way = 0; generation && way < WAYS; way++) {
        apr_uint64_t place = atomic_load_explicit(&set[way], memory_order_acquire), position = place & POSITION_MASK;
        void *value;

        if (!place || tag_of(place) != tag_of(hash)) {
            continue;
        }
        value = copy_value(psize, tokens, position, token, wanted, pool);
        /* Whoever wrote any of what was just read has renumbered the block before, and that is seen from here on. */
        atomic_thread_fence(memory_order_acquire);
        if (value && is_whole(tokens, position)) {
            return value;
        }
    }
    return NULL;
}

/** Take the pen, unless another one has it who is alive. */
static int begin_writing(clerk_token_cache *tokens)
{
    apr_uint64_t writer = 0;

    if (atomic_compare_exchange_strong(&tokens->head->writer, &writer, tokens->self)) {
        return 1;
    }
    /* A process that was killed while it was writing does not go on. */
    return writer != tokens->self && kill(process_of(writer), 0) != 0 && errno == ESRCH
           && atomic_compare_exchange_strong(&tokens->head->writer, &writer, tokens->self);
}

static void end_writing(clerk_token_cache *tokens)
{
    atomic_store(&tokens->head->writer, 0);
}

/**
 * Where to note a record: where one of the same token was noted, else a place that is empty or says nothing any more,
 * else the oldest. Only the writer calls this.
 */
static word *place_for(const clerk_token_cache *tokens, apr_uint64_t hash)
{
    word *set = set_of(tokens, hash), *best = set;
    apr_uint64_t oldest = POSITION_MASK;

    for (apr_size_t way = 0; way < WAYS; way++) {
        apr_uint64_t place = load(&set[way]), position = place & POSITION_MASK;
        int whole = position && is_whole(tokens, position);

        if (whole && tag_of(place) == tag_of(hash) && load(&record_at(tokens, position)[0]) == hash) {
            return &set[way];
        }
        position = whole ? position : 0;
        if (position < oldest) {
            oldest = position;
            best = &set[way];
        }
    }
    return best;
}

/** Whether another process has just remembered the same. Only the writer calls this, so that no record changes. */
static int is_there(const clerk_token_cache *tokens, const word *place, const apr_uint64_t wanted[HEAD_WORDS],
                    jose_slice token)
{
    apr_uint64_t position = load(place) & POSITION_MASK;
    const word *record = record_at(tokens, position);

    return position && is_whole(tokens, position) && load(&record[0]) == wanted[0] && load(&record[1]) == wanted[1]
           && load(&record[2]) == wanted[2] && is_same_text(record + HEAD_WORDS, token);
}

/** The first block in which all has lapsed; else the one that was filled first. */
static unsigned int block_to_fill(const clerk_token_cache *tokens, apr_int64_t now)
{
    const block_head *blocks = tokens->head->blocks;
    unsigned int oldest = 0;

    for (unsigned int i = 0; i < tokens->blocks; i++) {
        if ((apr_int64_t)load(&blocks[i].expires) < now) {
            return i;
        }
        if (load(&blocks[i].filling) < load(&blocks[oldest].filling)) {
            oldest = i;
        }
    }
    return oldest;
}

/**
 * Where a record of so many lines goes: behind the last one, or, where that block has no room left, to the beginning
 * of another one. May die at any point and leave nothing behind that would be taken for whole.
 * @return its position
 */
static apr_uint64_t make_room(const clerk_token_cache *tokens, apr_uint64_t lines, apr_int64_t now)
{
    shared_head *head = tokens->head;
    apr_uint64_t end = load(&head->end), filling;
    unsigned int block = block_of(tokens, end);

    /* Where it ends exactly at the end of a block, the line behind it is another one's, of which nothing is known. */
    if (!load(&head->fillings) || lines > lines_left(tokens, end) || line_of(tokens, end) == 0) {
        block = block_to_fill(tokens, now);
        filling = load(&head->fillings) + 1;
        store(&head->fillings, filling);
        /* In this order: who dies in between leaves a block that is the next one to be chosen. */
        store(&head->blocks[block].expires, 0);
        store(&head->blocks[block].filling, filling);
        end = (apr_uint64_t)block << tokens->line_bits;
        store(&head->end, end);
    }
    /* Before any line is written to, for every record: see clerk_token_cache_get(). */
    atomic_thread_fence(memory_order_release);
    return load(&head->blocks[block].filling) << BLOCK_BITS << tokens->line_bits | end;
}

int clerk_token_cache_put(clerk_token_cache *tokens, jose_slice token, unsigned int instance, apr_uint32_t generation,
                          apr_int64_t expires, apr_int64_t now, const void *value, apr_size_t size)
{
    apr_uint64_t hash = hash_of(tokens, token, instance), head[HEAD_WORDS], lines, position;
    word *place, *record, *last;

    if (!generation || token.len > APR_UINT32_MAX || size > APR_UINT32_MAX) {
        return 0;
    }
    lines = (HEAD_WORDS + words_of(token.len) + words_of(size) + LINE_WORDS - 1) / LINE_WORDS;
    if (!tokens->self || lines > block_lines(tokens) || !begin_writing(tokens)) {
        return 0;
    }
    describe(head, hash, instance, generation, token.len, size);
    place = place_for(tokens, hash);
    if (!is_there(tokens, place, head, token)) {
        position = make_room(tokens, lines, now);
        record = record_at(tokens, position);
        for (int i = 0; i < HEAD_WORDS; i++) {
            store(&record[i], head[i]);
        }
        store_bytes(record + HEAD_WORDS, token.data, token.len);
        store_bytes(record + HEAD_WORDS + words_of(token.len), value, size);
        last = &tokens->head->blocks[block_of(tokens, position)].expires;
        if ((apr_int64_t)load(last) < expires) {
            store(last, (apr_uint64_t)expires);
        }
        /* First these lines are taken, then they are noted: nobody finds what the next writer would overwrite. */
        atomic_fetch_add_explicit(&tokens->head->end, lines, memory_order_release);
        atomic_store_explicit(place, tag_of(hash) | (position & POSITION_MASK), memory_order_release);
    }
    end_writing(tokens);
    return 1;
}
