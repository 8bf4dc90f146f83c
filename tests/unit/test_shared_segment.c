/* SPDX-License-Identifier: Apache-2.0 */
/* The shared segment: documents and texts. */
#include "shared_fixture.h"

#include <apr_thread_proc.h>

static segment_slot *fresh_slot(apr_pool_t *pool)
{
    apr_size_t size = clerk_keystore_segment_size(1);
    void *memory = apr_pcalloc(pool, size);

    assert_int_equal(clerk_keystore_segment_init(memory, size, 1), APR_SUCCESS);
    assert_int_equal(clerk_keystore_segment_check(memory, size, 1), APR_SUCCESS);
    assert_int_equal(clerk_keystore_segment_check(memory, size, 2), APR_EMISMATCH);
    return clerk_keystore_segment_slot(memory, 0);
}

static void documents(void **state)
{
    apr_pool_t *pool = *state;
    segment_slot *slot = fresh_slot(pool);
    char *big = apr_pcalloc(pool, SEGMENT_DOCUMENT_MAX + 2), *text;
    static const apr_size_t lengths[] = {0, 1, 7, 8, 9, 1000, SEGMENT_DOCUMENT_MAX - 1, SEGMENT_DOCUMENT_MAX};
    apr_uint32_t generation;
    apr_size_t len;

    memset(big, 'x', SEGMENT_DOCUMENT_MAX + 1);
    assert_int_equal(clerk_keystore_segment_copy(slot, &text, &len, &generation, pool), APR_NOTFOUND);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        assert_int_equal(clerk_keystore_segment_publish(slot, big, lengths[i]), APR_SUCCESS);
        assert_int_equal(clerk_keystore_segment_copy(slot, &text, &len, &generation, pool), APR_SUCCESS);
        assert_int_equal(generation, i + 1);
        assert_int_equal(len, lengths[i]);
        assert_int_equal(strlen(text), len);
        assert_memory_equal(text, big, len);
    }
    assert_int_equal(clerk_keystore_segment_publish(slot, big, SEGMENT_DOCUMENT_MAX + 1), APR_ENOSPC);
    assert_int_equal(clerk_keystore_segment_copy(slot, &text, &len, &generation, pool), APR_SUCCESS);
    assert_int_equal(generation, COUNT(lengths));
    /* 0 means "none", so the number after the last one is not 0. */
    atomic_store(&slot->generation, 0xffffffffU);
    assert_int_equal(clerk_keystore_segment_publish(slot, "again", 5), APR_SUCCESS);
    assert_int_equal(clerk_keystore_segment_copy(slot, &text, &len, &generation, pool), APR_SUCCESS);
    assert_int_equal(generation, 2);
    assert_string_equal(text, "again");
}

/* The place in memory of the byte that has this bit of a word. */
static size_t byte_of(apr_uint64_t bit)
{
    unsigned char bytes[sizeof(bit)];
    size_t at = 0;

    memcpy(bytes, &bit, sizeof(bit));
    while (!bytes[at]) {
        at++;
    }
    return at;
}

static void damage_is_found(void **state)
{
    apr_pool_t *pool = *state;
    segment_slot *slot = fresh_slot(pool);
    segment_document *document = &slot->documents[1];
    segment_u64 *const places[]
        = {&document->len, &document->digest[0], &document->digest[3], &document->words[0], &document->words[1]};
    apr_uint32_t generation;
    apr_size_t len;
    char *text;

    assert_int_equal(clerk_keystore_segment_publish(slot, "0123456789", 10), APR_SUCCESS);
    for (size_t i = 0; i < COUNT(places); i++) {
        for (int bit = 0; bit < 64; bit += i == 4 ? 1 : 7) {
            apr_uint64_t damage = (apr_uint64_t)1 << bit;
            /* The text ends within the last word. */
            apr_status_t expected = i == 4 && byte_of(damage) >= 2 ? APR_SUCCESS : APR_EMISMATCH;

            atomic_fetch_xor(places[i], damage);
            if (clerk_keystore_segment_copy(slot, &text, &len, &generation, pool) != expected) {
                fail_msg("place %d bit %d", (int)i, bit);
            }
            assert_int_equal(generation, 1);
            atomic_fetch_xor(places[i], damage);
        }
    }
    assert_int_equal(clerk_keystore_segment_copy(slot, &text, &len, &generation, pool), APR_SUCCESS);
}

static void arbitrary_bytes_are_read_safely(void **state)
{
    apr_pool_t *pool = *state;
    segment_slot *slot = fresh_slot(pool);
    unsigned char *bytes = (unsigned char *)slot;
    char error[SEGMENT_ERROR_SIZE];
    apr_uint32_t generation;
    apr_size_t len;
    char *text;

    for (int round = 0; round < 20; round++) {
        apr_pool_t *scratch;

        apr_pool_create(&scratch, pool);
        for (apr_size_t i = 0; i < sizeof(*slot); i++) {
            bytes[i] = round == 0 ? 0xff : (unsigned char)rand();
        }
        atomic_store(&slot->generation, (apr_uint32_t)round + 1);
        assert_int_equal(clerk_keystore_segment_copy(slot, &text, &len, &generation, scratch), APR_EMISMATCH);
        clerk_keystore_segment_get_error(slot, error);
        assert_true(memchr(error, '\0', sizeof(error)) != NULL);
        apr_pool_destroy(scratch);
    }
}

