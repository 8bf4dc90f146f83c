/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_SESSION_TOKEN_H
#define CLERK_SESSION_SESSION_TOKEN_H

#include "clerk/instance/instance.h"
#include "clerk/reason.h"
#include "clerk/request.h"
#include "clerk/services.h"
#include "clerk/session/claims.h"
#include "clerk/session/identity.h"
#include "jose/jws.h"

/** `cat` values (protocol.md 4.2). */
#define CLERK_CAT_SESSION "cl_B7d4PD111AAA"
#define CLERK_CAT_TEMPLATE "cl_B7d4PD222AAA"
#define CLERK_CAT_M2M "cl_B7d4PD333AAA"
#define CLERK_CAT_IGNORE "cl_I7d4PD111III"

/** The session token of a request: found in the token cache (`cached`), or decoded once. */
typedef struct clerk_session_token {
    jose_slice text;
    const clerk_claims *claims; /**< of a cached token signed well, else not verified; NULL if it cannot be decoded */
    const jose_jws *jws;        /**< decoded; NULL if that failed, or if the token is cached */
    clerk_identity *cached;     /**< from the token cache: kind and signature are good, claims still to be checked */
} clerk_session_token;

/**
 * Look a token up in the token cache, else decode it. Nothing is verified here.
 * @param text must live as long as @a pool
 * @return from @a pool; never NULL
 */
clerk_session_token *clerk_session_token_read(jose_slice text, const clerk_services *services, apr_pool_t *pool);

/** The text of the token with a NUL at its end, from @a pool. */
const char *clerk_session_token_text(const clerk_session_token *token, apr_pool_t *pool);

/** The `sid` of a token, verified or not; NULL if it has none. */
const char *clerk_session_token_session_id(const clerk_session_token *token);

/** The `sub` of a token, verified or not; NULL if it has none. */
const char *clerk_session_token_user_id(const clerk_session_token *token);

/**
 * Whether the decoded token is a machine JWT (protocol.md 12.1: `typ` at+jwt, `sub` mch_) or has a non-session `cat`
 * (protocol.md 4.2). Nothing is verified, so the result may only be used to refuse the token.
 */
int clerk_session_token_is_other_type(const jose_jws *jws);

/**
 * Verify a decoded JWT's signature and header against the instance's keys. Serves session, handshake and machine
 * tokens.
 *
 * First the checks that need no keys: `crit`, and a `kid` that is not a string (differences.md row 15). Then
 * protocol.md 4.3, rows 3 to 7: key, typ, alg, key import, signature. An unknown `kid` or a bad signature may cause one
 * bounded refresh of the keys and one retry, whose result alone counts; a token without `kid` or with a bad `typ` or
 * `alg` never does. A set from a PEM key needs no `kid`.
 * @param pgeneration if not NULL, set to the generation of the keys that were used
 * @param type CLERK_TOKEN_OAUTH: `typ` is that of an access token (protocol.md 12.4); else it is absent, or `JWT`
 * @return CLERK_REASON_NONE, or the reason of protocol.md 4.3; CLERK_REASON_JWK_REMOTE_FAILED_TO_LOAD and
 *         CLERK_REASON_SECRET_KEY_INVALID mean that the token could not be checked; CLERK_REASON_UNEXPECTED_ERROR
 *         means that the crypto library failed
 */
clerk_reason clerk_session_token_verify_signature(apr_uint32_t *pgeneration, const jose_jws *jws, clerk_token_type type,
                                                  const clerk_services *services, apr_pool_t *pool);

/**
 * Verify a session token: category and machine checks (protocol.md 4.2 and 6.5), signature and claims
 * (protocol.md 4.3), and that it was not revoked. For a token from the token cache its kind and signature are good.
 * @param pidentity the identity, valid until @a pool is cleared; NULL unless CLERK_REASON_NONE
 */
clerk_reason clerk_session_token_verify(clerk_identity **pidentity, const clerk_session_token *token,
                                        const clerk_instance *instance, const clerk_policy *policy,
                                        apr_interval_time_t skew, const clerk_services *services, apr_pool_t *pool);

#endif
