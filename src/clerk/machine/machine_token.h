/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_MACHINE_MACHINE_TOKEN_H
#define CLERK_MACHINE_MACHINE_TOKEN_H

#include "clerk/browser/context.h"

/**
 * Decide a request by the token in its header, in a place that takes other kinds than session tokens
 * (protocol.md 6.3, 6.4 and 6.6, and 12). A kind that is not accepted is refused without any call.
 * @return the context's outcome; NULL: it is no machine token, and session tokens are accepted
 */
clerk_outcome *clerk_machine_token_decide(clerk_context *context, jose_slice token);

/** The outcome of a request without a token in its header, where no session tokens are accepted. */
clerk_outcome *clerk_machine_token_missing(clerk_context *context);

/** The password of a field Authorization with Basic, from the pool; NULL: it is another one, or cannot be decoded. */
const char *clerk_machine_token_password(const char *authorization, apr_pool_t *pool);

/**
 * The machine token in the password of an `Authorization: Basic`, of the kinds that the policy accepts.
 * @param authorization the whole value
 * @param ptoken from @a pool
 * @return 0 if there is none
 */
int clerk_machine_token_of_basic(jose_slice *ptoken, const char *authorization, const clerk_policy *policy,
                                 apr_pool_t *pool);

#endif
