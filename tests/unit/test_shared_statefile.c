/* SPDX-License-Identifier: Apache-2.0 */
/* The files that keep keys over a restart: how they are written, and which files are refused. */
#include "shared_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <apr_file_info.h>
#include <apr_file_io.h>

#include "shared/keystore/statefile.h"

#define DOCUMENT "{\"keys\":[{\"kid\":\"x\"}]}"
#define HEX_1 "0100000000000000000000000000000000000000000000000000000000000000"
#define HEX_2 "0200000000000000000000000000000000000000000000000000000000000000"

static const unsigned char id_1[32] = {1};
static const unsigned char id_2[32] = {2};

static char *make_dir(apr_pool_t *pool)
{
    char *dir = apr_pstrdup(pool, "/tmp/test_shared_statefile.XXXXXX");

    assert_non_null(mkdtemp(dir));
    return dir;
}

static int remove_dir(const char *dir, apr_pool_t *pool)
{
    apr_finfo_t info;
    apr_dir_t *handle;
    int files = 0;

    assert_int_equal(apr_dir_open(&handle, dir, pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, handle) == APR_SUCCESS) {
        if (strcmp(info.name, ".") && strcmp(info.name, "..")) {
            remove(apr_pstrcat(pool, dir, "/", info.name, NULL));
            files++;
        }
    }
    apr_dir_close(handle);
    assert_int_equal(rmdir(dir), 0);
    return files;
}

static void put_file(const char *path, const char *text, apr_size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static clerk_statefile_dir files_in(const char *dir, apr_uid_t owner)
{
    return (clerk_statefile_dir){dir, (const unsigned char *)STATE_KEY, owner};
}

static apr_status_t put_document(const char *dir, const unsigned char *id, const char *document, apr_time_t fetched_at,
                                 apr_pool_t *pool)
{
    clerk_statefile_dir files = files_in(dir, 0);

    return clerk_statefile_write(&files, id, document, strlen(document), fetched_at, pool);
}

static apr_status_t read_back(const char **problem, const char *dir, const unsigned char *id, apr_uid_t owner,
                              apr_pool_t *pool)
{
    const char *document;
    apr_size_t len;
    apr_time_t fetched_at;
    clerk_statefile_dir files = files_in(dir, owner);

    return clerk_statefile_read(&document, &len, &fetched_at, problem, &files, id, pool);
}

static void written_and_read(void **state)
{
    apr_pool_t *pool = *state;
    const char *dir = make_dir(pool), *document, *problem = "";
    clerk_statefile_dir files = files_in(dir, 0);
    char *path = apr_pstrcat(pool, dir, "/" HEX_1 ".json", NULL);
    apr_time_t fetched_at, now = apr_time_now();
    mode_t mask = umask(0);
    struct stat info;
    apr_size_t len;
    json_t *json;

    assert_true(APR_STATUS_IS_ENOENT(read_back(&problem, dir, id_1, 0, pool)));
    assert_null(problem);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put_document(dir, id_1, DOCUMENT, now - i, pool), APR_SUCCESS);
        assert_int_equal(clerk_statefile_read(&document, &len, &fetched_at, &problem, &files, id_1, pool), APR_SUCCESS);
        assert_null(problem);
        assert_int_equal(len, strlen(DOCUMENT));
        assert_string_equal(document, DOCUMENT);
        assert_true(fetched_at == now - i);
    }
    umask(mask);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "id")), HEX_1);
    json_decref(json);
    assert_int_equal(remove_dir(dir, pool), 1);
    assert_true(put_document(dir, id_1, DOCUMENT, now, pool) != APR_SUCCESS);
}

/* Ways to damage a file. Each function gets the path of a good one. */
static void spoil_symlink(const char *path)
{
    char target[300];

    snprintf(target, sizeof(target), "%s.real", path);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
}

static void spoil_dangling_symlink(const char *path)
{
    remove(path);
    assert_int_equal(symlink("/nonexistent/file", path), 0);
}

