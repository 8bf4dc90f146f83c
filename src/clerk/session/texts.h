/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_TEXTS_H
#define CLERK_SESSION_TEXTS_H

#include <apr_tables.h>

/**
 * A list of texts in one block of memory, one after the other, each with its NUL. It can be copied byte by byte.
 * Immutable.
 */
typedef struct clerk_texts {
    const char *first; /**< NULL: no list, which differs from an empty list */
    apr_size_t size;   /**< of all texts with their NULs, in bytes */
} clerk_texts;

/** @param array of const char *; NULL gives no list. @return from @a pool */
clerk_texts clerk_texts_make(const apr_array_header_t *array, apr_pool_t *pool);

/** The text after @a text; the first one for NULL. @return NULL at the end */
const char *clerk_texts_next(const clerk_texts *texts, const char *text);

/** All texts with @a separator between them, from @a pool; NULL if there is no list. */
const char *clerk_texts_join(const clerk_texts *texts, char separator, apr_pool_t *pool);

#endif
