/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The tables of verified tokens: what is found, what never is, and that nothing is freed under a reader's eyes.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "shared/token_cache.h"
#include "shared/verified_table.h"

#define LATER (apr_time_now() + apr_time_from_sec(60))

static apr_pool_t *pool;
static atomic_int alive;             /* values that were made and not yet destroyed */

static jose_slice slice(const char *text)
{
    jose_slice s = {text, strlen(text)};

    return s;
}

/* A value knows which token it is for, and is poisoned before it is freed, so that a use after free shows. */
typedef struct value {
    char text[120];
} value;

static value *make_value(const char *text)
{
    value *made = malloc(sizeof(*made));

    assert_non_null(made);
    apr_cpystrn(made->text, text, sizeof(made->text));
    atomic_fetch_add(&alive, 1);
    return made;
}

static void destroy_value(void *data)
{
    memset(data, 'x', sizeof(value));
    free(data);
    atomic_fetch_sub(&alive, 1);
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&alive, 0);
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static clerk_token_cache *new_cache(unsigned int entries)
{
    clerk_token_cache *cache;

    assert_int_equal(clerk_token_cache_create(&cache, entries, pool), APR_SUCCESS);
    return cache;
}

static void put(clerk_token_cache *cache, const char *token, unsigned int instance, apr_uint32_t generation)
{
    clerk_token_cache_put(cache, slice(token), instance, generation, LATER, make_value(token), destroy_value);
}

static const char *get(clerk_token_cache *cache, const char *token, unsigned int instance, apr_uint32_t generation)
{
    const value *found = clerk_token_cache_get(cache, slice(token), instance, generation, pool);

    return found ? found->text : NULL;
}

static void test_finds_the_same_token_only(void **state)
{
    static const struct {
        const char *token;
        unsigned int instance;
        apr_uint32_t generation;
        int found;
    } rows[] = {
        {"header.payload.signature", 1, 7, 1},
        {"header.payload.signaturf", 1, 7, 0},      /* another token */
        {"xeader.payload.signature", 1, 7, 0},      /* the same end */
        {"header.payload.signature ", 1, 7, 0},
        {"eader.payload.signature", 1, 7, 0},
        {"header.payload.signature", 2, 7, 0},      /* another instance's */
        {"header.payload.signature", 1, 8, 0},      /* the keys have changed since */
        {"header.payload.signature", 1, 0, 0},      /* there are no usable keys */
        {"", 1, 7, 0}
    };
    clerk_token_cache *cache = new_cache(64);

    (void)state;
    put(cache, "header.payload.signature", 1, 7);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *found = get(cache, rows[i].token, rows[i].instance, rows[i].generation);

        assert_int_equal(found != NULL, rows[i].found);
        if (found) {
            assert_string_equal(found, rows[i].token);
        }
    }
}

static void test_long_tokens_that_differ_at_the_front(void **state)
{
    char a[3000], b[3000];
    clerk_token_cache *cache = new_cache(64);

    (void)state;
    memset(a, 'a', sizeof(a));
    memset(b, 'a', sizeof(b));
    a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
    b[0] = 'b';
    put(cache, a, 0, 1);
    assert_non_null(get(cache, a, 0, 1));
    assert_null(get(cache, b, 0, 1));
    put(cache, b, 0, 1);
    assert_non_null(get(cache, a, 0, 1));
    assert_non_null(get(cache, b, 0, 1));
}

static void test_putting_again_replaces(void **state)
{
    clerk_token_cache *cache = new_cache(64);

    (void)state;
    put(cache, "t", 0, 1);
    put(cache, "t", 0, 2);
    assert_null(get(cache, "t", 0, 1));
    assert_non_null(get(cache, "t", 0, 2));
    assert_int_equal(clerk_token_cache_count(cache), 1);
    assert_int_equal(atomic_load(&alive), 1);
}

