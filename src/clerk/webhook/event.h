/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_WEBHOOK_EVENT_H
#define CLERK_WEBHOOK_EVENT_H

#include <apr_time.h>

#include "clerk/session/revoked.h"
#include "jose/jose.h"

/** The types of events that say something about sessions (protocol.md 14.4). */
typedef enum clerk_event_type {
    CLERK_EVENT_OTHER, /**< any other one */
    CLERK_EVENT_SESSION_ENDED,
    CLERK_EVENT_SESSION_REMOVED,
    CLERK_EVENT_SESSION_REVOKED,
    CLERK_EVENT_USER_UPDATED,
    CLERK_EVENT_USER_DELETED,
    CLERK_EVENT_MEMBERSHIP_UPDATED,
    CLERK_EVENT_MEMBERSHIP_DELETED,
    CLERK_EVENT_ORGANIZATION_DELETED,
    CLERK_EVENT_TYPES
} clerk_event_type;

/** An event. Its texts are from the pool. */
typedef struct clerk_event {
    clerk_event_type type;
    apr_time_t at; /**< when it happened */
    int revokes;   /**< `who` is revoked at that time */
    clerk_revoked_who who;
    const char *changed_user; /**< whose profile is not any more what it was; or NULL */
} clerk_event;

/** The name of a type, as Clerk writes it; "other". */
const char *clerk_event_type_text(clerk_event_type type);

/**
 * Read the body of a webhook message that was verified.
 *
 * When it happened is what the event says of itself (`timestamp`), but never later than @a sent: that would revoke what
 * is issued in the future. Where it says nothing, it is @a sent, so that rather too much is revoked than too little.
 * @param sent when the message was sent, by its header
 * @return NULL, or what is wrong: it is no event, or one that revokes something which it does not name
 */
const char *clerk_event_read(clerk_event *event, jose_slice body, apr_time_t sent, apr_pool_t *pool);

#endif
