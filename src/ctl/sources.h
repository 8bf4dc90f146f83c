/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_SOURCES_H
#define CTL_SOURCES_H

#include <apr_pools.h>

/* Where values come from: files, standard input, and what directives call a secret-ref (directives.md "Secrets"). */

/** Whether the text is a secret-ref: env:NAME, file:/path, exec:/path arg ... */
int clerk_sources_is_reference(const char *text);

/**
 * Read what a secret-ref names, without the line breaks at its end.
 * @param option for messages
 * @return NULL, or what is wrong, without the secret
 */
const char *clerk_sources_read(const char **pvalue, const char *option, const char *ref, apr_size_t max,
                               apr_pool_t *pool);

/**
 * Read a regular file, or all of standard input if @a path is "-".
 * @param ptext ends in a NUL that is not counted
 * @return NULL, or what is wrong
 */
const char *clerk_sources_read_file(const char **ptext, apr_size_t *plen, const char *path, apr_size_t max,
                                    apr_pool_t *pool);

#endif
