/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/profile.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "clerk/session/claim.h"
#include "jose/json.h"
#include "text/text.h"

/* The format of packed profiles. Another one of another version of this module is not read. */
#define FORMAT 1
/* Metadata may be nested deeper than tokens are. */
#define MAX_DEPTH 64
#define METADATA "public_metadata"

static const char *const field_names[CLERK_PROFILE_FIELDS] = {[CLERK_PROFILE_EMAIL] = "email",
                                                              [CLERK_PROFILE_USERNAME] = "username",
                                                              [CLERK_PROFILE_FIRST_NAME] = "first_name",
                                                              [CLERK_PROFILE_LAST_NAME] = "last_name",
                                                              [CLERK_PROFILE_NAME] = "name",
                                                              [CLERK_PROFILE_IMAGE_URL] = "image_url",
                                                              [CLERK_PROFILE_EXTERNAL_ID] = "external_id"};

int clerk_profile_is_user_id(const char *text)
{
    return clerk_text_is_id(text) && strlen(text) <= CLERK_PROFILE_USER_ID_MAX;
}

const char *clerk_profile_path(const char *user_id, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "/v1/users/", user_id, NULL);
}

/* A member that an application may have; NULL if there is none. @return a copy from the pool */
static const char *usable_text(const json_t *object, const char *name, apr_pool_t *pool)
{
    const char *text = clerk_claim_text(object, name);

    return text && *text && strlen(text) <= CLERK_PROFILE_TEXT_MAX ? apr_pstrdup(pool, text) : NULL;
}

/* The primary e-mail address, if Clerk has verified it. Any other one anybody may have entered. */
static const char *verified_email(const json_t *user, apr_pool_t *pool)
{
    const char *primary = jose_json_string(user, "primary_email_address_id");
    const json_t *address;
    size_t i;

    json_array_foreach(json_object_get(user, "email_addresses"), i, address)
    {
        const char *id = jose_json_string(address, "id");
        const char *status = jose_json_string(json_object_get(address, "verification"), "status");

        if (primary && id && !strcmp(id, primary)) {
            return status && !strcmp(status, "verified") ? usable_text(address, "email_address", pool) : NULL;
        }
    }
    return NULL;
}

/* Whether a name was left out, so that a whole name without it would be wrong. */
static int was_left_out(const json_t *user, const char *name, const char *text)
{
    const char *said = jose_json_string(user, name);

    return said && *said && !text;
}

static const char *whole_name(const json_t *user, const clerk_profile *profile, apr_pool_t *pool)
{
    const char *first = profile->texts[CLERK_PROFILE_FIRST_NAME], *last = profile->texts[CLERK_PROFILE_LAST_NAME];
    const char *name;

    if (was_left_out(user, "first_name", first) || was_left_out(user, "last_name", last)) {
        return NULL;
    }
    if (!first || !last) {
        return first ? first : last;
    }
    name = apr_pstrcat(pool, first, " ", last, NULL);
    return strlen(name) <= CLERK_PROFILE_TEXT_MAX ? name : NULL;
}

static const char *metadata_text(const json_t *user, apr_pool_t *pool)
{
    const json_t *metadata = json_object_get(user, METADATA);
    char *dumped = json_object_size(metadata) ? json_dumps(metadata, JSON_COMPACT) : NULL;
    const char *text = dumped && strlen(dumped) <= CLERK_PROFILE_METADATA_MAX ? apr_pstrdup(pool, dumped) : NULL;

    free(dumped);
    return text;
}

clerk_profile *clerk_profile_parse(const char *json, apr_size_t len, const char *user_id, apr_pool_t *pool)
{
    clerk_profile *profile = apr_pcalloc(pool, sizeof(*profile));
    const char *object, *id;
    json_t *user;

    if (jose_json_parse_object(&user, json, len, MAX_DEPTH, pool) != JOSE_OK) {
        return NULL;
    }
    object = jose_json_string(user, "object");
    id = jose_json_string(user, "id");
    if (!object || strcmp(object, "user") || !id || strcmp(id, user_id)) {
        return NULL;
    }
    for (int field = 0; field < CLERK_PROFILE_FIELDS; field++) {
        if (field != CLERK_PROFILE_EMAIL && field != CLERK_PROFILE_NAME) {
            profile->texts[field] = usable_text(user, field_names[field], pool);
        }
    }
    profile->texts[CLERK_PROFILE_EMAIL] = verified_email(user, pool);
    profile->texts[CLERK_PROFILE_NAME] = whole_name(user, profile, pool);
    profile->public_metadata = metadata_text(user, pool);
    return profile;
}

