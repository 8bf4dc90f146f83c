/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/due_queue.h"

#include <string.h>

/* The states of a slot. Any other is the time since when a process has it, to write or to read. */
#define FREE 0
#define READY 1
/* A process that has a slot for longer was killed, or is stopped. */
#define ABANDONED apr_time_from_sec(10)

/* Get a slot. @param from the state that it has to be in */
static int claim(clerk_due_slot *slot, apr_int64_t from, apr_time_t now)
{
    apr_int64_t state = atomic_load(&slot->state);

    if (state != FREE && state != READY && (now - state > ABANDONED || state > now + ABANDONED)
        && atomic_compare_exchange_strong(&slot->state, &state, FREE)) {
        state = FREE;
    }
    return state == from && atomic_compare_exchange_strong(&slot->state, &state, now);
}

int clerk_due_queue_add(clerk_due_queue queue, unsigned int instance, const char *text, apr_time_t now)
{
    apr_size_t len = strlen(text);

    if (len > CLERK_DUE_QUEUE_TEXT_MAX) {
        return 0;
    }
    for (unsigned int i = 0; i < queue.count; i++) {
        clerk_due_slot *slot = &queue.slots[i];
        apr_int64_t mine = now;

        if (claim(slot, FREE, now)) {
            slot->item.instance = instance;
            memcpy(slot->item.text, text, len + 1);
            return atomic_compare_exchange_strong(&slot->state, &mine, READY);
        }
    }
    return 0;
}

int clerk_due_queue_take(clerk_due_item *item, clerk_due_queue queue, apr_time_t now)
{
    /* Each time from another slot on: while more comes than is taken, none shall wait for ever. */
    static atomic_uint turn;
    unsigned int first = atomic_fetch_add(&turn, 1);

    for (unsigned int i = 0; i < queue.count; i++) {
        clerk_due_slot *slot = &queue.slots[(first + i) % queue.count];
        apr_int64_t mine = now;

        if (claim(slot, READY, now)) {
            *item = slot->item;
            item->text[CLERK_DUE_QUEUE_TEXT_MAX] = '\0';
            (void)atomic_compare_exchange_strong(&slot->state, &mine, FREE);
            return 1;
        }
    }
    return 0;
}
