/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_PATH_TO_REGEXP_H
#define CLERK_URL_PATH_TO_REGEXP_H

#include <apr_pools.h>
#include <apr_tables.h>

/** What a group of the expression captures. */
typedef struct clerk_path_to_regexp_key {
    const char *name; /**< of the parameter, or NULL */
    int repeats;      /**< it captures a list */
} clerk_path_to_regexp_key;

/**
 * Convert a pattern of path-to-regexp 6 to the regular expression that it means there, for PCRE2 and with the
 * options that javascript_regex.h asks for: the whole path, and one optional delimiter at the end.
 * @param out of char: the expression is appended; of no use after an error
 * @param keys of clerk_path_to_regexp_key: the groups are appended, the first one first
 * @param pattern ASCII
 * @param pool for the names, and for temporary allocations
 * @return NULL, or what is wrong (static text)
 */
const char *clerk_path_to_regexp_translate(apr_array_header_t *out, apr_array_header_t *keys, const char *pattern,
                                           apr_pool_t *pool);

#endif
