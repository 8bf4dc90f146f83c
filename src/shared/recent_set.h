/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_RECENT_SET_H
#define SHARED_RECENT_SET_H

#include <stdatomic.h>

#include <apr.h>
#include <apr_time.h>

/**
 * What was seen lately, in shared memory of bounded size: a digest can be in one of four words and is remembered for a
 * while, in whole seconds; where all four are taken, the oldest is forgotten early. Zeroed memory is an empty set.
 * Nothing here waits.
 */
typedef struct clerk_recent_set {
    _Atomic apr_uint64_t *words;
    apr_size_t count; /**< of the words, a multiple of four */
} clerk_recent_set;

/**
 * Remember a digest, unless it is remembered already. Of several callers with the same digest one is told that it is
 * new.
 * @param keep how long it is remembered, for a second more at most; where the clock was set back, for as long before
 * @return whether it is new
 */
int clerk_recent_set_add(clerk_recent_set set, apr_uint64_t digest, apr_time_t now, apr_interval_time_t keep);

#endif
