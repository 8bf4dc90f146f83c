/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_LOOP_CAUSE_H
#define CLERK_BROWSER_LOOP_CAUSE_H

#include "clerk/instance/instance.h"
#include "clerk/outcome.h"
#include "clerk/request.h"
#include "clerk/services.h"

/** What sends a browser round in circles. */
typedef enum clerk_loop_cause {
    CLERK_LOOP_UNKNOWN,
    CLERK_LOOP_WRONG_ORIGIN,    /**< browsers know the site by another scheme, host or port than this server does */
    CLERK_LOOP_CLOCK,           /**< this server's clock, or Clerk's, is wrong */
    CLERK_LOOP_TWO_CLIENT_UATS, /**< several `__client_uat` cookies that contradict each other */
    CLERK_LOOP_WRONG_KEY,       /**< the keys here are not those of the instance that answered */
    CLERK_LOOP_COOKIES          /**< the browser does not keep Clerk's cookies, or not all of them */
} clerk_loop_cause;

/** What a request shows of the site's address besides `clerk_request`: never to be believed, good enough for a hint. */
typedef struct clerk_address_hints {
    const char *forwarded_proto; /**< first value of X-Forwarded-Proto, lower case; or NULL */
    const char *forwarded_host;  /**< first value of X-Forwarded-Host, lower case; or NULL */
    const char *host;            /**< the Host field, lower case; NULL where the origin was configured */
} clerk_address_hints;

/**
 * The known cause that fits a loop best, judged from the request that ended it. No side effects; nothing that it finds
 * may decide about access: a client can make up every part of it.
 * @param outcome one with `loop` set
 * @param services for the clock, and to read the session cookie
 */
clerk_loop_cause clerk_loop_cause_find(const clerk_request *request, const clerk_address_hints *hints,
                                       const clerk_instance *instance, const clerk_outcome *outcome,
                                       const clerk_services *services, apr_pool_t *pool);

/** A few words for the log, such as "wrong scheme or host". Never NULL. */
const char *clerk_loop_cause_text(clerk_loop_cause cause);

#endif
