/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_OUTCOME_H
#define CLERK_OUTCOME_H

#include <apr_tables.h>

#include "clerk/reason.h"
#include "clerk/session/identity.h"
#include "clerk/token_type.h"

typedef enum clerk_status {
    CLERK_SIGNED_IN,
    CLERK_SIGNED_OUT,
    CLERK_HANDSHAKE,   /**< redirect to `location` */
    CLERK_UNAVAILABLE, /**< a credential was presented that cannot be checked now: 503 */
    CLERK_BAD_REQUEST  /**< an invalid handshake parameter on a development instance (differences.md row 17): 400 */
} clerk_status;

typedef enum clerk_carrier {
    CLERK_CARRIER_NONE,
    CLERK_CARRIER_HEADER,
    CLERK_CARRIER_COOKIE
} clerk_carrier;

/** The decision of clerk_authenticate(). All of it is from the pool that was passed in. */
typedef struct clerk_outcome {
    clerk_status status;
    clerk_reason reason;
    const char *reason_text;     /**< the full text, with `-refresh-...`; "" when signed in; safe for a header */
    clerk_carrier carrier;       /**< where the token came from; NONE: no token */
    clerk_token_type credential; /**< what kind it is by its form, if there is one */
    clerk_identity *identity; /**< when signed in; also of a pending session that counts as signed out (then status is
                                 SIGNED_OUT, reason SESSION_PENDING) */
    const char *location;     /**< redirect to here with 307, whatever the status is; NULL: no redirect */
    apr_array_header_t *set_cookies; /**< of const char *: values of Set-Cookie fields, in order; never NULL */
    const char *dev_browser;         /**< development: the dev browser token, for the sign-in redirect; or NULL */
    int loop;                        /**< a handshake was due, but there were too many in a row */
    int handshake_failed;            /**< the request had a handshake payload that could not be used */
    int handshake_untimely;          /**< and the only cause was a time, by this server's clock */
    const char *given_up_pattern;    /**< of ClerkOrganizationSync: it took too long on this path; or NULL */
    int renewed;                     /**< signed in, because an expired session was renewed for this request */
    int expired_session;             /**< the session token is authentic, but expired or revoked, and was not renewed */
    const char *lapsed_user; /**< the user id in an authentic session cookie that is expired or, for a POST, older
                                than the last change at Clerk: whose form must not be lost; else NULL */
    int retry_after;         /**< UNAVAILABLE: seconds until another try makes sense; 0: not known */
    const char *refused_key; /**< UNAVAILABLE: the directive of a key of ours that Clerk refuses, or that is missing; or
                                NULL */
} clerk_outcome;

#endif
