/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_DUE_QUEUE_H
#define SHARED_DUE_QUEUE_H

#include <stdatomic.h>

#include <apr.h>
#include <apr_time.h>

/** The longest text of an item. */
#define CLERK_DUE_QUEUE_TEXT_MAX 128

/** Something that is to be done in the background: about which instance, and what. */
typedef struct clerk_due_item {
    unsigned int instance;
    char text[CLERK_DUE_QUEUE_TEXT_MAX + 1];
} clerk_due_item;

typedef struct clerk_due_slot {
    _Atomic apr_int64_t state;
    clerk_due_item item;
} clerk_due_slot;

/**
 * What requests ask background work for, in shared memory of bounded size, in no order. Zeroed memory is an empty
 * queue. Nothing here waits. A slot that a killed process left half written becomes free again after a while; of a
 * process that is stopped for longer than that, an item may be mixed with another one, so the reader has to look at
 * what it gets.
 */
typedef struct clerk_due_queue {
    clerk_due_slot *slots;
    unsigned int count;
} clerk_due_queue;

/** @return 0 if the queue is full, or the text is too long */
int clerk_due_queue_add(clerk_due_queue queue, unsigned int instance, const char *text, apr_time_t now);

/** Take an item out. @return 0 if there is none */
int clerk_due_queue_take(clerk_due_item *item, clerk_due_queue queue, apr_time_t now);

#endif
