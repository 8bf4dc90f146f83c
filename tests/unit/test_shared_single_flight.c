/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single flight: one leader for a question, whatever processes and threads ask; a leader that is killed is replaced; no
 * question gets another one's answer, torn or whole; answers are overwritten when their time is over.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "shared/single_flight.h"

#define SECOND apr_time_from_sec(1)
#define LEASE (10 * SECOND)
#define REMEMBERED (10 * SECOND)
#define ENTRIES 16
#define PROCESSES 4
#define THREADS 8

/* Shared by all processes of a test. */
typedef struct counters {
    atomic_int leaders;
    atomic_int answered;
    atomic_int wrong;
    atomic_int ready;
    atomic_int ended;
} counters;

static apr_pool_t *pool;
static clerk_single_flight *table;
static counters *shared;
static char *memory;

static int set_up(void **state)
{
    (void)state;
    memory = mmap(NULL, clerk_single_flight_size(ENTRIES), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || shared == MAP_FAILED || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    table = clerk_single_flight_create(memory, ENTRIES, pool);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return munmap(memory, clerk_single_flight_size(ENTRIES)) || munmap(shared, sizeof(*shared));
}

static clerk_single_flight_ticket question(int number)
{
    clerk_single_flight_ticket ticket = {.entry = 0};

    memset(ticket.key, 'k', sizeof(ticket.key));
    memcpy(ticket.key, &number, sizeof(number));
    return ticket;
}

static clerk_single_flight_state ask(clerk_single_flight_ticket *ticket, apr_time_t now)
{
    return clerk_single_flight_ask(ticket, table, now, LEASE, pool);
}

static int publish(clerk_single_flight_ticket *ticket, const char *answer, apr_time_t now)
{
    return clerk_single_flight_publish(ticket, table, answer, strlen(answer), now, now + REMEMBERED);
}

static void assert_answer(const clerk_single_flight_ticket *ticket, const char *expected)
{
    assert_int_equal(ticket->len, strlen(expected));
    assert_memory_equal(ticket->answer, expected, ticket->len);
}

/* Whether a text is anywhere in the table's memory. */
static int memory_has(const char *text)
{
    return memmem(memory, clerk_single_flight_size(ENTRIES), text, strlen(text)) != NULL;
}

static void the_first_leads_and_the_others_use_what_it_found(void **state)
{
    clerk_single_flight_ticket one = question(1), other = question(1), third = question(1), foreign = question(2);
    apr_time_t now = apr_time_now();

    (void)state;
    assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_PENDING);
    assert_int_equal(ask(&other, now + 1000), CLERK_SINGLE_FLIGHT_PENDING);
    assert_int_equal(ask(&foreign, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_true(publish(&one, "the answer", now));
    assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_ANSWERED);
    assert_answer(&other, "the answer");
    assert_true(other.until == now + REMEMBERED);
    assert_int_equal(ask(&third, now + REMEMBERED - 1), CLERK_SINGLE_FLIGHT_ANSWERED);
    assert_answer(&third, "the answer");
    /* Remembered no longer. */
    third = question(1);
    assert_int_equal(ask(&third, now + REMEMBERED), CLERK_SINGLE_FLIGHT_LEADER);
    assert_true(publish(&foreign, "", now));
    other = question(2);
    assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_ANSWERED);
    assert_answer(&other, "");
}

static void a_leader_that_gives_up_is_replaced_at_once(void **state)
{
    clerk_single_flight_ticket one = question(1), other = question(1);
    apr_time_t now = apr_time_now();

    (void)state;
    assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_PENDING);
    clerk_single_flight_give_up(&one, table);
    assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_PENDING);
}

static void a_leader_that_is_late_has_nothing_to_say(void **state)
{
    clerk_single_flight_ticket one = question(1), other = question(1), third = question(1);
    apr_time_t now = apr_time_now();

    (void)state;
    assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_int_equal(ask(&other, now + LEASE), CLERK_SINGLE_FLIGHT_LEADER);
    assert_false(publish(&one, "too late", now + LEASE));
    assert_int_equal(ask(&third, now + LEASE), CLERK_SINGLE_FLIGHT_PENDING);
    assert_true(publish(&other, "in time", now + LEASE));
    assert_int_equal(ask(&third, now + LEASE), CLERK_SINGLE_FLIGHT_ANSWERED);
    assert_answer(&third, "in time");
}

