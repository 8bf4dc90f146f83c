/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_AUTHENTICATE_H
#define CLERK_AUTHENTICATE_H

#include "clerk/instance/instance.h"
#include "clerk/outcome.h"
#include "clerk/request.h"
#include "clerk/services.h"

/**
 * Decide whether a request is signed in: protocol.md 6 in full, with the deviations of differences.md. Cookies
 * have session tokens only: if the policy takes none of these, or takes them from the header only, no cookie is read
 * and no handshake proposed. Side
 * effects: those of the services, and clerk_request_complete().
 */
clerk_outcome *clerk_authenticate(clerk_request *request, const clerk_instance *instance, const clerk_policy *policy,
                                  const clerk_services *services, apr_pool_t *pool);

#endif
