/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_IDENTITY_H
#define CLERK_SESSION_IDENTITY_H

#include <jansson.h>

#include "clerk/session/texts.h"
#include "clerk/token_type.h"
#include "jose/jose.h"

/** `fva`: minutes since the first and second factor were verified; -1: never. */
typedef struct clerk_factor_age {
    int valid; /**< `fva` is present and well formed (protocol.md 11.7) */
    double first;
    double second;
} clerk_factor_age;

/**
 * The payload of a verified token as JSON, parsed on first use: most requests do not need it. Belongs to one request.
 */
typedef struct clerk_payload {
    const json_t *json; /**< NULL: not parsed yet */
    jose_slice token;   /**< the whole token */
    apr_pool_t *pool;
} clerk_payload;

/**
 * Whom a verified token stands for: the user, session and organization of a session token (protocol.md 11.5, for claims
 * of version 1 and 2), or the holder of a machine token (protocol.md 12.5), which has none of a session's members but
 * perhaps an `org_id`. Belongs to one request; immutable except for its payload. No text has control characters (C0,
 * DEL): a claim with one is left out (NULL; of `org_permissions` only the entry is left out), and a token with one in
 * `sub` is refused.
 *
 * A pointer that is added here or to clerk_claims has to be added to the tables of token_record.c.
 */
typedef struct clerk_identity {
    clerk_token_type kind;  /**< of the token */
    int pending;            /**< `sts` is "pending" */
    const char *subject;    /**< `sub`; never NULL: what REMOTE_USER is, unless ClerkRemoteUser says otherwise */
    const char *user_id;    /**< the user; NULL for a machine, or an organization's API key */
    clerk_payload *payload; /**< see clerk_identity_claims() */
    clerk_texts scopes;     /**< of a machine token; no list: a session token */

    /* What a machine token has. */

    const char *token_id;    /**< `id` of an opaque token, `jti` of a JWT; or NULL */
    const char *client_id;   /**< the OAuth client; or NULL */
    const char *name;        /**< of an API key; or NULL */
    const char *scopes_text; /**< the scopes, separated by spaces; NULL if there is no list */
    const char *claims_text; /**< of an opaque token: its claims as JSON; NULL: they are in the token itself */

    /* What a session has. */

    int permission_index_ambiguous; /**< protocol.md 11.3: an element of `fea` that is no org feature (`u:`, another
                                       scope, malformed) precedes one that is; see permissions.h */
    int has_actor;                  /**< `act` is an object: the session is an impersonation */
    const char *session_id;         /**< `sid` or NULL */
    const char *session_status;     /**< `sts` or NULL */
    const char *org_id;             /**< NULL: no active organization */
    const char *org_slug;
    const char *org_role;             /**< with `org:`, or NULL */
    clerk_texts org_permissions;      /**< `org:feature:permission`; no list: no permission data */
    const char *org_permissions_text; /**< the same, separated by commas; NULL if there is no list */
    const char *features;             /**< `fea` unchanged, or NULL */
    const char *plans;                /**< `pla` unchanged, or NULL */
    clerk_factor_age factor_age;
    const char *factor_age_text; /**< as `first,second`; NULL if it is not valid */
    const char *actor_id;        /**< `act.sub` or NULL */
} clerk_identity;

/**
 * Build the identity from the verified payload of a session token. Claims that are missing or of the wrong type grant
 * nothing.
 * @param claims must live as long as @a pool: the identity points into it
 * @return from @a pool; NULL if `sub` is missing, empty, or has control characters
 */
clerk_identity *clerk_identity_create(const json_t *claims, apr_pool_t *pool);

/**
 * The whole payload, for ClerkExportClaim, clerk() and others.
 * @return valid as long as the identity; NULL if memory is short
 */
const json_t *clerk_identity_claims(const clerk_identity *identity);

#endif
