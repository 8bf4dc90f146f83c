/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_SESSION_CHECKS_H
#define HTTPD_PROCESS_SESSION_CHECKS_H

#include "clerk/session/identity.h"
#include "httpd/process/runtime.h"

/*
 * ClerkRevocationCheck: without webhooks, the Backend API is asked now and then whether the sessions that are in use go
 * on. Requests only note that a session is in use; background work asks, one call after another, and revokes what is
 * over, as a webhook would.
 */

/**
 * Note that a session is in use: Clerk is asked for it, once in an interval. Nothing here waits. Where more sessions
 * are in use than can be asked for, a session that finds no place is asked for in a later interval.
 * @param runtime one with a `check_interval`
 * @param identity of an accepted session token
 */
void clerk_session_checks_note(const clerk_runtime *runtime, const clerk_identity *identity, apr_time_t now);

/** Ask for one session, if one is due. In the background: it waits for Clerk. @return when to come again */
apr_interval_time_t clerk_session_checks_tick(apr_pool_t *scratch);

#endif
