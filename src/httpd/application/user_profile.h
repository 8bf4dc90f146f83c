/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_USER_PROFILE_H
#define HTTPD_APPLICATION_USER_PROFILE_H

#include <httpd.h>

#include "clerk/session/identity.h"
#include "clerk/session/profile.h"

/** What is known of a signed-in user's profile. */
typedef enum clerk_user_profile_state {
    CLERK_USER_PROFILE_FOUND,
    CLERK_USER_PROFILE_NONE,       /**< Clerk has no such user, or it is a machine */
    CLERK_USER_PROFILE_UNAVAILABLE /**< it cannot be had now (logged once for each of the client's requests) */
} clerk_user_profile_state;

typedef struct clerk_user_profile {
    clerk_user_profile_state state;
    const clerk_profile *profile; /**< FOUND; else NULL */
    int retry_after;              /**< UNAVAILABLE: seconds until another try makes sense */
    const char *why;              /**< UNAVAILABLE: for the log */
} clerk_user_profile;

/**
 * The profile of a user of the request's instance: from the cache of ClerkSOCache if it is fresh
 * (ClerkUserProfileTTL), else from the Backend API, else an older one from the cache, which is kept for a day. Looked
 * up once for a client's request, its subrequests and internal redirects. No lock is held during the call.
 */
const clerk_user_profile *clerk_user_profile_get(request_rec *r, const clerk_identity *identity);

/** Drop what is cached of a user of the request's instance: the next request asks Clerk. */
void clerk_user_profile_forget(request_rec *r, const char *user_id);

/**
 * Background work: refresh the profiles of users who were seen when four fifths of ClerkUserProfileTTL were over, so
 * that their next requests need not wait. Takes a second, and what the last call takes beyond it. Where a call fails,
 * the old profile stays.
 */
void clerk_user_profile_refresh(apr_pool_t *scratch);

#endif
