/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/single_flight.h"

#include <string.h>

#include <openssl/evp.h>

#define WORD sizeof(apr_uint64_t)
#define DIGEST_WORDS 4
#define ANSWER_WORDS (CLERK_SINGLE_FLIGHT_ANSWER_MAX / WORD)

/* What is done under the lock takes microseconds; a process that holds it for longer was stopped. */
#define LOCK_DURATION apr_time_from_msec(500)
#define WRITE_DURATION apr_time_from_sec(1)
#define LOCK_TRIES 40
#define LOCK_PAUSE 50
/* Longer than any lease and any memory of an answer: a time further away is from before the clock was set back. */
#define LONGEST apr_time_from_sec(3600)

typedef _Atomic apr_uint64_t word;

/* A cache line: a search reads all of them. */
typedef struct entry {
    _Alignas(64) word key[DIGEST_WORDS];
    clerk_lease lease;         /* the leader's; 0: there is none */
    _Atomic apr_int64_t until; /* how long the answer counts; 0: there is none */
    word len;                  /* bytes of the answer in the body, or of what has to be wiped there */
} entry;

typedef struct body {
    word digest[DIGEST_WORDS]; /* SHA-256 of key and answer */
    word words[ANSWER_WORDS];
} body;

typedef struct head {
    _Alignas(64) clerk_lease lock;
} head;

struct clerk_single_flight {
    head *head;
    entry *entries;
    body *bodies;
    unsigned int count;
};

apr_size_t clerk_single_flight_size(unsigned int entries)
{
    return sizeof(head) + (apr_size_t)entries * (sizeof(entry) + sizeof(body));
}

clerk_single_flight *clerk_single_flight_create(void *memory, unsigned int entries, apr_pool_t *pool)
{
    clerk_single_flight *table = apr_palloc(pool, sizeof(*table));

    table->head = memory;
    table->entries = (entry *)(void *)(table->head + 1);
    table->bodies = (body *)(void *)(table->entries + entries);
    table->count = entries;
    return table;
}

static int is_led(const entry *at, apr_time_t now)
{
    return clerk_lease_is_held(&at->lease, now, LONGEST);
}

static int is_answered(const entry *at, apr_time_t now)
{
    apr_time_t until = atomic_load(&at->until);

    return until > now && until - now <= LONGEST;
}

static int has_key(const entry *at, const apr_uint64_t key[DIGEST_WORDS])
{
    for (int i = 0; i < DIGEST_WORDS; i++) {
        if (atomic_load(&at->key[i]) != key[i]) {
            return 0;
        }
    }
    return 1;
}

static int digest_of(apr_uint64_t digest[DIGEST_WORDS], const apr_uint64_t key[DIGEST_WORDS], const void *answer,
                     apr_size_t len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int done = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)
               && EVP_DigestUpdate(context, key, DIGEST_WORDS * WORD) && EVP_DigestUpdate(context, answer, len)
               && EVP_DigestFinal_ex(context, (unsigned char *)digest, NULL);

    EVP_MD_CTX_free(context);
    return done;
}

static apr_size_t words_of(apr_size_t len)
{
    return (len + WORD - 1) / WORD;
}

/** What an entry remembered is gone. Under the lock, or by the leader. */
static void forget(clerk_single_flight *table, entry *at)
{
    body *b = &table->bodies[at - table->entries];
    apr_size_t words = words_of((apr_size_t)atomic_load(&at->len));

    atomic_store(&at->until, 0);
    for (apr_size_t i = 0; i < words && i < ANSWER_WORDS; i++) {
        atomic_store_explicit(&b->words[i], 0, memory_order_relaxed);
    }
    atomic_store(&at->len, 0);
}

static apr_uint64_t lock(clerk_single_flight *table)
{
    apr_uint64_t mine = 0;

    for (int i = 0; i < LOCK_TRIES; i++) {
        mine = clerk_lease_take(&table->head->lock, apr_time_now(), LOCK_DURATION);
        if (mine) {
            break;
        }
        (void)clerk_lease_free_if_dead(&table->head->lock);
        apr_sleep(LOCK_PAUSE);
    }
    return mine;
}

