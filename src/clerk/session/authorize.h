/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_AUTHORIZE_H
#define CLERK_SESSION_AUTHORIZE_H

#include "clerk/session/identity.h"

/*
 * The checks behind the Require lines (protocol.md 11.6 and 11.7), exactly as the SDK's has(). Each returns 0 or 1; a
 * NULL or empty argument gives 0, and so does any kind of identity but a session. Never called with the identity of a
 * pending session that counts as signed out.
 */

/** Role in the active organization. All leading `org:` are ignored on both sides. No active organization: 0. */
int clerk_authorize_role(const clerk_identity *identity, const char *role);
/** Active organization, by id or by slug; NULL: any active organization. */
int clerk_authorize_org(const clerk_identity *identity, const char *id_or_slug);
/** Permission in the active organization. All leading `org:` of @a permission are ignored. No active organization: 0.
 */
int clerk_authorize_permission(const clerk_identity *identity, const char *permission);
/** Feature or plan: `name` in any scope, or `scope:name` with scope o, org, organization, u or user; other scopes: 0.
 */
int clerk_authorize_feature(const clerk_identity *identity, const char *feature);
int clerk_authorize_plan(const clerk_identity *identity, const char *plan);

typedef enum clerk_factor_level {
    CLERK_FIRST_FACTOR,
    CLERK_SECOND_FACTOR,
    CLERK_MULTI_FACTOR
} clerk_factor_level;

typedef struct clerk_reverification {
    clerk_factor_level level;
    double after_minutes;
    const char *preset; /**< "strict" and so on, or NULL for a custom level */
} clerk_reverification;

/**
 * Parse a preset name (@a minutes NULL), or a level with minutes: decimal, a fraction allowed, above 0.
 * @return NULL, or a static text that says what is allowed; then @a reverification is undefined
 */
const char *clerk_authorize_parse_reverification(clerk_reverification *reverification, const char *level,
                                                 const char *minutes);
int clerk_authorize_reverification(const clerk_identity *identity, const clerk_reverification *reverification);
/** A second factor was verified in this session, whenever that was. */
int clerk_authorize_mfa(const clerk_identity *identity);
/** The session is an impersonation. */
int clerk_authorize_actor(const clerk_identity *identity);

/** Whether a word names a type of token: `session`, `api-key`, `m2m`, `oauth`, or as in CLERK_TOKEN_TYPE. */
int clerk_authorize_is_token_type(const char *word);

/** `clerk-token`: whether the token is of the type that a word names. */
int clerk_authorize_token(const clerk_identity *identity, const char *word);

/** `clerk-scope`: whether a machine token has a scope; a session has none. */
int clerk_authorize_scope(const clerk_identity *identity, const char *scope);

#endif
