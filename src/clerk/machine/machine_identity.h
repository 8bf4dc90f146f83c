/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_MACHINE_MACHINE_IDENTITY_H
#define CLERK_MACHINE_MACHINE_IDENTITY_H

#include "clerk/session/identity.h"

/**
 * The identity in the verified payload of a machine JWT (protocol.md 12.3 to 12.5).
 * @param type CLERK_TOKEN_M2M or CLERK_TOKEN_OAUTH
 * @param payload must live as long as @a pool: the identity points into it
 * @return from @a pool; NULL if `sub` is missing, empty, or has control characters
 */
clerk_identity *clerk_machine_identity_of_jwt(clerk_token_type type, const json_t *payload, apr_pool_t *pool);

/**
 * The identity in the Backend API's reply about an opaque token (protocol.md 12.2).
 * @param reply must live as long as @a pool
 * @return from @a pool; NULL if `id` or `subject` is missing, empty, or has control characters
 */
clerk_identity *clerk_machine_identity_of_reply(clerk_token_type type, const json_t *reply, apr_pool_t *pool);

#endif
