/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_TABLE_H
#define HTTPD_REQUEST_TABLE_H

#include <apr_tables.h>

/**
 * Remove every entry whose name @a matches. Inline, because it runs over all headers of each request.
 * @param pool for temporary allocations; none are made if nothing matches
 */
static inline void clerk_table_remove(apr_table_t *table, int (*matches)(const char *name), apr_pool_t *pool)
{
    const apr_array_header_t *entries = apr_table_elts(table);
    apr_array_header_t *names = NULL;

    /* Removing an entry moves the ones after it, so the names are collected first. */
    for (int i = 0; i < entries->nelts; i++) {
        const char *name = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;

        if (name && matches(name)) {
            names = names ? names : apr_array_make(pool, 16, sizeof(const char *));
            APR_ARRAY_PUSH(names, const char *) = name;
        }
    }
    for (int i = 0; names && i < names->nelts; i++) {
        apr_table_unset(table, APR_ARRAY_IDX(names, i, const char *));
    }
}

#endif
