/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_OWN_USER_H
#define HTTPD_REQUEST_OWN_USER_H

#include <httpd.h>

#include "httpd/request/request_state.h"

/*
 * r->user is shared by all modules: mod_ssl (SSLUserName), scripts and other authentication modules can set it in any
 * phase, and httpd's own Require lines and the applications trust it. Under AuthType Clerk it may only be the user that
 * clerk_authn_check() has set.
 */

/** Set r->user to the user that clerk_authn_check() has authenticated; NULL: to none. */
void clerk_own_user_set(request_rec *r, const char *user);

/** Whether r->user is the user that clerk_own_user_set() has set for this request_rec. */
static inline int clerk_own_user_is(const request_rec *r)
{
    const clerk_request_state *state = clerk_request_state_if_any(r);

    /* Compare pointers: another module may have set an equal text. */
    return state && state->user && r->user == state->user;
}

/**
 * Set r->user to the user that this module has authenticated, for this request or for the one whose authentication
 * httpd has taken over because their configurations are the same; to NULL if there is none. AUTH_TYPE likewise. Call
 * under AuthType Clerk only.
 * @return whether another module had changed it
 */
int clerk_own_user_enforce(request_rec *r);

#endif
