/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/verified_tokens.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <apr_general.h>

/* The ring is made of lines, a processor's cache lines; a record begins with one. */
#define LINE 64
#define WORD sizeof(apr_uint64_t)
#define LINE_WORDS (LINE / WORD)
/* A token can be found in one of so many places of the index: a line of it. */
#define WAYS LINE_WORDS
/* One place in the index for so many bytes of the ring: two or more for each record. */
#define BYTES_A_PLACE 512
/* Words before the token: the hash, who and under which keys, the two lengths. */
#define HEAD_WORDS 3
/* No record takes more of the ring than one part of so many, or a few would push all others out. */
#define LARGEST_PART 16
/* The ring does not begin anew sooner than after so many seconds, as long as there is room. */
#define LEAST_ROUND 60

/*
 * A place of the index: where a record begins, in lines counted from the beginning of time, and above that a part of
 * its hash. 0: empty.
 */
#define POSITION_BITS 48
#define POSITION_MASK ((APR_UINT64_C(1) << POSITION_BITS) - 1)

typedef _Atomic(apr_uint64_t) word;

/*
 * The beginning of the shared memory. Lines are counted from the beginning of time, so a line that is used again has
 * another number. A record is whole as long as it begins at `floor` or after: a writer raises the floor over what it
 * is going to overwrite before it writes.
 */
typedef struct shared_head {
    word floor;
    word end;                        /* the line behind the last record */
    word first_expires;              /* when the record at the beginning of the ring lapses; seconds since 1970 */
    word writer;                     /* who is writing: a number of its own, and below it its process id; 0: nobody */
    atomic_uint processes;           /* how many numbers were given */
} shared_head;

struct clerk_verified_tokens {
    shared_head *head;
    word *index;                     /* sets * WAYS places */
    apr_size_t sets;                 /* a power of two */
    word *ring;
    apr_uint64_t lines;              /* of the ring */
    apr_uint64_t key[2];             /* made before the fork, so all children have the same */
    apr_uint64_t self;               /* as in `writer` */
};

apr_status_t clerk_verified_tokens_create(clerk_verified_tokens **ptokens, void *memory, apr_size_t size,
                                          apr_pool_t *pool)
{
    clerk_verified_tokens *tokens = apr_pcalloc(pool, sizeof(*tokens));
    apr_size_t index_size;

    *ptokens = NULL;
    if (size < CLERK_VERIFIED_TOKENS_LEAST || (apr_uintptr_t)memory % LINE) {
        return APR_EINVAL;
    }
    tokens->sets = 1;
    while (tokens->sets * 2 * WAYS * BYTES_A_PLACE <= size) {
        tokens->sets *= 2;
    }
    index_size = tokens->sets * WAYS * WORD;
    tokens->head = memory;
    tokens->index = (word *)((char *)memory + LINE);
    tokens->ring = (word *)((char *)memory + LINE + index_size);
    tokens->lines = (size - LINE - index_size) / LINE;
    /* Line 0 of time is nobody's: a place that says 0 is empty. */
    atomic_store(&tokens->head->end, tokens->lines);
    atomic_store(&tokens->head->floor, 1);
    *ptokens = tokens;
    return apr_generate_random_bytes((unsigned char *)tokens->key, sizeof(tokens->key));
}

static pid_t process_of(apr_uint64_t writer)
{
    return (pid_t)(apr_uint32_t)writer;
}

void clerk_verified_tokens_child_init(clerk_verified_tokens *tokens)
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
static apr_uint64_t hash_of(const clerk_verified_tokens *tokens, jose_slice token)
{
    apr_uint64_t tail[2] = {0, 0};
    apr_size_t len = token.len < sizeof(tail) ? token.len : sizeof(tail);

    memcpy(tail, token.data + token.len - len, len);
    return mix(mix(tail[0] ^ tokens->key[0]) ^ tail[1] ^ tokens->key[1]);
}

static word *set_of(const clerk_verified_tokens *tokens, apr_uint64_t hash)
{
    return &tokens->index[(hash & (tokens->sets - 1)) * WAYS];
}

static apr_uint64_t tag_of(apr_uint64_t hash)
{
    return hash & ~POSITION_MASK;
}

