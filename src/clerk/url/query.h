/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_QUERY_H
#define CLERK_URL_QUERY_H

#include <apr_pools.h>
#include <apr_tables.h>

/*
 * The query of a URL as a list of parameters (protocol.md 3.2, edited form): `application/x-www-form-urlencoded` as
 * browsers read and write it. All results are from the pool that was passed in.
 */

/** A decoded query parameter. Name and value may contain NULs. */
typedef struct clerk_parameter {
    const char *name;
    apr_size_t name_len;
    const char *value;
    apr_size_t value_len;
} clerk_parameter;

/** Decode `application/x-www-form-urlencoded` (NULL: none). @return array of clerk_parameter */
apr_array_header_t *clerk_query_parse(const char *query, apr_pool_t *pool);

/** The first value of that name, which may be empty; NULL if there is none or it contains a NUL. */
const char *clerk_query_get(const apr_array_header_t *query, const char *name);
int clerk_query_has(const apr_array_header_t *query, const char *name);
void clerk_query_append(apr_array_header_t *query, const char *name, const char *value);
/** Set the first parameter of that name and remove further ones; else append it. @a value must outlive the query. */
void clerk_query_set(apr_array_header_t *query, const char *name, const char *value);
void clerk_query_delete(apr_array_header_t *query, const char *name);

/** Encode a query; NULL if it has no parameters. */
const char *clerk_query_text(const apr_array_header_t *query, apr_pool_t *pool);

#endif
