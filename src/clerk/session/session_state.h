/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_SESSION_STATE_H
#define CLERK_SESSION_SESSION_STATE_H

#include <apr_pools.h>

#include "clerk/services.h"

/** What Clerk says of a session. */
typedef enum clerk_session_state {
    CLERK_SESSION_UNKNOWN, /**< nothing: no answer, or none that can be understood */
    CLERK_SESSION_GOES_ON, /**< active, or pending: it has tasks left, and ClerkPendingSessions decides about its tokens
                            */
    CLERK_SESSION_IS_OVER, /**< ended, removed, revoked, expired and the like */
    CLERK_SESSION_IS_NONE  /**< there is no such session: it is over, or the key is that of another instance */
} clerk_session_state;

/** The path of a session below the Backend API's origin. @param session_id passes clerk_text_is_id() */
const char *clerk_session_state_path(const char *session_id, apr_pool_t *pool);

/**
 * Read the answer of the Backend API to a question for a session (protocol.md Appendix B). Only what Clerk itself says
 * ends one: a 404 of something else on the way is none of Clerk's.
 * @param user_id whose session it must be
 * @param pstatus why: the status of the session, or the code of Clerk's error; from @a pool. NULL: there is none
 */
clerk_session_state clerk_session_state_read(const char **pstatus, const clerk_backend_reply *reply,
                                             const char *session_id, const char *user_id, apr_pool_t *pool);

#endif
