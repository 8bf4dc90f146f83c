/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds files to a fuzz target without libFuzzer, so that every compiler can replay the seeds:
 *
 *     fuzz_x FILE-OR-DIRECTORY...
 *
 * Directories are read one level deep. Exits with 1 if a file cannot be read or there was none at all.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#define MAX_SIZE (1 << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Run one file, in memory of exactly its size so that a read past its end is noticed. */
static int replay_file(const char *path, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t size;
    uint8_t *data;

    if (apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool) != APR_SUCCESS
        || apr_file_info_get(&info, APR_FINFO_SIZE, file) != APR_SUCCESS || info.size > MAX_SIZE) {
        fprintf(stderr, "cannot read %s\n", path);
        return 0;
    }
    size = (apr_size_t)info.size;
    data = malloc(size ? size : 1);
    if (!data || (size && apr_file_read_full(file, data, size, NULL) != APR_SUCCESS)) {
        fprintf(stderr, "cannot read %s\n", path);
        free(data);
        return 0;
    }
    apr_file_close(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

/* How many files were run, or -1. */
static int replay(const char *path, apr_pool_t *pool)
{
    apr_finfo_t info;
    apr_dir_t *dir;
    int count = 0;

    if (apr_stat(&info, path, APR_FINFO_TYPE, pool) != APR_SUCCESS || info.filetype != APR_DIR) {
        return replay_file(path, pool) ? 1 : -1;
    }
    if (apr_dir_open(&dir, path, pool) != APR_SUCCESS) {
        return -1;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (info.name[0] == '.') {
            continue;
        }
        if (!replay_file(apr_pstrcat(pool, path, "/", info.name, NULL), pool)) {
            return -1;
        }
        count++;
    }
    apr_dir_close(dir);
    return count;
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    int total = 0, failed = 0, i;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    LLVMFuzzerInitialize(&argc, &argv);
    for (i = 1; i < argc; i++) {
        int count = replay(argv[i], pool);

        if (count < 0) {
            failed = 1;
        } else {
            total += count;
        }
    }
    printf("%s: %d inputs\n", argv[0], total);
    apr_pool_destroy(pool);
    apr_terminate();
    return failed || total == 0;
}
