/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/claim_value.h"

#include "jose/jws.h"

int clerk_claim_seconds(apr_int64_t *pseconds, const json_t *value)
{
    *pseconds = 0;
    if (json_is_integer(value)) {
        json_int_t seconds = json_integer_value(value);

        if (seconds < -CLERK_CLAIM_SECONDS_MAX || seconds > CLERK_CLAIM_SECONDS_MAX)
            return 0;
        *pseconds = seconds;
        return 1;
    }
    if (json_is_real(value)) {
        double seconds = json_real_value(value), beyond = (double)CLERK_CLAIM_SECONDS_MAX + 1;

        /* Before the conversion, which is undefined for what the integer cannot hold. It cuts off the fraction. */
        if (!(seconds > -beyond && seconds < beyond))
            return 0;
        *pseconds = (apr_int64_t)seconds;
        return 1;
    }
    return 0;
}

int clerk_text_is_clean(const char *text)
{
    const unsigned char *p;

    for (p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            return 0;
    }
    return 1;
}

const char *clerk_claim_text(const json_t *object, const char *name)
{
    const char *text = jose_json_string(object, name);

    return text && clerk_text_is_clean(text) ? text : NULL;
}