static void unlock(clerk_single_flight *table, apr_uint64_t mine)
{
    clerk_lease_release(&table->head->lock, mine);
}

/** The entry of a key; else one to be claimed for it; NULL: there is neither. */
static entry *find(const clerk_single_flight *table, const apr_uint64_t key[DIGEST_WORDS], apr_time_t now)
{
    entry *best = NULL;
    apr_time_t oldest = 0;

    for (unsigned int i = 0; i < table->count; i++) {
        entry *at = &table->entries[i];
        apr_time_t until;

        if (has_key(at, key)) {
            return at;
        }
        if (is_led(at, now)) {
            continue;
        }
        /* The first that is free, so that little memory becomes resident; else the one whose answer is the oldest. */
        until = is_answered(at, now) ? atomic_load(&at->until) : 0;
        if (!best || until < oldest) {
            best = at;
            oldest = until;
        }
    }
    return best;
}

/** Copy an answer. It may not be whole: see is_whole(). Under the lock. */
static void copy(clerk_single_flight_ticket *ticket, apr_uint64_t digest[DIGEST_WORDS],
                 const clerk_single_flight *table, const entry *at, apr_pool_t *pool)
{
    const body *b = &table->bodies[at - table->entries];
    apr_size_t len = (apr_size_t)atomic_load(&at->len), words;
    apr_uint64_t *answer;

    len = len < CLERK_SINGLE_FLIGHT_ANSWER_MAX ? len : CLERK_SINGLE_FLIGHT_ANSWER_MAX;
    words = words_of(len);
    answer = apr_palloc(pool, (words + 1) * WORD);
    for (apr_size_t i = 0; i < words; i++) {
        answer[i] = atomic_load_explicit(&b->words[i], memory_order_relaxed);
    }
    answer[words] = 0;
    for (int i = 0; i < DIGEST_WORDS; i++) {
        digest[i] = atomic_load_explicit(&b->digest[i], memory_order_relaxed);
    }
    ticket->answer = answer;
    ticket->len = len;
    ticket->until = atomic_load(&at->until);
}

static int is_whole(const clerk_single_flight_ticket *ticket, const apr_uint64_t key[DIGEST_WORDS],
                    const apr_uint64_t expected[DIGEST_WORDS])
{
    apr_uint64_t digest[DIGEST_WORDS];

    return digest_of(digest, key, ticket->answer, ticket->len) && !memcmp(digest, expected, sizeof(digest));
}

/** Make the entry the key's, with the caller as its leader. Under the lock. */
static clerk_single_flight_state claim(clerk_single_flight_ticket *ticket, clerk_single_flight *table, entry *at,
                                       const apr_uint64_t key[DIGEST_WORDS], apr_time_t now,
                                       apr_interval_time_t duration)
{
    forget(table, at);
    for (int i = 0; i < DIGEST_WORDS; i++) {
        atomic_store(&at->key[i], key[i]);
    }
    ticket->lease = clerk_lease_take(&at->lease, now, duration);
    return ticket->lease ? CLERK_SINGLE_FLIGHT_LEADER : CLERK_SINGLE_FLIGHT_PENDING;
}

/** Whether the leader that was found the last time is still at work. Without the lock: those who wait ask often. */
static int is_still_pending(const clerk_single_flight_ticket *ticket, clerk_single_flight *table,
                            const apr_uint64_t key[DIGEST_WORDS], apr_time_t now)
{
    entry *at = ticket->entry ? &table->entries[ticket->entry - 1] : NULL;

    return at && has_key(at, key) && is_led(at, now) && !clerk_lease_free_if_dead(&at->lease);
}

