/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_COOKIES_COOKIES_H
#define CLERK_COOKIES_COOKIES_H

#include <apr_tables.h>
#include <apr_time.h>

#include "clerk/instance/instance.h"
#include "clerk/protocol.h"
#include "clerk/services.h"
#include "clerk/session/session_token.h"

/** The number of handshakes in a row that counts as a loop. */
#define CLERK_LOOP_LIMIT 3

/** Clerk's cookies of a request. Texts are decoded; an empty or missing cookie is NULL. */
typedef struct clerk_cookies {
    int suffixed;                       /**< the suffixed cookies are used (protocol.md 2.5) */
    const clerk_session_token *session; /**< from the cache, or decoded and not verified; NULL if there is none */
    apr_int64_t client_uat;             /**< seconds; 0: absent, or signed out */
    const char *refresh;                /**< the suffixed one; there is no other */
    const char *dev_browser;
    const char *handshake;
    const char *handshake_nonce;
    int redirect_count; /**< of the SDK, which counts for all pages together: 0, 1 or 2; anything else in the cookie is
                           CLERK_LOOP_LIMIT */
    int has_rounds;     /**< there are cookies of clerk/browser/rounds.h */
    int has_any;        /**< there is a cookie with one of Clerk's names, whatever its suffix and value */
} clerk_cookies;

/**
 * Read a Cookie header (protocol.md 2.3 and 2.4) and decide whether the cookies with or without suffix are used
 * (protocol.md 2.5). Nothing is verified here.
 * @param header all Cookie fields joined with "; ", or NULL
 * @param services for the token cache, and for the clock: one rule asks whether a token has expired
 */
const clerk_cookies *clerk_cookies_read(const char *header, const clerk_instance *instance,
                                        const clerk_services *services, apr_pool_t *pool);

#endif
