/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_IDENTITY_H
#define CLERK_IDENTITY_H

#include <apr_tables.h>
#include <jansson.h>

/** `fva`: minutes since the first and second factor were verified; -1: never. */
typedef struct clerk_factor_age {
    int valid;                       /**< `fva` is there and well formed (11.7) */
    double first;
    double second;
} clerk_factor_age;

/** Features or plans of one token, split by scope (11.4). Lists hold const char *, never NULL, in the token's order. */
typedef struct clerk_scoped_names {
    apr_array_header_t *org;
    apr_array_header_t *user;
} clerk_scoped_names;

/**
 * Who a verified session token speaks of (11.5), v1 and v2 claims alike. Made once per verification and never
 * changed. All text is free of control characters (C0, DEL): a claim that has one is left out (NULL; an entry of
 * `org_permissions` alone), a `sub` that has one refuses the token.
 */
typedef struct clerk_identity {
    const char *user_id;             /**< `sub`; never NULL */
    const char *session_id;          /**< `sid` or NULL */
    const char *session_status;      /**< `sts` or NULL */
    int pending;                     /**< `sts` is "pending" */
    const char *org_id;              /**< NULL: no active organization */
    const char *org_slug;
    const char *org_role;            /**< with `org:`, or NULL */
    apr_array_header_t *org_permissions; /**< of const char *, `org:feature:permission`; NULL: no permission data */
    const char *org_permissions_text; /**< the same, comma-separated; NULL where there is none of it */
    clerk_scoped_names features;
    clerk_scoped_names plans;
    const char *features_text;       /**< `fea` as it stands, or NULL */
    const char *plans_text;          /**< `pla` as it stands, or NULL */
    clerk_factor_age factor_age;
    const char *factor_age_text;     /**< as `first,second`; NULL where it is not valid */
    const char *actor_id;            /**< `act.sub` or NULL */
    int has_actor;                   /**< `act` is an object: an impersonation, whoever it is */
    apr_int64_t expires;             /**< `exp`, seconds */
    const json_t *claims;            /**< the payload, for ClerkExportClaim and clerk(); lives as long as the pool */
    int permission_index_ambiguous;  /**< 11.3: what is no org feature (`u:`, another scope, malformed) precedes an org
                                          feature; only what both readings grant is granted */
} clerk_identity;

/**
 * Build the identity from a verified payload. Never fails for lack of a claim; what is missing or ill typed grants
 * nothing. A malformed `fea`/`pla` element is ignored.
 * @param claims must live as long as @a pool: the identity points into it
 * @return the identity from @a pool, or NULL where `sub` is missing, empty, or has control characters
 */
clerk_identity *clerk_identity_create(const json_t *claims, apr_pool_t *pool);

#endif