static void test_is_bounded(void **state)
{
    clerk_token_cache *cache = new_cache(64);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        put(cache, apr_psprintf(pool, "token-%d", i), 0, 1);
    }
    assert_true(clerk_token_cache_count(cache) <= 64);
    assert_int_equal(atomic_load(&alive), (int)clerk_token_cache_count(cache));
    /* The newest one is always there. */
    assert_non_null(get(cache, "token-4999", 0, 1));
}

static void test_what_lapses_first_makes_room(void **state)
{
    clerk_token_cache *cache = new_cache(8);

    (void)state;
    for (int i = 0; i < 8; i++) {
        const char *token = apr_psprintf(pool, "token-%d", i);

        clerk_token_cache_put(cache, slice(token), 0, 1, LATER + (i == 3 ? -1000000 : i), make_value(token),
                              destroy_value);
    }
    put(cache, "one more", 0, 1);
    assert_null(get(cache, "token-3", 0, 1));
    assert_non_null(get(cache, "token-2", 0, 1));
    assert_non_null(get(cache, "one more", 0, 1));
}

static void test_a_value_in_use_outlives_its_entry(void **state)
{
    clerk_token_cache *cache = new_cache(8);
    apr_pool_t *request;
    const value *held;

    (void)state;
    apr_pool_create(&request, NULL);
    put(cache, "held", 0, 1);
    held = clerk_token_cache_get(cache, slice("held"), 0, 1, request);
    assert_non_null(held);
    for (int i = 0; i < 100; i++) {
        put(cache, apr_psprintf(pool, "token-%d", i), 0, 1);
    }
    assert_null(get(cache, "held", 0, 1));
    assert_string_equal(held->text, "held");
    assert_int_equal(atomic_load(&alive), 8 + 1);
    apr_pool_destroy(request);
    assert_int_equal(atomic_load(&alive), 8);
}

static void test_nothing_is_left_behind(void **state)
{
    apr_pool_t *process;
    clerk_token_cache *cache;

    (void)state;
    apr_pool_create(&process, NULL);
    assert_int_equal(clerk_token_cache_create(&cache, 64, process), APR_SUCCESS);
    for (int i = 0; i < 1000; i++) {
        put(cache, apr_psprintf(pool, "token-%d", i), 0, 1);
    }
    apr_pool_destroy(process);
    assert_int_equal(atomic_load(&alive), 0);
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

#define THREADS 6
#define ROUNDS 4000

static clerk_token_cache *common;
static atomic_int wrong;
static atomic_int hits;

static void *APR_THREAD_FUNC churn(apr_thread_t *thread, void *data)
{
    unsigned int seed = (unsigned int)(uintptr_t)data;
    apr_pool_t *request;

    (void)thread;
    apr_pool_create(&request, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        char token[40];
        const value *found;

        seed = seed * 1103515245 + 12345;
        apr_snprintf(token, sizeof(token), "token-%u", seed >> 16 & 31);
        found = clerk_token_cache_get(common, slice(token), 0, 1, request);
        if (found) {
            atomic_fetch_add(&hits, 1);
            atomic_fetch_add(&wrong, strcmp(found->text, token) != 0);
        }
        else {
            put(common, token, 0, 1);
        }
        if (i % 3 == 0) {
            apr_pool_clear(request);
        }
    }
    apr_pool_destroy(request);
    return NULL;
}

static void test_threads_read_and_replace(void **state)
{
    apr_thread_t *threads[THREADS];
    apr_status_t rv;

    (void)state;
    common = new_cache(8);           /* 32 tokens in 8 places: entries are replaced all the time */
    atomic_store(&wrong, 0);
    atomic_store(&hits, 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, churn, (void *)(uintptr_t)(i + 1), pool), APR_SUCCESS);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&hits) > 0);
    put(common, "the last one reclaims", 0, 1);
    assert_int_equal(atomic_load(&alive), (int)clerk_token_cache_count(common));
}

/* ---- the shared table ------------------------------------------------------------------------------------------- */

