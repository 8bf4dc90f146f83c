/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_PATH_PATTERN_H
#define CLERK_URL_PATH_PATTERN_H

#include <apr_pools.h>

/** Longer patterns are refused. */
#define CLERK_PATH_PATTERN_MAX 1024
/** Longer paths match nothing. */
#define CLERK_PATH_MAX 2048

/** A compiled path pattern. Immutable: any number of threads may match it at once. */
typedef struct clerk_path_pattern clerk_path_pattern;

/** The parameters that a pattern can capture. */
typedef enum clerk_path_capture {
    CLERK_PATH_ID,
    CLERK_PATH_SLUG,
    CLERK_PATH_CAPTURES /**< how many there are */
} clerk_path_capture;

/** The captured parts of the path; start is NULL if the parameter was not matched. */
typedef struct clerk_path_captures {
    const char *start[CLERK_PATH_CAPTURES];
    apr_size_t len[CLERK_PATH_CAPTURES];
} clerk_path_captures;

typedef enum clerk_path_verdict {
    CLERK_PATH_NO_MATCH,
    CLERK_PATH_MATCH,
    CLERK_PATH_GAVE_UP /**< matching exceeded the limit of steps or memory */
} clerk_path_verdict;

/**
 * Compile a path pattern (protocol.md 10): literals, `:name`, `(regex)`, `{...}` and the modifiers `? * +`, with the
 * meaning that path-to-regexp 6 gives them; case-insensitive, the whole path, one optional `/` at the end.
 * Only `:id` and `:slug` are captured, and these two cannot repeat. For `(regex)` see javascript_regex.h.
 * @param pool what the pattern lives in
 * @return NULL, or what is wrong (from @a pool)
 */
const char *clerk_path_pattern_compile(clerk_path_pattern **ppattern, const char *text, apr_pool_t *pool);

/**
 * Match a whole path as it is in a URL: ASCII, percent escapes not decoded.
 * @param captures points into @a path
 */
clerk_path_verdict clerk_path_pattern_match(clerk_path_captures *captures, const clerk_path_pattern *pattern,
                                            const char *path, apr_pool_t *scratch);

#endif
