/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be done in the background: each item is taken once, and no process that dies keeps a place for good. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "shared/due_queue.h"

#define SLOTS 8
#define NOW apr_time_from_sec(1700000000)
#define THREADS 4
#define ITEMS 2000

static clerk_due_slot slots[SLOTS];
static const clerk_due_queue queue = {slots, SLOTS};

static int set_up(void **state)
{
    (void)state;
    memset(slots, 0, sizeof(slots));
    return 0;
}

static void what_is_added_is_taken_once(void **state)
{
    clerk_due_item item;

    (void)state;
    assert_false(clerk_due_queue_take(&item, queue, NOW));
    assert_true(clerk_due_queue_add(queue, 7, "user_alice", NOW));
    assert_true(clerk_due_queue_take(&item, queue, NOW));
    assert_int_equal(item.instance, 7);
    assert_string_equal(item.text, "user_alice");
    assert_false(clerk_due_queue_take(&item, queue, NOW));
}

static void it_takes_no_more_than_it_has_room_for(void **state)
{
    char text[CLERK_DUE_QUEUE_TEXT_MAX + 2];
    clerk_due_item item;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[CLERK_DUE_QUEUE_TEXT_MAX + 1] = '\0';
    assert_false(clerk_due_queue_add(queue, 0, text, NOW));
    text[CLERK_DUE_QUEUE_TEXT_MAX] = '\0';
    for (int i = 0; i < SLOTS; i++) {
        assert_true(clerk_due_queue_add(queue, (unsigned int)i, text, NOW));
    }
    assert_false(clerk_due_queue_add(queue, 0, "more", NOW));
    assert_true(clerk_due_queue_take(&item, queue, NOW));
    assert_string_equal(item.text, text);
    assert_true(clerk_due_queue_add(queue, 0, "more", NOW));
    assert_false(clerk_due_queue_add((clerk_due_queue){NULL, 0}, 0, "more", NOW));
}

/* The queue is always full: what is taken is followed by something new at once. */
static void none_waits_for_ever(void **state)
{
    int first_ones = 0;

    (void)state;
    for (int i = 0; i < SLOTS; i++) {
        assert_true(clerk_due_queue_add(queue, 1, "first", NOW));
    }
    for (int i = 0; i < SLOTS; i++) {
        clerk_due_item item;

        assert_true(clerk_due_queue_take(&item, queue, NOW));
        first_ones += item.instance == 1;
        assert_true(clerk_due_queue_add(queue, 2, "later", NOW));
    }
    assert_int_equal(first_ones, SLOTS);
}

/* As a process leaves it that is killed while it writes or reads. */
static void what_a_killed_process_had_becomes_free(void **state)
{
    clerk_due_item item;

    (void)state;
    for (int i = 0; i < SLOTS; i++) {
        atomic_store(&slots[i].state, NOW);
    }
    assert_false(clerk_due_queue_add(queue, 0, "early", NOW + apr_time_from_sec(9)));
    assert_false(clerk_due_queue_take(&item, queue, NOW + apr_time_from_sec(11)));
    assert_true(clerk_due_queue_add(queue, 0, "late", NOW + apr_time_from_sec(11)));
    for (int i = 0; i < SLOTS; i++) {
        atomic_store(&slots[i].state, NOW + apr_time_from_sec(3600));
    }
    assert_true(clerk_due_queue_add(queue, 0, "clock was set back", NOW));
}

static _Atomic int taken[THREADS * ITEMS];
static _Atomic int left = THREADS * ITEMS;

static void *add_items(void *data)
{
    const int *thread = data;
    char text[32];

    for (int i = 0; i < ITEMS; i++) {
        snprintf(text, sizeof(text), "user_%d", *thread * ITEMS + i);
        while (!clerk_due_queue_add(queue, (unsigned int)(*thread * ITEMS + i), text, NOW)) {
        }
    }
    return NULL;
}

static void *take_items(void *data)
{
    clerk_due_item item;
    char text[32];

    (void)data;
    while (atomic_load(&left) > 0) {
        if (clerk_due_queue_take(&item, queue, NOW)) {
            snprintf(text, sizeof(text), "user_%u", item.instance);
            if (item.instance < THREADS * ITEMS && !strcmp(text, item.text)) {
                atomic_fetch_add(&taken[item.instance], 1);
            }
            atomic_fetch_sub(&left, 1);
        }
    }
    return NULL;
}

static void many_threads_lose_nothing_and_mix_nothing(void **state)
{
    pthread_t threads[2 * THREADS];
    int numbers[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, add_items, &numbers[i]), 0);
        assert_int_equal(pthread_create(&threads[THREADS + i], NULL, take_items, NULL), 0);
    }
    for (int i = 0; i < 2 * THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 0; i < THREADS * ITEMS; i++) {
        assert_int_equal(atomic_load(&taken[i]), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_added_is_taken_once, set_up),
        cmocka_unit_test_setup(it_takes_no_more_than_it_has_room_for, set_up),
        cmocka_unit_test_setup(none_waits_for_ever, set_up),
        cmocka_unit_test_setup(what_a_killed_process_had_becomes_free, set_up),
        cmocka_unit_test_setup(many_threads_lose_nothing_and_mix_nothing, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
