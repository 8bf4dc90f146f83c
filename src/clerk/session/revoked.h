/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_REVOKED_H
#define CLERK_SESSION_REVOKED_H

#include "clerk/session/identity.h"
#include "shared/revocations.h"

/** What a revocation is about. */
typedef enum clerk_revoked_kind {
    CLERK_REVOKED_SESSION,     /**< of a user */
    CLERK_REVOKED_USER,        /**< all sessions */
    CLERK_REVOKED_MEMBERSHIP,  /**< of a user in an organization: sessions in which that is active */
    CLERK_REVOKED_ORGANIZATION /**< sessions in which it is active */
} clerk_revoked_kind;

/** Bytes of the key that names depend on: of a Clerk instance, so that no instance revokes what is another's. */
#define CLERK_REVOKED_KEY 16

/** The longest id, bytes. */
#define CLERK_REVOKED_ID_MAX 128

/** Whom a revocation is about. What its kind does not need is NULL. */
typedef struct clerk_revoked_who {
    clerk_revoked_kind kind;
    const char *user_id;    /**< but for an organization */
    const char *session_id; /**< of a session */
    const char *org_id;     /**< of a membership, or an organization */
} clerk_revoked_who;

/**
 * Make a revocation.
 * @param at seconds since 1970: tokens that were issued then, or before, are not good any more
 * @return 0 if an id that is needed is missing, empty or too long, or the time is none
 */
int clerk_revoked_make(clerk_revocation *revocation, const unsigned char key[CLERK_REVOKED_KEY],
                       const clerk_revoked_who *who, apr_int64_t at);

/**
 * Whether a session token is revoked: its session, its user, or the membership or organization that is active in it.
 * @param issued its `iat`
 */
int clerk_revoked_is(const clerk_revocations *revocations, const unsigned char key[CLERK_REVOKED_KEY],
                     const clerk_identity *identity, apr_int64_t issued);

#endif
