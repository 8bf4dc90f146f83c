/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/claim_value.h"

#include "jose/jws.h"

int clerk_text_is_clean(const char *text)
{
    const unsigned char *p;

    for (p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f) {
            return 0;
        }
    }
    return 1;
}

const char *clerk_claim_text(const json_t *object, const char *name)
{
    const char *text = jose_json_string(object, name);

    return text && clerk_text_is_clean(text) ? text : NULL;
}
