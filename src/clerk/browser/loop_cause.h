/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_LOOP_CAUSE_H
#define CLERK_BROWSER_LOOP_CAUSE_H

#include "clerk/instance/instance.h"
#include "clerk/outcome.h"
#include "clerk/request.h"
#include "clerk/services.h"

/** Known causes of a redirect loop. */
typedef enum clerk_loop_cause {
    CLERK_LOOP_UNKNOWN,
    CLERK_LOOP_WRONG_ORIGIN,    /**< browsers know the site by another scheme, host or port than this server does */
    CLERK_LOOP_CLOCK,           /**< this server's clock, or Clerk's, is wrong */
    CLERK_LOOP_TWO_CLIENT_UATS, /**< several `__client_uat` cookies that contradict each other */
    CLERK_LOOP_WRONG_KEY,       /**< the keys here are not those of the instance that answered */
    CLERK_LOOP_COOKIES,         /**< the browser does not keep Clerk's cookies, or not all of them */
    CLERK_LOOP_ANSWER_TOO_LARGE /**< nor the answer of a handshake, which is a large cookie without a secret key */
} clerk_loop_cause;

/** What the request says about the address of the site, besides clerk_request: not trustworthy, good enough for a hint.
 */
typedef struct clerk_address_hints {
    const char *forwarded_proto; /**< of X-Forwarded-Proto or Forwarded, lower case; or NULL */
    const char *forwarded_host;  /**< of X-Forwarded-Host or Forwarded, lower case; or NULL */
    const char *host;            /**< the Host field, lower case; NULL if the origin is configured */
} clerk_address_hints;

/**
 * Guess the cause of a loop from the request that ended it. No side effects. The result must not decide about access: a
 * client can forge everything it is derived from.
 * @param outcome with `loop` set
 * @param services for the clock, and to read the session cookie
 */
clerk_loop_cause clerk_loop_cause_find(const clerk_request *request, const clerk_address_hints *hints,
                                       const clerk_instance *instance, const clerk_outcome *outcome,
                                       const clerk_services *services, apr_pool_t *pool);

/** A few words for the log, such as "wrong scheme or host". Never NULL. */
const char *clerk_loop_cause_text(clerk_loop_cause cause);

/** Further words for the log: for CLERK_LOOP_ANSWER_TOO_LARGE the size of the session token. "" if there is nothing to
 * say. */
const char *clerk_loop_cause_detail(clerk_loop_cause cause, const clerk_request *request,
                                    const clerk_instance *instance, const clerk_services *services, apr_pool_t *pool);

#endif
