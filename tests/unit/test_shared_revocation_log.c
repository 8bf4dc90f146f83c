/* SPDX-License-Identifier: Apache-2.0 */
/* The latest revocations of a machine: complete, or with a floor for what was pushed out. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/revocation_log.h"

#define NOW 1800000000u
#define SINCE (NOW - 600)
#define ALL CLERK_REVOCATION_LOG_ENTRIES

static clerk_revocation_log revocations;
static clerk_revocation list[ALL];
static clerk_revocation_log_range range;

static int set_up(void **state)
{
    (void)state;
    memset((void *)&revocations, 0, sizeof(revocations));
    return 0;
}

static int list_them(void)
{
    return clerk_revocation_log_list(&revocations, list, SINCE, &range);
}

static void append(apr_uint32_t tag, apr_uint32_t at)
{
    const clerk_revocation one = {CLERK_REVOCATIONS_OF_ORGANIZATIONS, tag + UINT64_C(7) * UINT32_MAX, tag, at};

    clerk_revocation_log_append(&revocations, &one, NOW, SINCE);
}

/* At that time, what happened then or long before. */
static void append_at(apr_uint32_t tag, apr_uint32_t at, apr_int64_t now)
{
    const clerk_revocation one = {CLERK_REVOCATIONS_OF_USERS, tag, tag, at};

    clerk_revocation_log_append(&revocations, &one, now, SINCE);
}

static void what_was_appended_is_listed(void **state)
{
    (void)state;
    assert_int_equal(list_them(), 0);
    assert_int_equal(range.appended, 0);
    for (apr_uint32_t i = 0; i < 5; i++) {
        append(i, NOW + i);
    }
    assert_int_equal(list_them(), 5);
    assert_int_equal(range.appended, 5);
    for (apr_uint32_t i = 0; i < 5; i++) {
        assert_int_equal(list[i].tag, i);
        assert_int_equal(list[i].at, NOW + i);
        assert_int_equal(list[i].place, i + UINT64_C(7) * UINT32_MAX);
        assert_int_equal(list[i].family, CLERK_REVOCATIONS_OF_ORGANIZATIONS);
    }
}

static void what_is_too_old_is_not(void **state)
{
    (void)state;
    append_at(1, SINCE - 1, SINCE - 1);
    append_at(2, SINCE, SINCE);
    /* A message that Clerk has repeated for an hour: the others have to be told of it as of any other. */
    append_at(3, SINCE - 3600, NOW);
    assert_int_equal(list_them(), 2);
    assert_int_equal(list[0].tag, 2);
    assert_int_equal(list[1].tag, 3);
    assert_int_equal(list[1].at, SINCE - 3600);
    assert_int_equal(range.appended, 3);
}

static void what_is_pushed_out_leaves_a_floor(void **state)
{
    (void)state;
    append_at(0, SINCE - 5, SINCE - 5);
    append(1, NOW + 7);
    for (apr_uint32_t i = 2; i < ALL; i++) {
        append(i, NOW);
    }
    assert_int_equal(revocations.floor, 0);
    append(ALL, NOW);
    /* Nobody misses it any more. */
    assert_int_equal(revocations.floor, 0);
    append(ALL + 1, NOW);
    assert_int_equal(revocations.floor, NOW + 7);
    append(ALL + 2, NOW);
    assert_int_equal(revocations.floor, NOW + 7);
    assert_int_equal(list_them(), ALL);
    assert_int_equal(list[0].tag, 3);
    assert_int_equal(range.appended, ALL + 3);
    assert_int_equal(range.first, 3);
    assert_int_equal(range.floor, NOW + 7);
}

static void a_list_says_that_an_entry_is_not_finished(void **state)
{
    (void)state;
    append(1, NOW);
    append(2, NOW);
    append(3, NOW);
    revocations.entries[1].number = 0;
    assert_int_equal(list_them(), 2);
    assert_int_equal(range.appended, 1);
}

#define THREADS 4
#define EACH 200

static void *append_many(void *data)
{
    for (unsigned int i = 0; i < EACH; i++) {
        append((apr_uint32_t)((uintptr_t)data * EACH + i), NOW);
    }
    return NULL;
}

static void threads_do_not_lose_any(void **state)
{
    pthread_t threads[THREADS];
    char seen[THREADS * EACH] = {0};
    (void)state;
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, (void *)i), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(list_them(), THREADS * EACH);
    assert_int_equal(range.appended, THREADS * EACH);
    for (int i = 0; i < THREADS * EACH; i++) {
        assert_false(seen[list[i].tag]);
        seen[list[i].tag] = 1;
    }
}

/* Another process is just overwriting an entry: the list begins behind it, and its floor counts for it. */
static void what_gives_way_meanwhile_is_left_out(void **state)
{
    (void)state;
    for (apr_uint32_t i = 0; i < ALL; i++) {
        append(i, NOW);
    }
    revocations.entries[0].number = 0;
    revocations.appended = ALL + 1;
    assert_int_equal(list_them(), ALL - 1);
    assert_int_equal(range.first, 1);
    assert_int_equal(range.appended, ALL);
}

