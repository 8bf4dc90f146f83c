/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

#include "text/secret_text.h"

static apr_pool_t *new_pool(void)
{
    apr_pool_t *pool;

    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    return pool;
}

static void copies_are_whole_and_apart(void **state)
{
    static const apr_size_t lengths[] = {0, 1, 50, 16383, 16384, 16385, 40, 65536, 3};
    const char *kept[sizeof(lengths) / sizeof(lengths[0])];
    apr_pool_t *pool = new_pool();

    (void)state;
    for (apr_size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char *text = malloc(lengths[i] + 1);

        memset(text, 'a' + (int)i, lengths[i]);
        text[lengths[i]] = '!';
        kept[i] = clerk_secret_text_keep(pool, text, lengths[i]);
        free(text);
    }
    for (apr_size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        assert_int_equal(strlen(kept[i]), lengths[i]);
        assert_true(!lengths[i] || (kept[i][0] == 'a' + (int)i && kept[i][lengths[i] - 1] == 'a' + (int)i));
    }
    apr_pool_destroy(pool);
}

static void many_keys_share_a_block(void **state)
{
    apr_pool_t *pool = new_pool();
    const char *first = clerk_secret_text_keep(pool, "sk_live_0", 9), *last = first;

    (void)state;
    for (int i = 0; i < 100; i++) {
        const char *next = clerk_secret_text_keep(pool, "sk_live_1", 9);

        assert_ptr_equal(next, last + 10);
        last = next;
    }
    assert_string_equal(first, "sk_live_0");
    apr_pool_destroy(pool);
}

static void pools_have_nothing_in_common(void **state)
{
    apr_pool_t *one = new_pool(), *other = new_pool();
    const char *kept = clerk_secret_text_keep(one, "one", 3);

    (void)state;
    assert_string_equal(clerk_secret_text_keep(other, "other", 5), "other");
    apr_pool_destroy(other);
    assert_string_equal(kept, "one");
    apr_pool_clear(one);
    assert_string_equal(clerk_secret_text_keep(one, "again", 5), "again");
    apr_pool_destroy(one);
}

int main(void)
{
    const struct CMUnitTest tests[]
        = {cmocka_unit_test(copies_are_whole_and_apart), cmocka_unit_test(many_keys_share_a_block),
           cmocka_unit_test(pools_have_nothing_in_common)};
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