static void answers_have_a_longest_length(void **state)
{
    clerk_single_flight_ticket one = question(1), other = question(1);
    apr_time_t now = apr_time_now();
    char *longest = apr_pcalloc(pool, CLERK_SINGLE_FLIGHT_ANSWER_MAX + 2);

    (void)state;
    memset(longest, 'x', CLERK_SINGLE_FLIGHT_ANSWER_MAX + 1);
    assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_false(publish(&one, longest, now));
    assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_LEADER);
    longest[CLERK_SINGLE_FLIGHT_ANSWER_MAX] = '\0';
    assert_true(publish(&one, longest, now));
    assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_ANSWERED);
    assert_answer(&other, longest);
}

static void a_full_table_forgets_the_oldest_answer_and_no_leader(void **state)
{
    clerk_single_flight_ticket tickets[ENTRIES], more = question(100);
    apr_time_t now = apr_time_now();

    (void)state;
    for (int i = 0; i < ENTRIES; i++) {
        tickets[i] = question(i);
        assert_int_equal(ask(&tickets[i], now), CLERK_SINGLE_FLIGHT_LEADER);
    }
    assert_int_equal(ask(&more, now), CLERK_SINGLE_FLIGHT_FULL);
    assert_true(publish(&tickets[5], "old", now));
    assert_true(publish(&tickets[3], "new", now + SECOND));
    assert_int_equal(ask(&more, now + SECOND), CLERK_SINGLE_FLIGHT_LEADER);
    more = question(3);
    assert_int_equal(ask(&more, now + SECOND), CLERK_SINGLE_FLIGHT_ANSWERED);
    assert_answer(&more, "new");
    assert_false(memory_has("old"));
    more = question(7);
    assert_int_equal(ask(&more, now + SECOND), CLERK_SINGLE_FLIGHT_PENDING);
}

static void answers_are_overwritten_when_their_time_is_over(void **state)
{
    clerk_single_flight_ticket one = question(1), other = question(2);
    apr_time_t now = apr_time_now();

    (void)state;
    assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_true(publish(&one, "a secret of sess_1", now));
    assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_true(publish(&other, "a secret of sess_2", now + SECOND));
    assert_int_equal(clerk_single_flight_wipe(table, now + REMEMBERED - 1), 0);
    assert_true(memory_has("sess_1"));
    assert_int_equal(clerk_single_flight_wipe(table, now + REMEMBERED), 1);
    assert_false(memory_has("sess_1"));
    assert_true(memory_has("sess_2"));
    /* A shorter answer leaves nothing of a longer one behind. */
    one = question(2);
    assert_int_equal(ask(&one, now + 2 * REMEMBERED), CLERK_SINGLE_FLIGHT_LEADER);
    assert_true(publish(&one, "short", now + 2 * REMEMBERED));
    assert_false(memory_has("sess_2"));
    assert_int_equal(clerk_single_flight_wipe(table, now + 10 * REMEMBERED), 1);
    assert_int_equal(clerk_single_flight_wipe(table, now + 10 * REMEMBERED), 0);
    assert_false(memory_has("short"));
}

static void a_clock_that_is_set_back_remembers_nothing(void **state)
{
    clerk_single_flight_ticket one = question(1);
    apr_time_t now = apr_time_now();

    (void)state;
    assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_true(publish(&one, "from the future", now));
    assert_int_equal(ask(&one, now - apr_time_from_sec(7200)), CLERK_SINGLE_FLIGHT_LEADER);
}

/* Any bit of an answer that changed, and an answer under another key. */
static void what_is_damaged_is_not_used(void **state)
{
    const char answer[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    clerk_single_flight_ticket one, other;
    apr_time_t now = apr_time_now();
    char *found;

    (void)state;
    for (size_t i = 0; i < sizeof(answer) - 1; i++) {
        one = question((int)i);
        assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_LEADER);
        assert_true(publish(&one, answer, now));
        found = memmem(memory, clerk_single_flight_size(ENTRIES), answer, sizeof(answer) - 1);
        assert_non_null(found);
        found[i] ^= 1;
        other = question((int)i);
        assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_PENDING);
        assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_LEADER);
        assert_true(publish(&other, "another", now));
        assert_int_equal(clerk_single_flight_wipe(table, now + 2 * REMEMBERED), 1);
    }
    one = question(1000);
    assert_int_equal(ask(&one, now), CLERK_SINGLE_FLIGHT_LEADER);
    assert_true(publish(&one, "of question 1000", now));
    found = memmem(memory, clerk_single_flight_size(ENTRIES), one.key, sizeof(one.key));
    assert_non_null(found);
    other = question(1001);
    memcpy(found, other.key, sizeof(other.key));
    assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_PENDING);
    assert_int_equal(ask(&other, now), CLERK_SINGLE_FLIGHT_LEADER);
}

