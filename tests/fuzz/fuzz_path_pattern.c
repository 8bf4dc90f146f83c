/* SPDX-License-Identifier: Apache-2.0 */

/* A path pattern as an author of .htaccess wrote it, and behind the first line end a path as a client sent it. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "clerk/url/path_pattern.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (apr_initialize() != APR_SUCCESS) {
        abort();
    }
    return 0;
}

/* Match twice, as requests do with one pattern: the same verdict, and captures within the path. */
static void match(const clerk_path_pattern *pattern, const char *path, apr_pool_t *pool)
{
    apr_size_t len = strlen(path);
    clerk_path_captures first, second;
    clerk_path_verdict verdict = clerk_path_pattern_match(&first, pattern, path, pool);

    if (clerk_path_pattern_match(&second, pattern, path, pool) != verdict || memcmp(&first, &second, sizeof(first))) {
        abort();
    }
    if (verdict == CLERK_PATH_MATCH && len > CLERK_PATH_MAX) {
        abort();
    }
    for (int i = 0; i < CLERK_PATH_CAPTURES; i++) {
        if (!first.start[i]
                ? first.len[i] != 0
                : verdict != CLERK_PATH_MATCH || first.start[i] < path || first.start[i] + first.len[i] > path + len) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clerk_path_pattern *pattern;
    const char *problem;
    apr_pool_t *pool;
    char *text, *path;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        abort();
    }
    text = apr_pstrmemdup(pool, (const char *)data, size);
    path = strchr(text, '\n');
    if (path) {
        *path++ = '\0';
    }
    problem = clerk_path_pattern_compile(&pattern, text, pool);
    /* Either a pattern, or a reason why not. */
    if (!problem != !!pattern || (problem && *problem == '\0')) {
        abort();
    }
    if (pattern) {
        match(pattern, path ? path : text, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