/* Each line: a list of a log was read; what it was to who had read the lists of the lines before. */
static const struct reading {
    apr_uint64_t id;
    apr_uint64_t first;
    apr_uint64_t appended;
    clerk_revocation_log_reading expected;
} READINGS[] = {
    {7, 0, 0, CLERK_REVOCATION_LOG_FOLLOWS},      /* a server that has revoked nothing */
    {7, 0, 5, CLERK_REVOCATION_LOG_FOLLOWS},      /* complete from the beginning */
    {7, 0, 5, CLERK_REVOCATION_LOG_FOLLOWS},      /* the same once more */
    {7, 5, 905, CLERK_REVOCATION_LOG_FOLLOWS},    /* begins where the last one ended */
    {7, 200, 1100, CLERK_REVOCATION_LOG_FOLLOWS}, /* begins before */
    {7, 1101, 2001, CLERK_REVOCATION_LOG_GAP},    /* one is missing */
    {7, 1101, 2001, CLERK_REVOCATION_LOG_FOLLOWS},
    {7, 1100, 2000, CLERK_REVOCATION_LOG_OLDER}, /* somebody has put back what was there before */
    {7, 0, 0, CLERK_REVOCATION_LOG_OLDER},
    {7, 1101, 2001, CLERK_REVOCATION_LOG_FOLLOWS},
    {8, 0, 3, CLERK_REVOCATION_LOG_FOLLOWS},   /* another server, or this one after a stop; complete */
    {7, 1101, 2001, CLERK_REVOCATION_LOG_GAP}, /* what was read of it is forgotten */
    {9, 1, 901, CLERK_REVOCATION_LOG_GAP},     /* another one, which has pushed something out */
    {9, 902, 902, CLERK_REVOCATION_LOG_GAP},
    {9, UINT64_MAX, UINT64_MAX, CLERK_REVOCATION_LOG_GAP},
};

static void a_floor_counts_for_who_missed_something(void **state)
{
    clerk_revocation_log_mark mark = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(READINGS) / sizeof(*READINGS); i++) {
        const struct reading *line = &READINGS[i];
        const clerk_revocation_log_range read = {line->first, line->appended, 0};

        if (clerk_revocation_log_mark_read(&mark, line->id, &read) != line->expected) {
            fail_msg("line %zu", i);
        }
    }
}

/* Append until killed, and say how many are complete. */
static void append_for_ever(clerk_revocation_log *log, _Atomic apr_uint64_t *done)
{
    for (apr_uint32_t i = 0;; i++) {
        const clerk_revocation one = {CLERK_REVOCATIONS_OF_USERS, i, i, NOW};

        clerk_revocation_log_append(log, &one, NOW, SINCE);
        atomic_store(done, i + 1);
    }
}

static void a_killed_process_leaves_a_log_that_works(void **state)
{
    struct {
        clerk_revocation_log log;
        _Atomic apr_uint64_t done;
    } *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(shared != MAP_FAILED);
    for (int round = 0; round < 50; round++) {
        int status, count;
        apr_uint64_t done;
        pid_t pid;

        memset((void *)shared, 0, sizeof(*shared));
        pid = fork();
        if (pid == 0) {
            (void)alarm(60);
            append_for_ever(&shared->log, &shared->done);
        }
        /* At different moments of an append. */
        while (atomic_load(&shared->done) < (apr_uint64_t)round * 37 + 1) {
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        done = shared->done;
        count = clerk_revocation_log_list(&shared->log, list, SINCE, &range);
        /* What was acknowledged is complete, and in the list or below the floor; what was not may be missing. */
        assert_in_range(range.appended, done, done + 1);
        assert_in_range(range.appended - range.first, count, ALL);
        assert_int_equal(range.floor, range.first ? NOW : 0);
        /* The log of others goes on, and is complete again when what was not finished has been pushed out. */
        for (apr_uint32_t i = 0; i < ALL + 1; i++) {
            const clerk_revocation one = {CLERK_REVOCATIONS_OF_USERS, i, i, NOW};

            clerk_revocation_log_append(&shared->log, &one, NOW, SINCE);
        }
        assert_int_equal(clerk_revocation_log_list(&shared->log, list, SINCE, &range), ALL);
        assert_int_equal(range.appended, shared->log.appended);
        assert_int_equal(range.first, shared->log.appended - ALL);
    }
    assert_int_equal(munmap((void *)shared, sizeof(*shared)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_appended_is_listed, set_up),
        cmocka_unit_test_setup(what_is_too_old_is_not, set_up),
        cmocka_unit_test_setup(what_is_pushed_out_leaves_a_floor, set_up),
        cmocka_unit_test_setup(a_list_says_that_an_entry_is_not_finished, set_up),
        cmocka_unit_test_setup(threads_do_not_lose_any, set_up),
        cmocka_unit_test_setup(what_gives_way_meanwhile_is_left_out, set_up),
        cmocka_unit_test(a_floor_counts_for_who_missed_something),
        cmocka_unit_test(a_killed_process_leaves_a_log_that_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