static clerk_single_flight_state look(clerk_single_flight_ticket *ticket, apr_uint64_t digest[DIGEST_WORDS],
                                      clerk_single_flight *table, const apr_uint64_t key[DIGEST_WORDS], apr_time_t now,
                                      apr_interval_time_t duration, apr_pool_t *pool)
{
    entry *at = find(table, key, now);

    if (!at) {
        return CLERK_SINGLE_FLIGHT_FULL;
    }
    ticket->entry = (unsigned int)(at - table->entries) + 1;
    if (is_led(at, now) && !clerk_lease_free_if_dead(&at->lease)) {
        return CLERK_SINGLE_FLIGHT_PENDING;
    }
    if (has_key(at, key) && is_answered(at, now)) {
        copy(ticket, digest, table, at, pool);
        return CLERK_SINGLE_FLIGHT_ANSWERED;
    }
    return claim(ticket, table, at, key, now, duration);
}

clerk_single_flight_state clerk_single_flight_ask(clerk_single_flight_ticket *ticket, clerk_single_flight *table,
                                                  apr_time_t now, apr_interval_time_t lease, apr_pool_t *pool)
{
    apr_uint64_t key[DIGEST_WORDS], digest[DIGEST_WORDS], locked;
    clerk_single_flight_state state;

    memcpy(key, ticket->key, sizeof(key));
    if (is_still_pending(ticket, table, key, now)) {
        return CLERK_SINGLE_FLIGHT_PENDING;
    }
    locked = lock(table);
    if (!locked) {
        return CLERK_SINGLE_FLIGHT_PENDING;
    }
    state = look(ticket, digest, table, key, now, lease, pool);
    unlock(table, locked);
    if (state == CLERK_SINGLE_FLIGHT_ANSWERED && !is_whole(ticket, key, digest)) {
        /* Its writer was stopped half way, for longer than its lease. A new answer is needed. */
        atomic_compare_exchange_strong(&table->entries[ticket->entry - 1].until, &ticket->until, 0);
        return CLERK_SINGLE_FLIGHT_PENDING;
    }
    return state;
}

int clerk_single_flight_publish(clerk_single_flight_ticket *ticket, clerk_single_flight *table, const void *answer,
                                apr_size_t len, apr_time_t now, apr_time_t until)
{
    entry *at = &table->entries[ticket->entry - 1];
    body *b = &table->bodies[ticket->entry - 1];
    apr_uint64_t key[DIGEST_WORDS], digest[DIGEST_WORDS];

    memcpy(key, ticket->key, sizeof(key));
    if (len > CLERK_SINGLE_FLIGHT_ANSWER_MAX || !digest_of(digest, key, answer, len)
        || !clerk_lease_renew(&at->lease, &ticket->lease, now, WRITE_DURATION)) {
        clerk_single_flight_give_up(ticket, table);
        return 0;
    }
    atomic_store(&at->len, len);
    for (apr_size_t i = 0; i < words_of(len); i++) {
        apr_uint64_t piece = 0;

        memcpy(&piece, (const char *)answer + i * WORD, len - i * WORD < WORD ? len - i * WORD : WORD);
        atomic_store_explicit(&b->words[i], piece, memory_order_relaxed);
    }
    for (int i = 0; i < DIGEST_WORDS; i++) {
        atomic_store_explicit(&b->digest[i], digest[i], memory_order_relaxed);
    }
    atomic_store(&at->until, until);
    clerk_single_flight_give_up(ticket, table);
    return 1;
}

void clerk_single_flight_give_up(clerk_single_flight_ticket *ticket, clerk_single_flight *table)
{
    clerk_lease_release(&table->entries[ticket->entry - 1].lease, ticket->lease);
    ticket->lease = 0;
}

unsigned int clerk_single_flight_wipe(clerk_single_flight *table, apr_time_t now)
{
    apr_uint64_t locked = lock(table);
    unsigned int wiped = 0;

    for (unsigned int i = 0; locked && i < table->count; i++) {
        entry *at = &table->entries[i];

        if (atomic_load(&at->len) && !is_led(at, now) && !is_answered(at, now)) {
            forget(table, at);
            wiped++;
        }
    }
    unlock(table, locked);
    return wiped;
}