static void spoil_fifo(const char *path)
{
    remove(path);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void spoil_directory(const char *path)
{
    remove(path);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void spoil_world_writable(const char *path)
{
    assert_int_equal(chmod(path, 0602), 0);
}

static void spoil_group_writable(const char *path)
{
    assert_int_equal(chmod(path, 0660), 0);
}

static void spoil_size(const char *path)
{
    assert_int_equal(truncate(path, 256 * 1024 + 1), 0);
}

static void spoil_empty(const char *path)
{
    assert_int_equal(truncate(path, 0), 0);
}

static void spoil_owner(const char *path)
{
    assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
}

static void spoil_id(const char *path)
{
    char other[300];

    snprintf(other, sizeof(other), "%.*s/" HEX_2 ".json", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(rename(other, path), 0);
}

static void spoiled_files_are_refused(void **state)
{
    static const struct {
        void (*spoil)(const char *path);
        const char *problem;
        int needs_root;
    } cases[] = {
        {spoil_symlink, "it is a symbolic link", 0},
        {spoil_dangling_symlink, "it is a symbolic link", 0},
        {spoil_fifo, "it is not a regular file", 0},
        {spoil_directory, "it is not a regular file", 0},
        {spoil_world_writable, "others than its owner may write it", 0},
        {spoil_group_writable, "others than its owner may write it", 0},
        {spoil_size, "it is too large", 0},
        {spoil_empty, "it is not complete", 0},
        {spoil_id, "it was written for another source", 0},
        {spoil_owner, "it belongs to another user", 1},
    };
    apr_pool_t *pool = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *dir = make_dir(pool), *problem;
        char *path = apr_pstrcat(pool, dir, "/" HEX_1 ".json", NULL);

        if (!cases[i].needs_root || geteuid() == 0) {
            put_document(dir, id_1, DOCUMENT, apr_time_now(), pool);
            put_document(dir, id_2, DOCUMENT, apr_time_now(), pool);
            cases[i].spoil(path);
            assert_true(read_back(&problem, dir, id_1, geteuid(), pool) != APR_SUCCESS);
            assert_non_null(problem);
            assert_string_equal(problem, cases[i].problem);
            if (cases[i].spoil == spoil_owner) {
                assert_int_equal(read_back(&problem, dir, id_1, 12345, pool), APR_SUCCESS);
            }
            /* The next good keys replace a file of any kind, but not a directory. */
            assert_int_equal(put_document(dir, id_1, DOCUMENT, apr_time_now(), pool) == APR_SUCCESS,
                             cases[i].spoil != spoil_directory);
        }
        remove_dir(dir, pool);
    }
}

/* F5: a program that runs as the children's user can write the files, but does not know the key. */
static void forged_files_are_refused(void **state)
{
    static const unsigned char other_key[CLERK_STATEKEY_LEN] = {0};
    apr_pool_t *pool = *state;
    const char *dir = make_dir(pool), *problem;
    clerk_statefile_dir forged = {dir, other_key, geteuid()};

    assert_int_equal(clerk_statefile_write(&forged, id_1, DOCUMENT, strlen(DOCUMENT), apr_time_now(), pool),
                     APR_SUCCESS);
    assert_true(read_back(&problem, dir, id_1, geteuid(), pool) != APR_SUCCESS);
    assert_string_equal(problem, "it is damaged, or this server did not write it");
    remove_dir(dir, pool);
}

/* Ways to replace the file of the key. */
static void leave_key(const char *path)
{
    (void)path;
}

static void lengthen_key(const char *path)
{
    put_file(path, STATE_KEY "x", CLERK_STATEKEY_LEN + 1);
}

static void link_key(const char *path)
{
    char second[300];

    snprintf(second, sizeof(second), "%s.second", path);
    assert_int_equal(link(path, second), 0);
}

static void let_group_read_key(const char *path)
{
    assert_int_equal(chmod(path, 0640), 0);
}

static void let_others_read_key(const char *path)
{
    assert_int_equal(chmod(path, 0604), 0);
}

/* F5: a key that another user can know is replaced. */
static void keys_that_others_can_know_are_replaced(void **state)
{
    static const struct {
        void (*spoil)(const char *path);
        int same, kept, needs_root;
    } rows[] = {
        {leave_key, 1, 1, 0},          {spoil_empty, 0, 1, 0},     {lengthen_key, 0, 1, 0},
        {spoil_symlink, 0, 1, 0},      {spoil_fifo, 0, 1, 0},      {spoil_dangling_symlink, 0, 1, 0},
        {let_group_read_key, 0, 1, 0}, {spoil_directory, 0, 0, 0}, {let_others_read_key, 0, 1, 0},
        {link_key, 0, 1, 0},           {spoil_owner, 0, 1, 1},
    };
    apr_pool_t *pool = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *dir = make_dir(pool), *path = apr_pstrcat(pool, dir, "/state.key", NULL);
        unsigned char first[CLERK_STATEKEY_LEN], second[CLERK_STATEKEY_LEN], third[CLERK_STATEKEY_LEN];
        int fd = open(dir, O_RDONLY | O_DIRECTORY);
        mode_t mask = umask(0);
        apr_status_t kept;
        struct stat info;

        if (!rows[i].needs_root || geteuid() == 0) {
            assert_int_equal(clerk_statekey_get(first, &kept, fd), APR_SUCCESS);
            assert_int_equal(kept, APR_SUCCESS);
            assert_int_equal(stat(path, &info), 0);
            assert_int_equal(info.st_mode & 07777, 0600);
            rows[i].spoil(path);
            assert_int_equal(clerk_statekey_get(second, &kept, fd), APR_SUCCESS);
            assert_int_equal(kept == APR_SUCCESS, rows[i].kept);
            assert_int_equal(!memcmp(first, second, sizeof(first)), rows[i].same);
            assert_int_equal(clerk_statekey_get(third, &kept, fd), APR_SUCCESS);
            assert_int_equal(!memcmp(second, third, sizeof(second)), rows[i].kept);
            assert_int_equal(access(apr_pstrcat(pool, path, ".new", NULL), F_OK), -1);
        }
        umask(mask);
        close(fd);
        remove_dir(dir, pool);
    }
}

static void future_times_are_refused(void **state)
{
    apr_pool_t *pool = *state;
    const char *dir = make_dir(pool), *problem;

    put_document(dir, id_1, DOCUMENT, apr_time_now() + apr_time_from_sec(60), pool);
    assert_true(read_back(&problem, dir, id_1, 0, pool) != APR_SUCCESS);
    assert_string_equal(problem, "its time is in the future");
    remove_dir(dir, pool);
}

/* Truncate the file at every position, and change every byte. */
static void every_damage_is_found(void **state)
{
    apr_pool_t *pool = *state;
    const char *dir = make_dir(pool), *problem;
    char *path = apr_pstrcat(pool, dir, "/" HEX_1 ".json", NULL), text[1000];
    ssize_t len;
    int fd;

    put_document(dir, id_1, DOCUMENT, apr_time_now(), pool);
    fd = open(path, O_RDONLY);
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    assert_in_range(len, 200, 400);
    for (ssize_t i = 0; i < len; i++) {
        apr_pool_t *scratch;
        static const char changes[] = {0x01, 0x20, 0x7f};

        apr_pool_create(&scratch, pool);
        put_file(path, text, (apr_size_t)i);
        assert_true(read_back(&problem, dir, id_1, 0, scratch) != APR_SUCCESS);
        assert_non_null(problem);
        for (size_t change = 0; change < COUNT(changes); change++) {
            text[i] = (char)(text[i] ^ changes[change]);
            put_file(path, text, (apr_size_t)len);
            text[i] = (char)(text[i] ^ changes[change]);
            if (read_back(&problem, dir, id_1, 0, scratch) == APR_SUCCESS || !problem) {
                fail_msg("byte %d change %d", (int)i, (int)change);
            }
        }
        apr_pool_destroy(scratch);
    }
    text[len] = '\n';
    put_file(path, text, (apr_size_t)len + 1);
    assert_true(read_back(&problem, dir, id_1, 0, pool) != APR_SUCCESS);
    put_file(path, text, (apr_size_t)len);
    assert_int_equal(read_back(&problem, dir, id_1, 0, pool), APR_SUCCESS);
    remove_dir(dir, pool);
}

static void keys_survive_a_restart_in_an_outage(void **state)
{
    world *w = *state;
    apr_time_t fetched_at;
    char *path;

    world_run_clock();
    w->state_dir = make_dir(w->pool);
    world_run(w);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    fetched_at = stats_of(w, 0).fetched_at;
    answer_nothing(w, 0);
    world_run(w);
    assert_int_equal(logged(w, 1007), 1);
    assert_int_equal(stats_of(w, 0).generation, 1);
    assert_true(stats_of(w, 0).fetched_at == fetched_at);
    assert_true(stats_of(w, 0).next_refresh <= world_clock());
    /* A request is served without a fetch; the background thread tries at once. */
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    assert_int_equal(calls(w), 1);
    tick(w);
    assert_int_equal(stats_of(w, 0).failures, 1);
    assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    /* A damaged file is ignored with a warning; other instances are not affected. */
    path = apr_pstrcat(w->pool, w->state_dir, "/" HEX_1 ".json", NULL);
    spoil_world_writable(path);
    world_run(w);
    assert_int_equal(logged(w, 1006), 1);
    assert_int_equal(stats_of(w, 0).generation, 0);
    assert_int_equal(ask(w, 0), CLERK_KEYS_UNAVAILABLE);
    assert_int_equal(ask(w, 1), CLERK_KEYS_OK);
    assert_int_equal(remove_dir(w->state_dir, w->pool), 2);
}

static void old_or_useless_files_are_ignored(void **state)
{
    world *w = *state;

    w->state_dir = make_dir(w->pool);
    put_document(w->state_dir, id_1, w->one, apr_time_now() - MAX_STALE - apr_time_from_sec(1), w->pool);
    put_document(w->state_dir, id_2, DOCUMENT, apr_time_now() - 1, w->pool);
    world_run(w);
    assert_int_equal(logged(w, 1006), 2);
    assert_int_equal(stats_of(w, 0).generation, 0);
    assert_int_equal(stats_of(w, 1).generation, 0);
    remove_dir(w->state_dir, w->pool);
}

static void unwritable_directory_is_said_once(void **state)
{
    world *w = *state;

    w->state_dir = make_dir(w->pool);
    world_run(w);
    remove_dir(w->state_dir, w->pool);
    for (int i = 0; i < 5; i++) {
        world_pass(TTL);
        tick(w);
        assert_int_equal(ask(w, 0), CLERK_KEYS_OK);
    }
    assert_int_equal(logged(w, 1004), SOURCES);
    assert_int_equal(mkdir(w->state_dir, 0700), 0);
    world_pass(TTL);
    tick(w);
    assert_int_equal(logged(w, 1005), SOURCES);
    assert_int_equal(remove_dir(w->state_dir, w->pool), SOURCES);
}

/* A10: a writer that is killed leaves its temporary file behind. */
static void old_temporary_files_are_removed(void **state)
{
    static const struct {
        const char *suffix;
        int age, stays;
    } rows[] = {{".aB3xYz", 700, 0}, {".aB3xYz", 10, 1},  {".json", 700, 1}, {".aB3xYz9", 700, 1},
                {".aB.xYz", 700, 1}, {"aaB3xYz", 700, 1}, {".aB3xY", 700, 1}};
    char dir[] = "/tmp/clerk-sweep-XXXXXX";
    const char *hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *path = apr_psprintf(*state, "%s/%s%s", dir, hex, rows[i].suffix);
        struct timespec times[2] = {{0}, {0}};

        times[0].tv_sec = times[1].tv_sec = time(NULL) - rows[i].age;
        put_file(path, "x", 1);
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        clerk_statefile_sweep(dir);
        assert_int_equal(access(path, F_OK) == 0, rows[i].stays);
        unlink(path);
    }
    clerk_statefile_sweep("/nonexistent");
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(written_and_read),
        fixture_test(spoiled_files_are_refused),
        fixture_test(forged_files_are_refused),
        fixture_test(keys_that_others_can_know_are_replaced),
        fixture_test(future_times_are_refused),
        fixture_test(every_damage_is_found),
        fixture_test(old_temporary_files_are_removed),
        world_test(keys_survive_a_restart_in_an_outage),
        world_test(old_or_useless_files_are_ignored),
        world_test(unwritable_directory_is_said_once),
    };

    return cmocka_run_group_tests_name("shared/statefile", tests, jose_fixture_group_setup,
                                       jose_fixture_group_teardown);
}
