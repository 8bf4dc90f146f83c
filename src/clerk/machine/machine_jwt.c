/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/machine/machine_jwt.h"

#include <string.h>

#include "clerk/machine/machine_identity.h"
#include "clerk/session/session_token.h"

static int has_other_category(const jose_jws *jws)
{
    const json_t *cat = json_object_get(jws->header, "cat");
    const char *text = json_string_value(cat);

    return cat && (!text || strcmp(text, CLERK_CAT_M2M));
}

clerk_reason clerk_machine_jwt_verify(clerk_token_record **precord, apr_uint32_t *pgeneration,
                                      const clerk_machine_form *form, const clerk_services *services, apr_pool_t *pool)
{
    clerk_token_record *record;
    clerk_identity *identity;
    clerk_reason reason;

    *precord = NULL;
    if (!form->jws || (form->type == CLERK_TOKEN_M2M && has_other_category(form->jws))) {
        return CLERK_REASON_TOKEN_INVALID;
    }
    reason = clerk_session_token_verify_signature(pgeneration, form->jws, form->type, services, pool);
    if (reason != CLERK_REASON_NONE) {
        return clerk_reason_is_unavailable(reason) ? reason : CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    }
    identity = clerk_machine_identity_of_jwt(form->type, form->jws->payload, pool);
    if (!identity) {
        return CLERK_REASON_TOKEN_VERIFICATION_FAILED;
    }
    record = apr_palloc(pool, sizeof(*record));
    clerk_claims_read_machine(&record->claims, form->jws->payload, pool);
    record->identity = *identity;
    *precord = record;
    return CLERK_REASON_NONE;
}
