/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/token.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/cookies/cookie_header.h"
#include "clerk/machine/machine_form.h"
#include "clerk/machine/machine_token.h"
#include "clerk/protocol.h"
#include "clerk/session/session_token.h"
#include "ctl/explain.h"
#include "ctl/token_text.h"
#include "jose/jws.h"

/* The first session cookie, with or without suffix. */
static const char *token_of_cookies(const char *header, apr_pool_t *pool)
{
    const char *cookies = clerk_cookie_header_join(header, pool);
    clerk_raw_cookie cookie;
    apr_size_t len = strlen(CLERK_COOKIE_SESSION);

    while (cookies && clerk_cookie_header_next(&cookie, &cookies)) {
        if (cookie.name.len >= len && !strncmp(cookie.name.data, CLERK_COOKIE_SESSION, len) && cookie.value.len > 0) {
            return clerk_cookie_header_value(cookie.value, pool);
        }
    }
    return NULL;
}

static const char *token_of(const clerk_http_text *request, apr_pool_t *pool)
{
    const char *authorization = clerk_http_text_field(request, "Authorization");
    const char *space = authorization ? strchr(authorization, ' ') : NULL;
    const char *password = authorization ? clerk_machine_token_password(authorization, pool) : NULL;

    if (password) {
        return password;
    }
    if (authorization) {
        return space ? space + 1 : authorization;
    }
    return token_of_cookies(clerk_http_text_field(request, "Cookie"), pool);
}

/* Verify the signature, and for a session token all of its claims. */
static clerk_reason verify(clerk_setup *setup, const char *token)
{
    jose_slice text = {token, strlen(token)};
    clerk_machine_form form = clerk_machine_form_of(text, setup->pool);
    clerk_services services;
    clerk_identity *identity;
    jose_jws *jws;

    clerk_setup_services(&services, setup);
    if (form.type == CLERK_TOKEN_SESSION) {
        return clerk_session_token_verify(&identity, clerk_session_token_read(text, &services, setup->pool),
                                          setup->instance, &setup->dir.policy, setup->dir.policy.clock_skew, &services,
                                          setup->pool);
    }
    if (jose_jws_decode(&jws, text, setup->pool) != JOSE_OK) {
        return CLERK_REASON_TOKEN_INVALID;
    }
    return clerk_session_token_verify_signature(NULL, jws, form.type, &services, setup->pool);
}

static const char *verdict_of(const clerk_setup *setup, int has_keys, clerk_reason reason)
{
    if (!has_keys) {
        return setup->instance->jwks_url ? "NOTHING IS VERIFIED: anybody can write such a token. Its keys cannot be "
                                           "had with --offline; --jwks "
                                           "FILE and --jwt-key name them."
                                         : "NOTHING IS VERIFIED: anybody can write such a token. Name the keys by "
                                           "--publishable-key, --jwks or "
                                           "--jwt-key.";
    }
    return reason == CLERK_REASON_NONE
               ? "VERIFIED: its signature is good for these keys."
               : apr_psprintf(setup->pool, "NOT GOOD: %s. Nothing that it says can be believed.",
                              clerk_reason_text(reason));
}

static clerk_output_code code_of(const clerk_setup *setup, int has_keys, clerk_reason reason)
{
    if (!has_keys) {
        return setup->instance->jwks_url ? CLERK_OUTPUT_UNAVAILABLE : CLERK_OUTPUT_GOOD;
    }
    return reason == CLERK_REASON_NONE           ? CLERK_OUTPUT_GOOD
           : clerk_reason_is_unavailable(reason) ? CLERK_OUTPUT_UNAVAILABLE
                                                 : CLERK_OUTPUT_BAD;
}

/* Neither a JWT nor one of the tokens that only Clerk can read. */
static int is_garbage(const json_t *document)
{
    const char *looks_like = json_string_value(json_object_get(document, "looks_like"));

    return json_object_get(document, "problem") && looks_like && !strcmp(looks_like, "session token");
}

clerk_output_code clerk_token_run(clerk_setup *setup, const clerk_http_text *request)
{
    clerk_output *out = setup->out;
    const char *token = token_of(request, setup->pool), *problem;
    int has_keys = setup->static_keys || (setup->instance->jwks_url && !setup->offline);
    clerk_reason reason = CLERK_REASON_NONE;
    json_t *document, *shown;

    clerk_explain_hide(out, request);
    if (!token || !*token) {
        return clerk_output_fail(out, CLERK_OUTPUT_USAGE, "there is no token in the input");
    }
    document = clerk_token_text_of(token, out);
    if (!has_keys && is_garbage(document)) {
        problem = apr_pstrdup(setup->pool, json_string_value(json_object_get(document, "problem")));
        json_decref(document);
        return clerk_output_fail(out, CLERK_OUTPUT_USAGE, "there is no token in the input: %s", problem);
    }
    if (has_keys) {
        reason = verify(setup, token);
    }
    (void)json_object_set_new(document, "verified", json_boolean(has_keys && reason == CLERK_REASON_NONE));
    (void)json_object_set_new(document, "reason",
                              has_keys && reason != CLERK_REASON_NONE ? json_string(clerk_reason_text(reason))
                                                                      : json_null());
    shown = clerk_gate_pass_document(out->gate, document);
    json_decref(document);
    if (out->as_json) {
        clerk_output_document(out, shown);
    } else {
        clerk_output_print(out, "%s\n", verdict_of(setup, has_keys, reason));
        clerk_token_text_print(out, shown, setup->now);
    }
    json_decref(shown);
    return code_of(setup, has_keys, reason);
}