static void arbitrary_bytes_are_read_safely(void **state)
{
    apr_size_t size = clerk_single_flight_size(ENTRIES);
    unsigned int seed = 7;

    (void)state;
    for (int round = 0; round < 200; round++) {
        clerk_single_flight_ticket ticket = question(round);

        for (apr_size_t i = 64; i < 64 * (ENTRIES + 1); i++) {
            memory[i] = (char)rand_r(&seed);
        }
        memcpy(memory + 64 * (1 + round % ENTRIES), ticket.key, sizeof(ticket.key));
        (void)ask(&ticket, apr_time_now());
        (void)clerk_single_flight_wipe(table, apr_time_now());
        memset(memory, 0, size);
    }
}

/* Processes */

static pid_t start(void (*run)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)alarm(120); /* not left behind if the test ends early */
        run();
        _exit(0);
    }
    assert_true(pid > 0);
    return pid;
}

static void end(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void wait_for(const atomic_int *counter, int value)
{
    while (atomic_load(counter) < value) {
        apr_sleep(200);
    }
}

/* Ask until there is an answer; the leader takes 30 ms. What is expected is the key's number, many times. */
static void ask_in_earnest(int number, apr_pool_t *from)
{
    clerk_single_flight_ticket ticket = question(number);
    const char *expected = apr_psprintf(from, "%01000d", number);

    for (;;) {
        switch (clerk_single_flight_ask(&ticket, table, apr_time_now(), LEASE, from)) {
        case CLERK_SINGLE_FLIGHT_LEADER:
            atomic_fetch_add(&shared->leaders, 1);
            apr_sleep(apr_time_from_msec(30));
            atomic_fetch_add(&shared->wrong, !clerk_single_flight_publish(&ticket, table, expected, strlen(expected),
                                                                          apr_time_now(), apr_time_now() + REMEMBERED));
            break;
        case CLERK_SINGLE_FLIGHT_ANSWERED:
            atomic_fetch_add(&shared->answered, 1);
            atomic_fetch_add(&shared->wrong,
                             ticket.len != strlen(expected) || memcmp(ticket.answer, expected, ticket.len));
            return;
        case CLERK_SINGLE_FLIGHT_FULL:
            atomic_fetch_add(&shared->wrong, 1);
            return;
        default:
            apr_sleep(500);
        }
    }
}

static void *APR_THREAD_FUNC ask_three_questions(apr_thread_t *thread, void *baton)
{
    apr_pool_t *own;

    (void)thread;
    (void)baton;
    apr_pool_create_unmanaged_ex(&own, NULL, NULL);
    for (int number = 1; number <= 3; number++) {
        ask_in_earnest(number, own);
    }
    apr_pool_destroy(own);
    return NULL;
}

static void run_threads(apr_thread_start_t run)
{
    apr_thread_t *threads[THREADS];
    apr_status_t rv;
    apr_pool_t *own;

    apr_pool_create(&own, NULL);
    atomic_fetch_add(&shared->ready, 1);
    wait_for(&shared->ready, PROCESSES);
    for (int i = 0; i < THREADS; i++) {
        if (apr_thread_create(&threads[i], NULL, run, NULL, own) != APR_SUCCESS) {
            _exit(1);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
}

static void ask_in_threads(void)
{
    run_threads(ask_three_questions);
}

static void one_leader_for_all_processes_and_threads(void **state)
{
    pid_t pids[PROCESSES];

    (void)state;
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = start(ask_in_threads);
    }
    for (int i = 0; i < PROCESSES; i++) {
        end(pids[i]);
    }
    assert_int_equal(atomic_load(&shared->leaders), 3);
    assert_int_equal(atomic_load(&shared->answered), 3 * PROCESSES * THREADS);
    assert_int_equal(atomic_load(&shared->wrong), 0);
}

/* More questions than entries, answers of many lengths, short memories: entries change hands all the time. */
static void *APR_THREAD_FUNC ask_in_a_hurry(apr_thread_t *thread, void *baton)
{
    unsigned int seed = (unsigned int)getpid() + (unsigned int)(uintptr_t)&seed;
    apr_pool_t *own;

    (void)thread;
    (void)baton;
    apr_pool_create_unmanaged_ex(&own, NULL, NULL);
    for (int i = 0; i < 1500; i++) {
        int number = rand_r(&seed) % (2 * ENTRIES);
        clerk_single_flight_ticket ticket = question(number);
        const char *expected = apr_psprintf(own, "%0*d", 10 + 100 * number, number);
        clerk_single_flight_state found = clerk_single_flight_ask(&ticket, table, apr_time_now(), LEASE, own);

        if (found == CLERK_SINGLE_FLIGHT_LEADER) {
            (void)clerk_single_flight_publish(&ticket, table, expected, strlen(expected), apr_time_now(),
                                              apr_time_now() + 300);
        } else if (found == CLERK_SINGLE_FLIGHT_ANSWERED) {
            atomic_fetch_add(&shared->answered, 1);
            atomic_fetch_add(&shared->wrong,
                             ticket.len != strlen(expected) || memcmp(ticket.answer, expected, ticket.len));
        }
        apr_pool_clear(own);
    }
    apr_pool_destroy(own);
    return NULL;
}

static void hurry_in_threads(void)
{
    run_threads(ask_in_a_hurry);
}

static void no_answer_is_torn_or_another_ones(void **state)
{
    pid_t pids[PROCESSES];

    (void)state;
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = start(hurry_in_threads);
    }
    for (int i = 0; i < PROCESSES; i++) {
        end(pids[i]);
    }
    assert_true(atomic_load(&shared->answered) > 100);
    assert_int_equal(atomic_load(&shared->wrong), 0);
}

static void lead_for_ever(void)
{
    clerk_single_flight_ticket ticket = question(1);

    if (clerk_single_flight_ask(&ticket, table, apr_time_now(), LEASE, pool) != CLERK_SINGLE_FLIGHT_LEADER) {
        _exit(1);
    }
    atomic_fetch_add(&shared->ready, 1);
    for (;;) {
        pause();
    }
}

static void a_killed_leader_is_replaced_at_once(void **state)
{
    clerk_single_flight_ticket ticket = question(1);
    pid_t pid = start(lead_for_ever);

    (void)state;
    wait_for(&shared->ready, 1);
    assert_int_equal(ask(&ticket, apr_time_now()), CLERK_SINGLE_FLIGHT_PENDING);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(ask(&ticket, apr_time_now()), CLERK_SINGLE_FLIGHT_LEADER);
}

static void a_stopped_leader_is_replaced_when_its_lease_expires(void **state)
{
    clerk_single_flight_ticket ticket = question(1);
    pid_t pid = start(lead_for_ever);

    (void)state;
    wait_for(&shared->ready, 1);
    kill(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
    assert_int_equal(ask(&ticket, apr_time_now()), CLERK_SINGLE_FLIGHT_PENDING);
    assert_int_equal(ask(&ticket, apr_time_now() + LEASE), CLERK_SINGLE_FLIGHT_LEADER);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Publishes over and over, so that a kill hits it anywhere. */
static void publish_for_ever(void)
{
    apr_pool_t *own;

    apr_pool_create(&own, NULL);
    atomic_fetch_add(&shared->ready, 1);
    for (int i = 0;; i++) {
        int number = i % (2 * ENTRIES);
        clerk_single_flight_ticket ticket = question(number);
        const char *answer = apr_psprintf(own, "%0*d", 10 + 100 * number, number);

        if (clerk_single_flight_ask(&ticket, table, apr_time_now(), LEASE, own) == CLERK_SINGLE_FLIGHT_LEADER) {
            (void)clerk_single_flight_publish(&ticket, table, answer, strlen(answer), apr_time_now(),
                                              apr_time_now() + 100);
        }
        apr_pool_clear(own);
    }
}

static void kills_at_any_moment_leave_a_table_that_works(void **state)
{
    unsigned int seed = 11;

    (void)state;
    for (int round = 0; round < 40; round++) {
        pid_t pid;

        atomic_store(&shared->ready, 0);
        pid = start(publish_for_ever);
        wait_for(&shared->ready, 1);
        apr_sleep(rand_r(&seed) % 3000);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        for (int number = 0; number < 2 * ENTRIES; number++) {
            ask_in_earnest(1000 + round, pool);
        }
        assert_int_equal(atomic_load(&shared->wrong), 0);
    }
    assert_int_equal(atomic_load(&shared->leaders), 40);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(the_first_leads_and_the_others_use_what_it_found),
        test(a_leader_that_gives_up_is_replaced_at_once),
        test(a_leader_that_is_late_has_nothing_to_say),
        test(answers_have_a_longest_length),
        test(a_full_table_forgets_the_oldest_answer_and_no_leader),
        test(answers_are_overwritten_when_their_time_is_over),
        test(a_clock_that_is_set_back_remembers_nothing),
        test(what_is_damaged_is_not_used),
        test(arbitrary_bytes_are_read_safely),
        test(one_leader_for_all_processes_and_threads),
        test(no_answer_is_torn_or_another_ones),
        test(a_killed_leader_is_replaced_at_once),
        test(a_stopped_leader_is_replaced_when_its_lease_expires),
        test(kills_at_any_moment_leave_a_table_that_works),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests_name("shared/single_flight", tests, NULL, NULL);
    apr_terminate();
    return failed;
}
