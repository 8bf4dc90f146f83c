/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A user object of the Backend API, of the user `user_fuzz`. What is made of it must be safe for an application, an
 * e-mail address in it one that the object calls verified, and a packed profile the same after unpacking. The input is
 * unpacked as well: that may fail, but must stay within it.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

#include "clerk/session/profile.h"
#include "text/text.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const fields[CLERK_PROFILE_FIELDS]
    = {"email", "username", "first_name", "last_name", "name", "image_url", "external_id"};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (apr_initialize() != APR_SUCCESS) {
        abort();
    }
    return 0;
}

static void demand(int condition)
{
    if (!condition) {
        abort();
    }
}

static int is_same(const char *one, const char *other)
{
    return one && other ? !strcmp(one, other) : one == other;
}

/* Whether the object says in so many words that this address is the primary one, and verified. */
static int is_verified(const json_t *user, const char *email)
{
    const char *primary = json_string_value(json_object_get(user, "primary_email_address_id"));
    const json_t *address;
    size_t i;

    json_array_foreach(json_object_get(user, "email_addresses"), i, address)
    {
        const json_t *status = json_object_get(json_object_get(address, "verification"), "status");

        if (is_same(primary, json_string_value(json_object_get(address, "id")))
            && is_same(email, json_string_value(json_object_get(address, "email_address")))
            && is_same("verified", json_string_value(status))) {
            return 1;
        }
    }
    return 0;
}

static void check_texts(const clerk_profile *profile, apr_pool_t *pool)
{
    const char *first = profile->texts[CLERK_PROFILE_FIRST_NAME], *last = profile->texts[CLERK_PROFILE_LAST_NAME];
    const char *name = profile->texts[CLERK_PROFILE_NAME];

    for (int i = 0; i < CLERK_PROFILE_FIELDS; i++) {
        const char *text = profile->texts[i];

        demand(!text || (*text && strlen(text) <= CLERK_PROFILE_TEXT_MAX && clerk_text_is_clean(text)));
        demand(is_same(text, clerk_profile_get(profile, fields[i], pool)));
    }
    demand(!name || is_same(name, first && last ? apr_pstrcat(pool, first, " ", last, NULL) : first ? first : last));
    demand(!profile->public_metadata || strlen(profile->public_metadata) <= CLERK_PROFILE_METADATA_MAX);
}

static void check_metadata(const clerk_profile *profile, apr_pool_t *pool)
{
    static const char *const paths[] = {"public_metadata.a", "public_metadata.a.b", "public_metadata.a.b.c"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *text = clerk_profile_get(profile, paths[i], pool);

        demand(!text || clerk_text_is_clean(text));
    }
}

static void check_packed(const clerk_profile *profile, apr_pool_t *pool)
{
    apr_size_t size;
    const void *packed = clerk_profile_pack(&size, profile, pool);
    const clerk_profile *again;

    demand(size <= CLERK_PROFILE_PACKED_MAX);
    again = clerk_profile_unpack(packed, size, pool);
    demand(again != NULL);
    for (int i = 0; i < CLERK_PROFILE_FIELDS; i++) {
        demand(is_same(profile->texts[i], again->texts[i]));
    }
    demand(is_same(profile->public_metadata, again->public_metadata));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *json = (const char *)data;
    const clerk_profile *profile;
    apr_pool_t *pool;

    demand(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    profile = clerk_profile_parse(json, size, "user_fuzz", pool);
    if (profile) {
        json_t *user = json_loadb(json, size, 0, NULL);

        demand(is_same("user_fuzz", json_string_value(json_object_get(user, "id"))));
        demand(!profile->texts[CLERK_PROFILE_EMAIL] || is_verified(user, profile->texts[CLERK_PROFILE_EMAIL]));
        json_decref(user);
        check_texts(profile, pool);
        check_metadata(profile, pool);
        check_packed(profile, pool);
    }
    profile = clerk_profile_unpack(memcpy(apr_palloc(pool, size + 1), data, size), size, pool);
    for (int i = 0; profile && i < CLERK_PROFILE_FIELDS; i++) {
        demand(!profile->texts[i] || strlen(profile->texts[i]) < size);
    }
    apr_pool_destroy(pool);
    return 0;
}
