/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_HINTS_H
#define HTTPD_PROCESS_HINTS_H

#include <apr.h>

/*
 * Hints for the administrator that are given once after each start, whichever child has the occasion first. Each place
 * in the configuration that may give one has a number; a byte in shared memory says whether it has.
 */

/** In pre_config: no place has a number. */
void clerk_hints_reset(void);

/** While the configuration is read, a number for a place; never 0. */
unsigned int clerk_hints_number(void);

/** Bytes of shared memory for all places that have a number. */
apr_size_t clerk_hints_size(void);

/** In post_config. @param memory zeroed, shared by all children, clerk_hints_size() bytes */
void clerk_hints_share(void *memory);

/** Whether a place gives its hint now: true once. @param number 0: a place without a number, which gives none */
int clerk_hints_take(unsigned int number);

#endif