static void error_texts(void **state)
{
    segment_slot *slot = fresh_slot(*state);
    char text[SEGMENT_ERROR_SIZE], longest[400];

    memset(longest, 'e', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    clerk_keystore_segment_set_error(slot, longest);
    clerk_keystore_segment_get_error(slot, text);
    assert_int_equal(strlen(text), SEGMENT_ERROR_SIZE - 1);
    clerk_keystore_segment_set_error(slot, "short");
    clerk_keystore_segment_get_error(slot, text);
    assert_string_equal(text, "short");
    clerk_keystore_segment_set_error(slot, "");
    clerk_keystore_segment_get_error(slot, text);
    assert_string_equal(text, "");
}

static void allowances(void **state)
{
    segment_slot *slot = fresh_slot(*state);
    apr_time_t now = apr_time_now();
    int taken = 0;

    for (int i = 0; i < 10; i++) {
        taken += clerk_keystore_segment_allowance_take(slot, SEGMENT_UNKNOWN_KID, now);
    }
    assert_int_equal(taken, 3);
    assert_false(clerk_keystore_segment_allowance_has(slot, SEGMENT_UNKNOWN_KID, now));
    assert_true(clerk_keystore_segment_allowance_has(slot, SEGMENT_BAD_SIGNATURE, now));
    assert_false(clerk_keystore_segment_allowance_take(slot, SEGMENT_UNKNOWN_KID, now + apr_time_from_sec(10) - 1));
    assert_true(clerk_keystore_segment_allowance_take(slot, SEGMENT_UNKNOWN_KID, now + apr_time_from_sec(10)));
    assert_false(clerk_keystore_segment_allowance_take(slot, SEGMENT_UNKNOWN_KID, now + apr_time_from_sec(10)));
    taken = 0;
    for (int i = 0; i < 10; i++) {
        taken += clerk_keystore_segment_allowance_take(slot, SEGMENT_UNKNOWN_KID, now + apr_time_from_sec(1000));
    }
    assert_int_equal(taken, 3);
    assert_true(clerk_keystore_segment_allowance_take(slot, SEGMENT_UNKNOWN_KID, now - apr_time_from_sec(1000)));
}

typedef struct pair {
    segment_slot *slot;
    apr_pool_t *pool;
    atomic_int end;
    atomic_int torn;
} pair;

/* A document is one letter, repeated. */
static void *APR_THREAD_FUNC copy_until_the_end(apr_thread_t *thread, void *baton)
{
    pair *p = baton;
    apr_pool_t *scratch;

    (void)thread;
    apr_pool_create_unmanaged_ex(&scratch, NULL, NULL);
    while (!atomic_load(&p->end)) {
        apr_uint32_t generation;
        apr_size_t len;
        char *text;
        apr_status_t rv = clerk_keystore_segment_copy(p->slot, &text, &len, &generation, scratch);

        if (rv == APR_SUCCESS ? text[0] != 'a' + (char)(generation % 26) || strspn(text, (char[]){text[0], 0}) != len
                              : rv != APR_EAGAIN) {
            atomic_fetch_add(&p->torn, 1);
        }
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    return NULL;
}

static void copies_are_never_torn(void **state)
{
    pair p = {.slot = fresh_slot(*state), .pool = *state};
    apr_thread_t *threads[3];
    char document[4096];
    apr_status_t rv;

    memset(document, 'b', sizeof(document));
    clerk_keystore_segment_publish(p.slot, document, sizeof(document));
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, copy_until_the_end, &p, *state), APR_SUCCESS);
    }
    for (apr_uint32_t generation = 2; generation < 20000; generation++) {
        memset(document, 'a' + (int)(generation % 26), sizeof(document));
        assert_int_equal(clerk_keystore_segment_publish(p.slot, document, sizeof(document) - generation % 100),
                         APR_SUCCESS);
    }
    atomic_store(&p.end, 1);
    for (size_t i = 0; i < COUNT(threads); i++) {
        apr_thread_join(&rv, threads[i]);
    }
    assert_int_equal(atomic_load(&p.torn), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(documents),   fixture_test(damage_is_found), fixture_test(arbitrary_bytes_are_read_safely),
        fixture_test(error_texts), fixture_test(allowances),      fixture_test(copies_are_never_torn),
    };

    return cmocka_run_group_tests_name("shared/keystore_segment", tests, jose_fixture_group_setup,
                                       jose_fixture_group_teardown);
}
