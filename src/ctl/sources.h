/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_SOURCES_H
#define CTL_SOURCES_H

#include <apr_pools.h>

/* Where values come from: files, standard input, and what directives call a secret-ref (directives.md "Secrets"). */

/** Whether the text is a secret-ref: env:NAME, file:/path, exec:/path arg ... */
int clerk_sources_is_reference(const char *text);

/** What went wrong, besides its text: whether something that is needed cannot be had. */
typedef enum clerk_sources_fault {
    CLERK_SOURCES_WRONG,  /**< it is there, and is not what it should be; or it is named wrongly */
    CLERK_SOURCES_MISSING /**< it cannot be had: a file, a variable, the output of a program */
} clerk_sources_fault;

/**
 * Read what a secret-ref names, without the line breaks at its end.
 * @param pfault set if something is wrong
 * @param option for messages
 * @return NULL, or what is wrong, without the secret
 */
const char *clerk_sources_read(const char **pvalue, clerk_sources_fault *pfault, const char *option, const char *ref,
                               apr_size_t max, apr_pool_t *pool);

/**
 * Read a file, or all of standard input if @a path is "-".
 * @param ptext ends in a NUL that is not counted
 * @param pfault set if something is wrong
 * @param may_be_pipe whether it may be a pipe, as a shell makes it of <(...); else it must be a regular file
 * @return NULL, or what is wrong
 */
const char *clerk_sources_read_file(const char **ptext, apr_size_t *plen, clerk_sources_fault *pfault, const char *path,
                                    int may_be_pipe, apr_size_t max, apr_pool_t *pool);

#endif
