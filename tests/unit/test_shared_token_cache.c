/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The token cache: what is found, what is never found, what is evicted, and that a lookup never returns a torn value,
 * also while other threads and processes write or are killed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "shared/token_cache.h"

#define SMALL CLERK_TOKEN_CACHE_SIZE_MIN
#define NOW 1800000000
#define LATER (NOW + 60)

static apr_pool_t *pool;

static jose_slice slice(const char *text)
{
    jose_slice s = {text, strlen(text)};

    return s;
}

static int set_up(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

/* Memory that is shared with processes that are forked later. */
typedef struct shared_memory {
    char *at;
    apr_size_t size;
} shared_memory;

static apr_status_t unmap(void *data)
{
    shared_memory *memory = data;

    return munmap(memory->at, memory->size);
}

static clerk_token_cache *new_cache_in(shared_memory **pmemory, apr_size_t size)
{
    shared_memory *memory = apr_palloc(pool, sizeof(*memory));
    clerk_token_cache *cache;

    memory->size = size;
    memory->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory->at != MAP_FAILED);
    apr_pool_cleanup_register(pool, memory, unmap, apr_pool_cleanup_null);
    assert_int_equal(clerk_token_cache_create(&cache, memory->at, size, pool), APR_SUCCESS);
    clerk_token_cache_child_init(cache);
    *pmemory = memory;
    return cache;
}

static clerk_token_cache *new_cache(void)
{
    shared_memory *memory;

    return new_cache_in(&memory, SMALL);
}

/* The value of a token is the token itself, `copies` times, so that a torn value is detected. */
static const char *value_of(const char *token, int copies, apr_pool_t *from)
{
    const char *value = "";

    while (copies-- > 0) {
        value = apr_pstrcat(from, value, token, "|", NULL);
    }
    return value;
}

static int put(clerk_token_cache *cache, const char *token, unsigned int instance, apr_uint32_t generation)
{
    const char *value = value_of(token, 3, pool);

    return clerk_token_cache_put(cache, slice(token), instance, generation, LATER, NOW, value, strlen(value) + 1);
}

static const char *get(const clerk_token_cache *cache, const char *token, unsigned int instance,
                       apr_uint32_t generation)
{
    apr_size_t size;
    const char *value = clerk_token_cache_get(&size, cache, slice(token), instance, generation, pool);

    if (value) {
        assert_int_equal(size, strlen(value) + 1);
        assert_int_equal((uintptr_t)value % sizeof(void *), 0);
    }
    return value;
}

static void test_finds_the_same_token_only(void **state)
{
    static const struct {
        const char *token;
        unsigned int instance;
        apr_uint32_t generation;
        int found;
    } rows[] = {{"header.payload.a-signature-that-is-long", 1, 7, 1},
                {"header.payload.a-signature-that-is-lonh", 1, 7, 0}, /* another token */
                {"xeader.payload.a-signature-that-is-long", 1, 7, 0}, /* the same end */
                {"header.paylaod.a-signature-that-is-long", 1, 7, 0},
                {"header.payload.a-signature-that-is-long ", 1, 7, 0},
                {"eader.payload.a-signature-that-is-long", 1, 7, 0},
                {"a-signature-that-is-long", 1, 7, 0},
                {"header.payload.a-signature-that-is-long", 2, 7, 0}, /* another instance */
                {"header.payload.a-signature-that-is-long", 1, 8, 0}, /* the keys have changed since */
                {"header.payload.a-signature-that-is-long", 1, 0, 0}, /* there are no usable keys */
                {"header.payload.a-signature-that-is-long", 7, 1, 0},
                {"", 1, 7, 0}};
    clerk_token_cache *cache = new_cache();

    (void)state;
    assert_null(get(cache, rows[0].token, 1, 7));
    assert_true(put(cache, rows[0].token, 1, 7));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *found = get(cache, rows[i].token, rows[i].instance, rows[i].generation);

        assert_int_equal(found != NULL, rows[i].found);
        if (found) {
            assert_string_equal(found, value_of(rows[i].token, 3, pool));
        }
    }
}

