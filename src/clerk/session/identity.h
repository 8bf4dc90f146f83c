/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_IDENTITY_H
#define CLERK_SESSION_IDENTITY_H

#include <jansson.h>

#include "clerk/session/texts.h"
#include "jose/jose.h"

/** `fva`: minutes since the first and second factor were verified; -1: never. */
typedef struct clerk_factor_age {
    int valid; /**< `fva` is there and well formed (protocol.md 11.7) */
    double first;
    double second;
} clerk_factor_age;

/**
 * The payload of a verified token as JSON, parsed when it is first asked for: most requests never ask. Belongs to one
 * request.
 */
typedef struct clerk_payload {
    const json_t *json; /**< NULL: not parsed yet */
    jose_slice token;   /**< the whole token */
    apr_pool_t *pool;
} clerk_payload;

/**
 * Who a verified session token speaks of (protocol.md 11.5), v1 and v2 claims alike. Belongs to one request, and is
 * never changed but for its payload. All text is free of control characters (C0, DEL): a claim that has one is left out
 * (NULL; an entry of `org_permissions` alone), a `sub` that has one refuses the token.
 */
typedef struct clerk_identity {
    const char *user_id;        /**< `sub`; never NULL */
    const char *session_id;     /**< `sid` or NULL */
    const char *session_status; /**< `sts` or NULL */
    int pending;                /**< `sts` is "pending" */
    const char *org_id;         /**< NULL: no active organization */
    const char *org_slug;
    const char *org_role;             /**< with `org:`, or NULL */
    clerk_texts org_permissions;      /**< `org:feature:permission`; no list: no permission data */
    const char *org_permissions_text; /**< the same, comma-separated; NULL where there is no list */
    const char *features;             /**< `fea` as it stands, or NULL */
    const char *plans;                /**< `pla` as it stands, or NULL */
    clerk_factor_age factor_age;
    const char *factor_age_text;    /**< as `first,second`; NULL where it is not valid */
    const char *actor_id;           /**< `act.sub` or NULL */
    int has_actor;                  /**< `act` is an object: an impersonation, whoever it is */
    clerk_payload *payload;         /**< see clerk_identity_claims() */
    int permission_index_ambiguous; /**< protocol.md 11.3: what is no org feature (`u:`, another scope, malformed)
                                       precedes an org feature; only what both readings grant is granted */
} clerk_identity;

/**
 * Build the identity from a verified payload. Never fails for lack of a claim; what is missing or ill typed grants
 * nothing.
 * @param claims must live as long as @a pool: the identity points into it
 * @return the identity from @a pool, or NULL where `sub` is missing, empty, or has control characters
 */
clerk_identity *clerk_identity_create(const json_t *claims, apr_pool_t *pool);

/**
 * The whole payload, for ClerkExportClaim, clerk() and their like.
 * @return valid as long as the identity; NULL where memory is short
 */
const json_t *clerk_identity_claims(const clerk_identity *identity);

#endif
