/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_MACHINE_OPAQUE_TOKEN_H
#define CLERK_MACHINE_OPAQUE_TOKEN_H

#include "clerk/instance/instance.h"
#include "clerk/request.h"
#include "clerk/services.h"

/** What the Backend API says about an opaque token. */
typedef struct clerk_opaque_result {
    clerk_reason reason;
    clerk_token_record *record; /**< with the time until which it may be believed as `exp`; NULL unless
                                   CLERK_REASON_NONE */
    int retry_after;            /**< seconds until another try makes sense; 0: not known */
    const char *refused_key;    /**< the directive of a key of ours that Clerk refuses, or that is missing; or NULL */
} clerk_opaque_result;

/**
 * Ask the Backend API about an API key, an opaque M2M token or an opaque OAuth token (protocol.md 12.2). A 2xx is not
 * enough: see differences.md row 5. No call is made for a token that cannot be one.
 * @param type of the token; not CLERK_TOKEN_SESSION
 */
clerk_opaque_result clerk_opaque_token_verify(clerk_token_type type, jose_slice token, const clerk_request *request,
                                              const clerk_instance *instance, const clerk_services *services,
                                              apr_pool_t *pool);

#endif