static void test_every_length(void **state)
{
    clerk_token_cache *cache = new_cache();
    char text[300];

    (void)state;
    for (apr_size_t len = 1; len < sizeof(text); len++) {
        const char *found;

        for (apr_size_t i = 0; i < len; i++) {
            text[i] = (char)('a' + (i + len) % 26);
        }
        text[len] = '\0';
        assert_true(clerk_token_cache_put(cache, slice(text), 0, 1, LATER, NOW, text, len + 1));
        found = get(cache, text, 0, 1);
        assert_non_null(found);
        assert_string_equal(found, text);
        /* A change of any byte makes it another token. */
        for (apr_size_t i = 0; i < len; i++) {
            text[i] ^= 1;
            assert_null(get(cache, text, 0, 1));
            text[i] ^= 1;
        }
    }
}

static void test_the_newest_generation_counts(void **state)
{
    clerk_token_cache *cache = new_cache();

    (void)state;
    assert_true(put(cache, "t", 0, 1));
    assert_true(put(cache, "t", 0, 2));
    assert_null(get(cache, "t", 0, 1));
    assert_non_null(get(cache, "t", 0, 2));
    /* Storing the same record again takes no room, so it evicts nothing. */
    assert_true(put(cache, "before", 0, 2));
    for (int i = 0; i < 10000; i++) {
        assert_true(put(cache, "t", 0, 2));
    }
    assert_non_null(get(cache, "before", 0, 2));
}

static const char *numbered(int number)
{
    return apr_psprintf(pool, "header.payload-%d.signature-%d", number, number);
}

static void test_the_oldest_block_is_evicted(void **state)
{
    clerk_token_cache *cache = new_cache();
    apr_pool_t *parent = pool;

    (void)state;
    apr_pool_create(&pool, parent);
    for (int i = 0; i < 20000; i++) {
        /* A record takes 1 KB. The memory has three blocks of 16 records, one of which is being refilled. */
        const char *value = value_of(numbered(i), 25, pool);
        int found = 0;

        assert_true(clerk_token_cache_put(cache, slice(numbered(i)), 0, 1, LATER, NOW, value, strlen(value) + 1));
        assert_string_equal(get(cache, numbered(i), 0, 1), value);
        if (i % 1000 == 999) {
            for (int back = 0; back < 33; back++) {
                found += get(cache, numbered(i - back), 0, 1) != NULL;
            }
            assert_true(found >= 31);
            assert_null(get(cache, numbered(i - 60), 0, 1));
        }
        apr_pool_clear(pool);
    }
    pool = parent;
}

/* The length of the memory up to the last byte that was written to. */
static apr_size_t touched(const shared_memory *memory)
{
    apr_size_t last = 0;

    for (apr_size_t i = 0; i < memory->size; i++) {
        last = memory->at[i] ? i : last;
    }
    return last;
}

static void put_numbered(clerk_token_cache *cache, int number, int expires, int now)
{
    const char *value = value_of(numbered(number), 12, pool);

    assert_true(clerk_token_cache_put(cache, slice(numbered(number)), 0, 1, expires, now, value, strlen(value) + 1));
}

static void test_takes_no_more_memory_than_live_tokens_need(void **state)
{
    shared_memory *memory;
    clerk_token_cache *cache = new_cache_in(&memory, 16 * SMALL);
    apr_pool_t *parent = pool;

    (void)state;
    apr_pool_create(&pool, parent);
    /* Ten tokens of 512 bytes a minute, for a day. */
    for (int i = 0; i < 14400; i++) {
        put_numbered(cache, i, NOW + i * 6 + 60, NOW + i * 6);
        for (int back = 0; back < 10 && back <= i; back++) {
            assert_non_null(get(cache, numbered(i - back), 0, 1));
        }
        apr_pool_clear(pool);
    }
    pool = parent;
    /* Headers, index and two blocks of 16 KB. */
    assert_true(touched(memory) < 2200 + 16 * SMALL / 64 + 2 * 16384);
}

static void test_growth_evicts_no_live_token(void **state)
{
    shared_memory *memory;
    clerk_token_cache *cache = new_cache_in(&memory, 16 * SMALL);
    int found = 0;

    (void)state;
    put_numbered(cache, 0, NOW + 60, NOW);
    for (int i = 1; i <= 600; i++) {
        put_numbered(cache, i, NOW + 115, NOW + 55);
    }
    /* Token 0 has expired, the others have not, and other blocks are unused. */
    for (int i = 601; i <= 1200; i++) {
        put_numbered(cache, i, NOW + 122, NOW + 62);
    }
    for (int i = 1; i <= 1200; i++) {
        found += get(cache, numbered(i), 0, 1) != NULL;
    }
    /* All records are there, but the index has too few slots for so many small ones and loses some. */
    assert_true(found > 1100);
}

