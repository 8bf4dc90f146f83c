/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_WEBHOOK_WEBHOOK_COUNTS_H
#define CLERK_WEBHOOK_WEBHOOK_COUNTS_H

#include <stdatomic.h>

#include "clerk/webhook/event.h"

/** What became of a webhook message. */
typedef enum clerk_webhook_fate {
    CLERK_WEBHOOK_NONE,     /**< there was no message yet */
    CLERK_WEBHOOK_APPLIED,  /**< it was verified, and what it says was done; most types say nothing that has to be */
    CLERK_WEBHOOK_REFUSED,  /**< it was not verified */
    CLERK_WEBHOOK_UNUSABLE, /**< it was verified, but it does not say what it should */
    CLERK_WEBHOOK_FATES
} clerk_webhook_fate;

/** Counters of the webhook messages of one instance, for all processes: zeroed shared memory, atomics only. */
typedef struct clerk_webhook_counts {
    _Atomic apr_uint64_t applied[CLERK_EVENT_TYPES]; /**< by type */
    _Atomic apr_uint64_t refused;
    _Atomic apr_uint64_t unusable;
    /** The last message: its time of arrival in units of 1024 microseconds, above 8 bits for its type and 4 for its
     * fate. */
    _Atomic apr_uint64_t last;
    _Atomic apr_int64_t lag; /**< from the event to the message's arrival, microseconds, of the last one applied */
} clerk_webhook_counts;

/** The last message. */
typedef struct clerk_webhook_last {
    apr_time_t at;         /**< 0: there was none */
    clerk_event_type type; /**< OTHER if it was refused */
    clerk_webhook_fate fate;
    apr_interval_time_t lag; /**< of the last one that was applied: from the event to its arrival */
} clerk_webhook_last;

/** Count a message. @param event NULL if it was refused */
void clerk_webhook_counts_add(clerk_webhook_counts *counts, clerk_webhook_fate fate, const clerk_event *event,
                              apr_time_t now);

void clerk_webhook_counts_last(clerk_webhook_last *last, const clerk_webhook_counts *counts);

/** The name of a fate: "none", "applied", "refused", "unusable". */
const char *clerk_webhook_counts_fate_text(clerk_webhook_fate fate);

#endif
