/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_TEXTS_H
#define CLERK_SESSION_TEXTS_H

#include <apr_tables.h>

/**
 * A list of texts in one piece of memory, each with its NUL, one behind the other: it can be copied as it is, and is
 * walked from front to back. Never changed.
 */
typedef struct clerk_texts {
    const char *first; /**< NULL: no list at all, which is not the same as an empty one */
    apr_size_t size;   /**< of all texts with their NULs, in bytes */
} clerk_texts;

/** @param array of const char *; NULL gives no list. @return from @a pool */
clerk_texts clerk_texts_make(const apr_array_header_t *array, apr_pool_t *pool);

/** The text behind @a text, the first one for NULL; NULL at the end. */
const char *clerk_texts_next(const clerk_texts *texts, const char *text);

/** All of them with @a separator between, from @a pool; NULL where there is no list. */
const char *clerk_texts_join(const clerk_texts *texts, char separator, apr_pool_t *pool);

#endif
