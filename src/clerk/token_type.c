/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/token_type.h"

const char *clerk_token_type_name(clerk_token_type type)
{
    static const char *const names[] = {[CLERK_TOKEN_SESSION] = "session_token",
                                        [CLERK_TOKEN_API_KEY] = "api_key",
                                        [CLERK_TOKEN_M2M] = "m2m_token",
                                        [CLERK_TOKEN_OAUTH] = "oauth_token"};

    return names[type];
}
