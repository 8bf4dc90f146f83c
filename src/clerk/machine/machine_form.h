/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_MACHINE_MACHINE_FORM_H
#define CLERK_MACHINE_MACHINE_FORM_H

#include "clerk/token_type.h"
#include "jose/jws.h"

/** What a token looks like. Nothing in it is verified. */
typedef struct clerk_machine_form {
    clerk_token_type type; /**< CLERK_TOKEN_SESSION: it is no machine token */
    int is_jwt;            /**< three parts of base64url with dots between them (protocol.md 12.1) */
    const jose_jws *jws;   /**< decoded; NULL if it is no JWT, or cannot be decoded */
} clerk_machine_form;

/** Whether a token begins as an opaque machine token does: `ak_`, `mt_` or `oat_`. */
int clerk_machine_form_has_prefix(jose_slice token);

/**
 * The form of a token, by the rows of protocol.md 12.1.
 * @param token must live as long as @a pool
 */
clerk_machine_form clerk_machine_form_of(jose_slice token, apr_pool_t *pool);

#endif
