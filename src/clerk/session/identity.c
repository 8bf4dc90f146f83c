/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/identity.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/session/claim.h"
#include "clerk/session/permissions.h"
#include "clerk/session/scoped_names.h"
#include "jose/json.h"
#include "jose/jws.h"
#include "text/text.h"

static const char *non_empty(const char *text)
{
    return text && *text ? text : NULL;
}

/* The SDK compares with `=== 2`: any JSON number of this value, but no string. */
static int is_version_2(const json_t *claims)
{
    const json_t *version = json_object_get(claims, "v");

    return json_is_number(version) && json_number_value(version) == 2.0;
}

static clerk_texts clean_strings(const json_t *array, apr_pool_t *pool)
{
    apr_array_header_t *result;

    if (!json_is_array(array)) {
        return clerk_texts_make(NULL, pool);
    }
    result = apr_array_make(pool, (int)json_array_size(array), sizeof(const char *));
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));

        if (text && clerk_text_is_clean(text)) {
            APR_ARRAY_PUSH(result, const char *) = text;
        }
    }
    return clerk_texts_make(result, pool);
}

static void read_organization_1(clerk_identity *identity, const json_t *claims, apr_pool_t *pool)
{
    identity->org_id = non_empty(clerk_claim_text(claims, "org_id"));
    identity->org_slug = clerk_claim_text(claims, "org_slug");
    identity->org_role = non_empty(clerk_claim_text(claims, "org_role"));
    identity->org_permissions = clean_strings(json_object_get(claims, "org_permissions"), pool);
}

static void read_organization_2(clerk_identity *identity, const json_t *claims, apr_pool_t *pool)
{
    const json_t *organization = json_object_get(claims, "o");
    const char *role;

    if (!json_is_object(organization)) {
        return;
    }
    identity->org_id = non_empty(clerk_claim_text(organization, "id"));
    identity->org_slug = clerk_claim_text(organization, "slg");
    role = non_empty(clerk_claim_text(organization, "rol"));
    identity->org_role = role ? apr_pstrcat(pool, "org:", role, NULL) : NULL;
    identity->org_permissions = clerk_texts_make(
        clerk_permissions_decode(&identity->permission_index_ambiguous,
                                 clerk_scoped_names_split(identity->features, pool),
                                 clerk_claim_text(organization, "per"), clerk_claim_text(organization, "fpm"), pool),
        pool);
}

static int read_age(double *page, const json_t *value)
{
    if (!json_is_number(value)) {
        return 0;
    }
    *page = json_number_value(value);
    /* Numbers from jansson are never infinite or NaN. */
    return *page == -1.0 || *page >= 0.0;
}

static void read_factor_age(clerk_factor_age *age, const json_t *fva)
{
    age->first = age->second = -1.0;
    age->valid = json_array_size(fva) == 2 && read_age(&age->first, json_array_get(fva, 0))
                 && read_age(&age->second, json_array_get(fva, 1));
}

clerk_identity *clerk_identity_create(const json_t *claims, apr_pool_t *pool)
{
    const char *subject = non_empty(clerk_claim_text(claims, "sub"));
    clerk_identity *identity;
    const json_t *actor;

    if (!subject) {
        return NULL;
    }
    identity = apr_pcalloc(pool, sizeof(*identity));
    identity->kind = CLERK_TOKEN_SESSION;
    identity->subject = identity->user_id = subject;
    identity->session_id = clerk_claim_text(claims, "sid");
    identity->session_status = clerk_claim_text(claims, "sts");
    identity->pending = identity->session_status && !strcmp(identity->session_status, "pending");

    identity->features = clerk_claim_text(claims, "fea");
    identity->plans = clerk_claim_text(claims, "pla");
    if (is_version_2(claims)) {
        read_organization_2(identity, claims, pool);
    } else {
        read_organization_1(identity, claims, pool);
    }

    identity->org_permissions_text = clerk_texts_join(&identity->org_permissions, ',', pool);
    read_factor_age(&identity->factor_age, json_object_get(claims, "fva"));
    if (identity->factor_age.valid) {
        identity->factor_age_text = apr_pstrcat(pool, clerk_claim_number(identity->factor_age.first, pool), ",",
                                                clerk_claim_number(identity->factor_age.second, pool), NULL);
    }
    actor = json_object_get(claims, "act");
    identity->has_actor = json_is_object(actor);
    identity->actor_id = clerk_claim_text(actor, "sub");
    identity->payload = apr_pcalloc(pool, sizeof(*identity->payload));
    identity->payload->json = claims;
    return identity;
}

const json_t *clerk_identity_claims(const clerk_identity *identity)
{
    clerk_payload *payload = identity->payload;

    if (!payload->json && identity->claims_text) {
        json_t *claims;

        if (jose_json_parse_object(&claims, identity->claims_text, strlen(identity->claims_text), JOSE_JSON_MAX_DEPTH,
                                   payload->pool)
            == JOSE_OK) {
            payload->json = claims;
        }
    } else if (!payload->json) {
        jose_jws *jws;

        if (jose_jws_decode(&jws, payload->token, payload->pool) == JOSE_OK) {
            payload->json = jws->payload;
        }
    }
    return payload->json;
}
