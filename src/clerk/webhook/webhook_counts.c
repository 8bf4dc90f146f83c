/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/webhook/webhook_counts.h"

#define FATE_BITS 4
#define TYPE_BITS 8
#define TIME_UNIT_BITS 10
#define MASK(bits) ((1u << (bits)) - 1)

void clerk_webhook_counts_add(clerk_webhook_counts *counts, clerk_webhook_fate fate, const clerk_event *event,
                              apr_time_t now)
{
    clerk_event_type type = event ? event->type : CLERK_EVENT_OTHER;

    if (event && fate == CLERK_WEBHOOK_APPLIED) {
        atomic_fetch_add(&counts->applied[type], 1);
        atomic_store(&counts->lag, now > event->at ? now - event->at : 0);
    } else {
        atomic_fetch_add(fate == CLERK_WEBHOOK_REFUSED ? &counts->refused : &counts->unusable, 1);
    }
    /* In one word, so that a reader never sees the time of one message with the type of another. */
    atomic_store(&counts->last, (apr_uint64_t)(now >> TIME_UNIT_BITS) << (FATE_BITS + TYPE_BITS)
                                    | (apr_uint64_t)type << FATE_BITS | (apr_uint64_t)fate);
}

void clerk_webhook_counts_last(clerk_webhook_last *last, const clerk_webhook_counts *counts)
{
    apr_uint64_t word = atomic_load(&counts->last);

    last->at = (apr_time_t)(word >> (FATE_BITS + TYPE_BITS)) << TIME_UNIT_BITS;
    last->type = (clerk_event_type)(word >> FATE_BITS & MASK(TYPE_BITS));
    last->fate = (clerk_webhook_fate)(word & MASK(FATE_BITS));
    last->lag = atomic_load(&counts->lag);
}

const char *clerk_webhook_counts_fate_text(clerk_webhook_fate fate)
{
    static const char *const texts[CLERK_WEBHOOK_FATES] = {[CLERK_WEBHOOK_NONE] = "none",
                                                           [CLERK_WEBHOOK_APPLIED] = "applied",
                                                           [CLERK_WEBHOOK_REFUSED] = "refused",
                                                           [CLERK_WEBHOOK_UNUSABLE] = "unusable"};

    return (unsigned int)fate < CLERK_WEBHOOK_FATES ? texts[fate] : texts[CLERK_WEBHOOK_NONE];
}