static void test_instances_are_kept_apart(void **state)
{
    clerk_token_cache *cache = new_cache();

    (void)state;
    for (unsigned int instance = 0; instance < 4; instance++) {
        assert_true(put(cache, "header.payload.signature", instance, 1));
    }
    for (unsigned int instance = 0; instance < 4; instance++) {
        assert_non_null(get(cache, "header.payload.signature", instance, 1));
    }
}

static void test_a_record_larger_than_a_block_is_not_stored(void **state)
{
    clerk_token_cache *cache = new_cache();
    char *large = apr_pcalloc(pool, SMALL + 1);

    (void)state;
    memset(large, 'l', SMALL);
    assert_true(put(cache, "t", 0, 1));
    assert_false(clerk_token_cache_put(cache, slice("large value"), 0, 1, LATER, NOW, large, 16384));
    assert_false(clerk_token_cache_put(cache, (jose_slice){large, 16384}, 0, 1, LATER, NOW, "v", 2));
    assert_false(clerk_token_cache_put(cache, slice(large), 0, 1, LATER, NOW, "v", 2));
    assert_null(get(cache, "large value", 0, 1));
    assert_non_null(get(cache, "t", 0, 1));
    /* Values of any size up to there, in every line of a block. */
    for (apr_size_t size = 0; size < 16300; size += 7) {
        apr_size_t found_size = 1;
        const char *token = apr_psprintf(pool, "t-%d", (int)size);

        assert_true(clerk_token_cache_put(cache, slice(token), 0, 1, LATER, NOW, large, size));
        assert_non_null(clerk_token_cache_get(&found_size, cache, slice(token), 0, 1, pool));
        assert_int_equal(found_size, size);
    }
}

static void test_needs_aligned_memory_of_the_smallest_size(void **state)
{
    char *memory = apr_pcalloc(pool, SMALL + 128);
    char *aligned = memory + (64 - (uintptr_t)memory % 64) % 64;
    clerk_token_cache *cache;

    (void)state;
    assert_int_equal(clerk_token_cache_create(&cache, aligned + 8, SMALL, pool), APR_EINVAL);
    assert_null(cache);
    assert_int_equal(clerk_token_cache_create(&cache, aligned, SMALL - 1, pool), APR_EINVAL);
    assert_int_equal(clerk_token_cache_create(&cache, aligned, SMALL, pool), APR_SUCCESS);
    /* Nothing is stored before child_init(). */
    assert_false(put(cache, "t", 0, 1));
    clerk_token_cache_child_init(cache);
    assert_true(put(cache, "t", 0, 1));
}

/* ---- threads and processes -------------------------------------------------------------------------------------- */

#define THREADS 6
#define ROUNDS 20000

typedef struct tally {
    int hits;
    int wrong;
    int stored;
} tally;

/*
 * Look tokens up and store those that are missing; every value found must be complete and belong to its token.
 */
static tally read_and_write(clerk_token_cache *cache, unsigned int seed, int rounds)
{
    tally seen = {0, 0, 0};
    apr_pool_t *request;

    apr_pool_create(&request, NULL);
    for (int i = 0; i < rounds; i++) {
        char token[60];
        const char *found, *value;
        apr_size_t size;

        seed = seed * 1103515245 + 12345;
        apr_snprintf(token, sizeof(token), "header.payload-%u.signature-%u", seed >> 16 & 127, seed >> 16 & 127);
        /* A record takes 3 KB: 15 of them fill the memory, so blocks are overwritten all the time. */
        value = value_of(token, 90, request);
        found = clerk_token_cache_get(&size, cache, slice(token), 0, 1, request);
        if (found) {
            seen.hits++;
            seen.wrong += size != strlen(value) + 1 || memcmp(found, value, size);
        } else {
            seen.stored += clerk_token_cache_put(cache, slice(token), 0, 1, LATER, NOW, value, strlen(value) + 1);
        }
        apr_pool_clear(request);
    }
    apr_pool_destroy(request);
    return seen;
}

