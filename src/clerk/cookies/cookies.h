/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_COOKIES_COOKIES_H
#define CLERK_COOKIES_COOKIES_H

#include <apr_tables.h>
#include <apr_time.h>

#include "clerk/instance/instance.h"
#include "clerk/protocol.h"
#include "clerk/services.h"
#include "clerk/session/session_token.h"

/** So many handshakes in a row are a loop. */
#define CLERK_LOOP_LIMIT 3

/** Clerk's cookies of one request. Texts are decoded; an empty or missing cookie is NULL. */
typedef struct clerk_cookies {
    int suffixed;                       /**< the suffixed cookies count (protocol.md 2.5) */
    const clerk_session_token *session; /**< read and not verified; NULL without one */
    apr_int64_t client_uat;             /**< seconds; 0: absent, or signed out */
    const char *refresh;                /**< only ever the suffixed one */
    const char *dev_browser;
    const char *handshake;
    const char *handshake_nonce;
    int redirect_count; /**< 0, 1 or 2; anything else in the cookie is CLERK_LOOP_LIMIT */
} clerk_cookies;

/**
 * Read a Cookie header (protocol.md 2.3 and 2.4) and decide which set counts (protocol.md 2.5). Nothing is verified
 * here.
 * @param header all Cookie fields joined with "; ", or NULL
 * @param services for the tokens it remembers, and the clock: one rule asks whether a token has expired
 */
const clerk_cookies *clerk_cookies_read(const char *header, const clerk_instance *instance,
                                        const clerk_services *services, apr_pool_t *pool);

#endif