/* A packed profile is a byte for the format, and then each text with its NUL; "" where there is none. */

void *clerk_profile_pack(apr_size_t *psize, const clerk_profile *profile, apr_pool_t *pool)
{
    char *block = apr_palloc(pool, CLERK_PROFILE_PACKED_MAX), *at = block;

    *at++ = FORMAT;
    for (int field = 0; field <= CLERK_PROFILE_FIELDS; field++) {
        const char *text = field < CLERK_PROFILE_FIELDS ? profile->texts[field] : profile->public_metadata;
        apr_size_t size = text ? strlen(text) + 1 : 1;

        memcpy(at, text ? text : "", size);
        at += size;
    }
    *psize = (apr_size_t)(at - block);
    return block;
}

clerk_profile *clerk_profile_unpack(const void *block, apr_size_t size, apr_pool_t *pool)
{
    clerk_profile *profile = apr_pcalloc(pool, sizeof(*profile));
    const char *at = block, *end = at + size;

    if (size == 0 || *at++ != FORMAT) {
        return NULL;
    }
    for (int field = 0; field <= CLERK_PROFILE_FIELDS; field++) {
        const char *nul = memchr(at, '\0', (apr_size_t)(end - at)), *text;

        if (!nul) {
            return NULL;
        }
        text = nul > at ? at : NULL;
        at = nul + 1;
        if (field < CLERK_PROFILE_FIELDS) {
            profile->texts[field] = text;
        } else {
            profile->public_metadata = text;
        }
    }
    return at == end ? profile : NULL;
}

static int is_metadata(const char *field)
{
    return clerk_text_begins_with(field, METADATA ".") && field[sizeof(METADATA)] != '\0';
}

static int field_of(const char *name)
{
    for (int field = 0; field < CLERK_PROFILE_FIELDS; field++) {
        if (!strcmp(field_names[field], name)) {
            return field;
        }
    }
    return -1;
}

const char *clerk_profile_field_problem(const char *field)
{
    if (!clerk_text_is_clean(field)) {
        return "has control characters in it";
    }
    if (is_metadata(field) || field_of(field) >= 0) {
        return NULL;
    }
    return "is none of email, username, first_name, last_name, name, image_url, external_id, or public_metadata. with "
           "a "
           "path, such as public_metadata.department";
}

/* What a field of metadata leads to; NULL: nothing. */
static const json_t *find_metadata(const clerk_profile *profile, const char *field, apr_pool_t *pool)
{
    json_t *metadata;

    if (!profile->public_metadata
        || jose_json_parse_object(&metadata, profile->public_metadata, strlen(profile->public_metadata), MAX_DEPTH,
                                  pool)
               != JOSE_OK) {
        return NULL;
    }
    return clerk_claim_find(metadata, field + sizeof(METADATA), pool);
}

static const char *known_text(const clerk_profile *profile, const char *field)
{
    int known = field_of(field);

    return known >= 0 ? profile->texts[known] : NULL;
}

const char *clerk_profile_get(const clerk_profile *profile, const char *field, apr_pool_t *pool)
{
    return is_metadata(field) ? clerk_claim_encode(find_metadata(profile, field, pool), pool)
                              : known_text(profile, field);
}

const char *clerk_profile_get_name(const clerk_profile *profile, const char *field, apr_pool_t *pool)
{
    const json_t *value;

    if (!is_metadata(field)) {
        return known_text(profile, field);
    }
    value = find_metadata(profile, field, pool);
    return json_is_string(value) || json_is_number(value) ? clerk_claim_encode(value, pool) : NULL;
}
