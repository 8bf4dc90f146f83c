/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_AUTHENTICATE_H
#define CLERK_AUTHENTICATE_H

#include "clerk/authenticate.h"
#include "clerk/instance/instance.h"
#include "clerk/outcome.h"
#include "clerk/request.h"
#include "clerk/services.h"

/**
 * Decide whether a request is signed in: protocol.md 6 in full, with the deviations of differences.md. No side effects
 * but those of the services, and that the request may be completed. Only session tokens; header alone where the policy
 * says so (then no cookie is looked at and no handshake is proposed).
 */
clerk_outcome *clerk_authenticate(clerk_request *request, const clerk_instance *instance, const clerk_policy *policy,
                                  const clerk_services *services, apr_pool_t *pool);

#endif
