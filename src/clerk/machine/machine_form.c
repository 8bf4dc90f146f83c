/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/machine/machine_form.h"

#include <string.h>

#include "jose/json.h"
#include "text/text.h"

static int begins_with(jose_slice token, const char *prefix)
{
    apr_size_t len = strlen(prefix);

    return token.len >= len && !memcmp(token.data, prefix, len);
}

int clerk_machine_form_has_prefix(jose_slice token)
{
    return begins_with(token, "ak_") || begins_with(token, "mt_") || begins_with(token, "oat_");
}

/* Three parts of base64url, none of them empty, with dots between them. */
static int looks_like_jwt(jose_slice token)
{
    apr_size_t part = 0;
    int dots = 0;

    for (apr_size_t i = 0; i < token.len; i++) {
        char c = token.data[i];

        if (c == '.' && part > 0) {
            part = 0;
            dots++;
        } else if (clerk_text_is_alnum(c) || c == '-' || c == '_') {
            part++;
        } else {
            return 0;
        }
    }
    return dots == 2 && part > 0;
}

static int is_m2m(const jose_jws *jws)
{
    const char *subject = jws ? jose_json_string(jws->payload, "sub") : NULL;

    return subject && clerk_text_begins_with(subject, "mch_");
}

static int is_oauth(const jose_jws *jws)
{
    const char *typ = jws ? jose_json_string(jws->header, "typ") : NULL;

    return typ && (!strcmp(typ, "at+jwt") || !strcmp(typ, "application/at+jwt"));
}

clerk_machine_form clerk_machine_form_of(jose_slice token, apr_pool_t *pool)
{
    clerk_machine_form form = {CLERK_TOKEN_SESSION, looks_like_jwt(token), NULL};
    jose_jws *jws;

    if (form.is_jwt && jose_jws_decode(&jws, token, pool) == JOSE_OK) {
        form.jws = jws;
    }
    if (begins_with(token, "mt_") || is_m2m(form.jws)) {
        form.type = CLERK_TOKEN_M2M;
    } else if (begins_with(token, "oat_") || is_oauth(form.jws)) {
        form.type = CLERK_TOKEN_OAUTH;
    } else if (begins_with(token, "ak_")) {
        form.type = CLERK_TOKEN_API_KEY;
    }
    return form;
}
