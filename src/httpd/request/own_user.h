/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_OWN_USER_H
#define HTTPD_REQUEST_OWN_USER_H

#include <httpd.h>

#include "httpd/request/request_state.h"

/*
 * r->user belongs to all modules: mod_ssl (SSLUserName), scripts and other authentication modules may set it in any
 * phase. httpd's own Require lines and the applications believe it. Under AuthType Clerk it may only hold the user that
 * clerk_authn_check() put there.
 */

/** Note that clerk_authn_check() authenticated @a user, and put it into r->user. */
void clerk_own_user_set(request_rec *r, const char *user);

/** Whether r->user is what clerk_own_user_set() put there for this very request. */
static inline int clerk_own_user_is(const request_rec *r)
{
    const clerk_request_state *state = clerk_request_state_if_any(r);

    /* The very pointer: a text that is the same may be another module's. */
    return state && state->user && r->user == state->user;
}

/**
 * Where r->user is not the user that this module authenticated, for this request or for the one with the same
 * configuration whose authentication httpd took over, make it that user (NULL where there is none), and AUTH_TYPE with
 * it. To be called under AuthType Clerk only.
 * @return whether another module had changed it
 */
int clerk_own_user_enforce(request_rec *r);

#endif