static clerk_verified_table *new_table(apr_size_t entries)
{
    clerk_verified_table *table;
    apr_size_t size = clerk_verified_table_size(entries);

    assert_int_equal(clerk_verified_table_create(&table, apr_pcalloc(pool, size), size, pool), APR_SUCCESS);
    return table;
}

static clerk_verified_digest digest_of(const clerk_verified_table *table, const char *token, unsigned int instance)
{
    clerk_verified_digest digest;

    assert_true(clerk_verified_table_digest(&digest, table, slice(token), instance));
    return digest;
}

static void test_table_knows_what_was_added(void **state)
{
    clerk_verified_table *table = new_table(1024);
    clerk_verified_digest token = digest_of(table, "a.b.c", 1), other = digest_of(table, "a.b.d", 1),
                          instance = digest_of(table, "a.b.c", 2);

    (void)state;
    assert_false(clerk_verified_table_has(table, &token, 5));
    clerk_verified_table_add(table, &token, 5, 2000000000);
    assert_true(clerk_verified_table_has(table, &token, 5));
    assert_false(clerk_verified_table_has(table, &token, 6));
    assert_false(clerk_verified_table_has(table, &token, 0));
    assert_false(clerk_verified_table_has(table, &other, 5));
    assert_false(clerk_verified_table_has(table, &instance, 5));
}

static void test_table_takes_no_nonsense(void **state)
{
    clerk_verified_table *table = new_table(4);
    clerk_verified_digest token = digest_of(table, "a.b.c", 1);

    (void)state;
    clerk_verified_table_add(table, &token, 0, 2000000000);
    clerk_verified_table_add(table, &token, 5, 0);
    clerk_verified_table_add(table, &token, 5, -1);
    assert_false(clerk_verified_table_has(table, &token, 0));
    assert_false(clerk_verified_table_has(table, &token, 5));
    clerk_verified_table_add(table, &token, 5, APR_INT64_MAX);
    assert_true(clerk_verified_table_has(table, &token, 5));
}

static void test_table_digests_depend_on_its_key(void **state)
{
    clerk_verified_digest one = digest_of(new_table(8), "a.b.c", 1), two = digest_of(new_table(8), "a.b.c", 1);

    (void)state;
    assert_memory_not_equal(&one, &two, sizeof(one));
}

static void test_table_torn_entries_match_nothing(void **state)
{
    apr_size_t size = clerk_verified_table_size(4);
    unsigned char *memory = apr_pcalloc(pool, size), *kept = apr_palloc(pool, size);
    clerk_verified_table *table;
    clerk_verified_digest first, second;

    (void)state;
    assert_int_equal(clerk_verified_table_create(&table, memory, size, pool), APR_SUCCESS);
    first = digest_of(table, "first", 0);
    second = digest_of(table, "second", 0);
    clerk_verified_table_add(table, &first, 1, 2000000000);
    memcpy(kept, memory, size);
    memset(memory, 0, size);
    clerk_verified_table_add(table, &second, 1, 2000000001);
    /* Every mix of the two entries' words, as interrupted writers could leave it. */
    for (unsigned int mix = 1; mix < 15; mix++) {
        unsigned char whole[32];
        unsigned char *at = memory;

        memcpy(whole, memory, sizeof(whole));
        for (unsigned int word = 0; word < 4; word++) {
            if (mix & 1u << word) {
                memcpy(at + word * 8, kept + word * 8, 8);
            }
        }
        assert_false(clerk_verified_table_has(table, &first, 1));
        assert_false(clerk_verified_table_has(table, &second, 1));
        memcpy(memory, whole, sizeof(whole));
    }
    assert_true(clerk_verified_table_has(table, &second, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finds_the_same_token_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_tokens_that_differ_at_the_front, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_putting_again_replaces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_lapses_first_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_value_in_use_outlives_its_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_left_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads_read_and_replace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table_knows_what_was_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table_takes_no_nonsense, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table_digests_depend_on_its_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table_torn_entries_match_nothing, set_up, tear_down)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
