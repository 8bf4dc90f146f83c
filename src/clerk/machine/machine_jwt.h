/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_MACHINE_MACHINE_JWT_H
#define CLERK_MACHINE_MACHINE_JWT_H

#include "clerk/machine/machine_form.h"
#include "clerk/reason.h"
#include "clerk/services.h"

/**
 * Verify the signature of a machine JWT with the instance's keys, and read what is in it (protocol.md 12.3 and 12.4).
 * The claims are not checked: clerk_claims_check_machine().
 * @param form with `is_jwt`
 * @param precord from @a pool; NULL unless CLERK_REASON_NONE
 * @param pgeneration of the keys that were used
 */
clerk_reason clerk_machine_jwt_verify(clerk_token_record **precord, apr_uint32_t *pgeneration,
                                      const clerk_machine_form *form, const clerk_services *services, apr_pool_t *pool);

#endif
