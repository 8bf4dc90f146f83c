/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/machine/machine_identity.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "clerk/session/claim.h"
#include "text/text.h"

/* A scope with a space in it would be two scopes in CLERK_SCOPES. */
static void add_scope(apr_array_header_t *scopes, const char *scope)
{
    if (scope && *scope && clerk_text_is_clean(scope) && !strchr(scope, ' ')) {
        APR_ARRAY_PUSH(scopes, const char *) = scope;
    }
}

static void split_scopes(apr_array_header_t *scopes, const char *text, apr_pool_t *pool)
{
    while (*text) {
        apr_size_t len = strcspn(text, " ");

        add_scope(scopes, apr_pstrmemdup(pool, text, len));
        text += len + (text[len] == ' ');
    }
}

/* The strings of an array, or a string that is one scope. */
static void take_scopes(apr_array_header_t *scopes, const json_t *value)
{
    add_scope(scopes, json_string_value(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        add_scope(scopes, json_string_value(json_array_get(value, i)));
    }
}

/* M2M: `scopes`, else `aud`. OAuth: `scp`, else `scope`. A member of another type than it should be grants nothing. */
static apr_array_header_t *scopes_of_jwt(clerk_token_type type, const json_t *payload, apr_pool_t *pool)
{
    apr_array_header_t *scopes = apr_array_make(pool, 4, sizeof(const char *));
    const json_t *text = json_object_get(payload, type == CLERK_TOKEN_M2M ? "scopes" : "scope");
    const json_t *list = json_object_get(payload, type == CLERK_TOKEN_M2M ? "aud" : "scp");

    if (type == CLERK_TOKEN_OAUTH && list && !json_is_null(list)) {
        take_scopes(scopes, json_is_array(list) ? list : NULL);
    } else if (text && !json_is_null(text)) {
        split_scopes(scopes, json_is_string(text) ? json_string_value(text) : "", pool);
    } else if (type == CLERK_TOKEN_M2M) {
        take_scopes(scopes, list);
    }
    return scopes;
}

static clerk_identity *create(clerk_token_type type, const char *subject, const apr_array_header_t *scopes,
                              const json_t *claims, apr_pool_t *pool)
{
    clerk_identity *identity = apr_pcalloc(pool, sizeof(*identity));

    identity->kind = type;
    identity->subject = subject;
    identity->scopes = clerk_texts_make(scopes, pool);
    identity->scopes_text = clerk_texts_join(&identity->scopes, ' ', pool);
    if (type == CLERK_TOKEN_OAUTH || (type == CLERK_TOKEN_API_KEY && clerk_text_begins_with(subject, "user_"))) {
        identity->user_id = subject;
    } else if (type == CLERK_TOKEN_API_KEY && clerk_text_begins_with(subject, "org_")) {
        identity->org_id = subject;
    }
    identity->payload = apr_pcalloc(pool, sizeof(*identity->payload));
    identity->payload->json = claims;
    identity->payload->pool = pool;
    return identity;
}

clerk_identity *clerk_machine_identity_of_jwt(clerk_token_type type, const json_t *payload, apr_pool_t *pool)
{
    const char *subject = clerk_claim_text(payload, "sub");
    clerk_identity *identity;

    if (!subject || !*subject) {
        return NULL;
    }
    identity = create(type, subject, scopes_of_jwt(type, payload, pool), payload, pool);
    identity->token_id = clerk_claim_text(payload, "jti");
    if (type == CLERK_TOKEN_OAUTH) {
        identity->client_id = clerk_claim_text(payload, "client_id");
    }
    return identity;
}

/* The claims of an API key or an M2M token as JSON, for the token cache. */
static const char *claims_text_of(const json_t *reply, apr_pool_t *pool)
{
    const json_t *claims = json_object_get(reply, "claims");
    char *text = json_is_object(claims) ? json_dumps(claims, JSON_COMPACT) : NULL;
    const char *copy = text ? apr_pstrdup(pool, text) : "{}";

    free(text);
    return copy;
}

clerk_identity *clerk_machine_identity_of_reply(clerk_token_type type, const json_t *reply, apr_pool_t *pool)
{
    const char *id = clerk_claim_text(reply, "id"), *subject = clerk_claim_text(reply, "subject");
    apr_array_header_t *scopes = apr_array_make(pool, 4, sizeof(const char *));
    clerk_identity *identity;

    if (!id || !*id || !subject || !*subject) {
        return NULL;
    }
    take_scopes(scopes, json_object_get(reply, "scopes"));
    identity = create(type, subject, scopes, NULL, pool);
    identity->token_id = id;
    identity->claims_text = claims_text_of(reply, pool);
    if (type == CLERK_TOKEN_API_KEY) {
        identity->name = clerk_claim_text(reply, "name");
    } else if (type == CLERK_TOKEN_OAUTH) {
        identity->client_id = clerk_claim_text(reply, "client_id");
    }
    return identity;
}
