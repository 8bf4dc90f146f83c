/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_TOKEN_TYPE_H
#define CLERK_TOKEN_TYPE_H

/** The kinds of token that Clerk issues (protocol.md 4.2 and 12). */
typedef enum clerk_token_type {
    CLERK_TOKEN_SESSION,
    CLERK_TOKEN_API_KEY,
    CLERK_TOKEN_M2M,
    CLERK_TOKEN_OAUTH
} clerk_token_type;

/** The number of clerk_token_type values. */
#define CLERK_TOKEN_TYPES (CLERK_TOKEN_OAUTH + 1)

/** As @clerk/backend spells it: "session_token", "api_key", "m2m_token" or "oauth_token". */
const char *clerk_token_type_name(clerk_token_type type);

#endif