static clerk_token_cache *common;
static atomic_int hits, wrong, stored;

static void *APR_THREAD_FUNC reading_and_writing_thread(apr_thread_t *thread, void *data)
{
    tally seen = read_and_write(common, (unsigned int)(uintptr_t)data, ROUNDS);

    (void)thread;
    atomic_fetch_add(&hits, seen.hits);
    atomic_fetch_add(&wrong, seen.wrong);
    atomic_fetch_add(&stored, seen.stored);
    return NULL;
}

static void test_threads_read_and_overwrite(void **state)
{
    apr_thread_t *threads[THREADS];
    apr_status_t rv;

    (void)state;
    common = new_cache();
    for (int i = 0; i < THREADS; i++) {
        rv = apr_thread_create(&threads[i], NULL, reading_and_writing_thread, (void *)(uintptr_t)(i + 1), pool);
        assert_int_equal(rv, APR_SUCCESS);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&hits) > 0);
    assert_true(atomic_load(&stored) > 1000);
}

static pid_t start_child(void (*work)(clerk_token_cache *cache), clerk_token_cache *cache)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        clerk_token_cache_child_init(cache);
        work(cache);
        _exit(0);
    }
    return child;
}

static void reading_and_writing_child(clerk_token_cache *cache)
{
    tally seen = read_and_write(cache, (unsigned int)getpid(), ROUNDS);

    _exit(seen.wrong ? 1 : seen.hits ? 0 : 2);
}

static void test_processes_read_and_overwrite(void **state)
{
    clerk_token_cache *cache = new_cache();
    pid_t children[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        children[i] = start_child(reading_and_writing_child, cache);
    }
    for (int i = 0; i < THREADS; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static int ready[2];

/* Write without end, so that the process holds the write lock nearly all of the time. */
static void writing_child(clerk_token_cache *cache)
{
    static char value[SMALL / 20];
    unsigned int number = 0;

    for (;;) {
        char token[40];

        apr_snprintf(token, sizeof(token), "child-%d-%u", (int)getpid(), number);
        (void)clerk_token_cache_put(cache, slice(token), 0, 1, LATER, NOW, value, sizeof(value));
        if (number++ == 100 && write(ready[1], "r", 1) != 1) {
            _exit(1);
        }
    }
}

/* Whether the kernel frees the robust locks of processes that end. qemu cannot, when it emulates a processor alone. */
static int has_robust_locks(void)
{
#ifdef SYS_get_robust_list
    void *list = NULL;
    size_t size = 0;

    return syscall(SYS_get_robust_list, 0, &list, &size) == 0;
#else
    return 1;
#endif
}

static void test_killed_writers_do_not_keep_the_write_lock(void **state)
{
    clerk_token_cache *cache = new_cache();
    char byte;

    (void)state;
    if (!has_robust_locks()) {
        skip();
    }
    assert_int_equal(pipe(ready), 0);
    for (int i = 0; i < 60; i++) {
        pid_t child = start_child(writing_child, cache);
        const char *token = apr_psprintf(pool, "after child %d", i);

        siginfo_t info;

        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(kill(child, SIGKILL), 0);
        /* It stays a zombie: its process id exists, as it does when the system gave it to another program (A15). */
        assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
        assert_true(put(cache, token, 0, 1));
        assert_non_null(get(cache, token, 0, 1));
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(read_and_write(cache, (unsigned int)i, 200).wrong, 0);
    }
    close(ready[0]);
    close(ready[1]);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {test(test_finds_the_same_token_only),
                                       test(test_every_length),
                                       test(test_the_newest_generation_counts),
                                       test(test_the_oldest_block_is_evicted),
                                       test(test_takes_no_more_memory_than_live_tokens_need),
                                       test(test_growth_evicts_no_live_token),
                                       test(test_instances_are_kept_apart),
                                       test(test_a_record_larger_than_a_block_is_not_stored),
                                       test(test_needs_aligned_memory_of_the_smallest_size),
                                       test(test_threads_read_and_overwrite),
                                       test(test_processes_read_and_overwrite),
                                       test(test_killed_writers_do_not_keep_the_write_lock)};
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
