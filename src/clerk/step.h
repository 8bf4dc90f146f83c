/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_STEP_H
#define CLERK_STEP_H

/** The steps of a decision, in the order of the protocol. */
typedef enum clerk_step {
#define STEP(name, place, condition) CLERK_STEP_##name,
#include "clerk/steps.def"
    CLERK_STEP_COUNT
} clerk_step;

/** Who is told how a decision comes about: clerkctl. In httpd nobody is. */
typedef struct clerk_step_listener {
    void (*tell)(void *baton, clerk_step step, int holds);
    void *baton;
} clerk_step_listener;

/**
 * Tell whether the condition of a step holds.
 * @param listener NULL: nobody listens
 * @return @a holds
 */
static inline int clerk_step_tell(const clerk_step_listener *listener, clerk_step step, int holds)
{
    if (listener) {
        listener->tell(listener->baton, step, holds);
    }
    return holds;
}

#endif
