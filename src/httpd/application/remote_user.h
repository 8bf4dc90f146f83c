/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_REMOTE_USER_H
#define HTTPD_APPLICATION_REMOTE_USER_H

#include <httpd.h>

#include "clerk/session/identity.h"

/**
 * Find the value of REMOTE_USER (ClerkRemoteUser).
 * @return OK; or, logged:
 *         HTTP_FORBIDDEN if the token has no such claim, or the claim is empty, neither text nor number, longer than
 *         CLERK_CLAIM_TEXT_MAX, or has control characters; if the user's profile has no such field; or if the
 *         expression of the directive does not match the whole value, or its replacement comes to nothing that can be
 *         a name;
 *         HTTP_SERVICE_UNAVAILABLE if the profile cannot be had now; Retry-After is set
 */
int clerk_remote_user_find(const char **puser, request_rec *r, const clerk_identity *identity);

#endif