static word *record_at(const clerk_verified_tokens *tokens, apr_uint64_t position)
{
    return &tokens->ring[position % tokens->lines * LINE_WORDS];
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

static int is_whole(const clerk_verified_tokens *tokens, apr_uint64_t position)
{
    return position >= load(&tokens->head->floor);
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

/**
 * Copy the value of the record at a position, if it is the one that is wanted. What is read here may be overwritten
 * at any moment: no length of it is trusted.
 */
static void *copy_value(apr_size_t *psize, const clerk_verified_tokens *tokens, apr_uint64_t position, jose_slice token,
                        const apr_uint64_t wanted[HEAD_WORDS], apr_pool_t *pool)
{
    const word *record = record_at(tokens, position);
    apr_size_t size = (apr_uint32_t)load(&record[2]), words = words_of(size), token_words = words_of(token.len);
    apr_uint64_t *value;

    if (load(&record[0]) != wanted[0] || load(&record[1]) != wanted[1] || load(&record[2]) >> 32 != wanted[2] >> 32
        || HEAD_WORDS + token_words + words > (tokens->lines - position % tokens->lines) * LINE_WORDS
        || !is_same_text(record + HEAD_WORDS, token)) {
        return NULL;
    }
    record += HEAD_WORDS + token_words;
    value = apr_palloc(pool, words * WORD);
    load_words(value, record, words);
    *psize = size;
    return value;
}

void *clerk_verified_tokens_get(apr_size_t *psize, const clerk_verified_tokens *tokens, jose_slice token,
                                unsigned int instance, apr_uint32_t generation, apr_pool_t *pool)
{
    apr_uint64_t hash = hash_of(tokens, token), wanted[HEAD_WORDS];
    const word *set = set_of(tokens, hash);

    describe(wanted, hash, instance, generation, token.len, 0);
    for (apr_size_t way = 0; generation && way < WAYS; way++) {
        apr_uint64_t place = atomic_load_explicit(&set[way], memory_order_acquire), position = place & POSITION_MASK;
        void *value;

        if (!place || tag_of(place) != tag_of(hash)) {
            continue;
        }
        value = copy_value(psize, tokens, position, token, wanted, pool);
        /* Whoever wrote any of what was just read has raised the floor before, and that is seen from here on. */
        atomic_thread_fence(memory_order_acquire);
        if (value && is_whole(tokens, position)) {
            return value;
        }
    }
    return NULL;
}

/** Take the pen, unless another one has it who is alive. */
static int begin_writing(clerk_verified_tokens *tokens)
{
    apr_uint64_t writer = 0;

    if (atomic_compare_exchange_strong(&tokens->head->writer, &writer, tokens->self)) {
        return 1;
    }
    /* A process that was killed while it was writing does not go on. */
    return writer != tokens->self && kill(process_of(writer), 0) != 0 && errno == ESRCH
           && atomic_compare_exchange_strong(&tokens->head->writer, &writer, tokens->self);
}

static void end_writing(clerk_verified_tokens *tokens)
{
    atomic_store(&tokens->head->writer, 0);
}

/**
 * Where to note a record: where one of the same token was noted, else an empty place, else the oldest. Only the
 * writer calls this.
 */
static word *place_for(const clerk_verified_tokens *tokens, apr_uint64_t hash)
{
    word *set = set_of(tokens, hash), *best = set;

    for (apr_size_t way = 0; way < WAYS; way++) {
        apr_uint64_t place = load(&set[way]);

        if (place && tag_of(place) == tag_of(hash) && load(&record_at(tokens, place & POSITION_MASK)[0]) == hash) {
            return &set[way];
        }
        if ((place & POSITION_MASK) < (load(best) & POSITION_MASK)) {
            best = &set[way];
        }
    }
    return best;
}

/** Whether another process has just remembered the same. Only the writer calls this, so that no record changes. */
static int is_there(const clerk_verified_tokens *tokens, const word *place, const apr_uint64_t wanted[HEAD_WORDS],
                    jose_slice token)
{
    apr_uint64_t position = load(place) & POSITION_MASK;
    const word *record = record_at(tokens, position);

    return position && is_whole(tokens, position) && load(&record[0]) == wanted[0] && load(&record[1]) == wanted[1]
           && load(&record[2]) == wanted[2] && is_same_text(record + HEAD_WORDS, token);
}

/**
 * The first line for a record of so many: behind the last one; or at the next beginning, where it does not fit before
 * the end, as no record goes around it, or where the record there has lapsed. The floor is raised.
 */
static apr_uint64_t make_room(clerk_verified_tokens *tokens, apr_uint64_t lines, apr_int64_t expires, apr_int64_t now)
{
    apr_uint64_t start = load(&tokens->head->end), used = start % tokens->lines, end;

    if (used && (lines > tokens->lines - used || (apr_int64_t)load(&tokens->head->first_expires) < now)) {
        start += tokens->lines - used;
        used = 0;
    }
    if (!used) {
        store(&tokens->head->first_expires,
              (apr_uint64_t)(expires > now + LEAST_ROUND ? expires : now + LEAST_ROUND));
    }
    end = start + lines;
    if (end - tokens->lines > load(&tokens->head->floor)) {
        store(&tokens->head->floor, end - tokens->lines);
    }
    /* Before anything is written: see clerk_verified_tokens_get(). */
    atomic_thread_fence(memory_order_release);
    return start;
}

int clerk_verified_tokens_put(clerk_verified_tokens *tokens, jose_slice token, unsigned int instance,
                              apr_uint32_t generation, apr_int64_t expires, apr_int64_t now, const void *value,
                              apr_size_t size)
{
    apr_uint64_t hash = hash_of(tokens, token), head[HEAD_WORDS], lines, position;
    word *place, *record;

    if (!generation || token.len > APR_UINT32_MAX || size > APR_UINT32_MAX) {
        return 0;
    }
    lines = (HEAD_WORDS + words_of(token.len) + words_of(size) + LINE_WORDS - 1) / LINE_WORDS;
    if (!tokens->self || lines > tokens->lines / LARGEST_PART || !begin_writing(tokens)) {
        return 0;
    }
    describe(head, hash, instance, generation, token.len, size);
    place = place_for(tokens, hash);
    if (!is_there(tokens, place, head, token)) {
        position = make_room(tokens, lines, expires, now);
        record = record_at(tokens, position);
        for (int i = 0; i < HEAD_WORDS; i++) {
            store(&record[i], head[i]);
        }
        store_bytes(record + HEAD_WORDS, token.data, token.len);
        store_bytes(record + HEAD_WORDS + words_of(token.len), value, size);
        /*
         * First these lines are taken, then they are noted: nobody finds a record that the next writer would
         * overwrite unsaid.
         */
        atomic_store_explicit(&tokens->head->end, position + lines, memory_order_release);
        atomic_store_explicit(place, tag_of(hash) | (position & POSITION_MASK), memory_order_release);
    }
    end_writing(tokens);
    return 1;
}
