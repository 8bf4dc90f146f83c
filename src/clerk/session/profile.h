/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_PROFILE_H
#define CLERK_SESSION_PROFILE_H

#include <apr_pools.h>

/** The texts of a profile. */
typedef enum clerk_profile_field {
    CLERK_PROFILE_EMAIL, /**< the primary address, if it is verified */
    CLERK_PROFILE_USERNAME,
    CLERK_PROFILE_FIRST_NAME,
    CLERK_PROFILE_LAST_NAME,
    CLERK_PROFILE_NAME, /**< first and last name, with a space between them */
    CLERK_PROFILE_IMAGE_URL,
    CLERK_PROFILE_EXTERNAL_ID,
    CLERK_PROFILE_FIELDS
} clerk_profile_field;

/** The longest text of a profile, and the longest metadata, in bytes; longer ones are left out, never truncated. */
#define CLERK_PROFILE_TEXT_MAX 1000
#define CLERK_PROFILE_METADATA_MAX 8192
/** The longest id of a user. */
#define CLERK_PROFILE_USER_ID_MAX 128

/**
 * What an application may learn of a user, from the user object of the Backend API. No text is empty or has control
 * characters (C0, DEL): such a text, and one that is too long, is left out (NULL), and so is a name of which a part is.
 */
typedef struct clerk_profile {
    const char *texts[CLERK_PROFILE_FIELDS]; /**< NULL: none */
    const char *public_metadata;             /**< a JSON object; NULL: none */
} clerk_profile;

/** Whether a text may be the id of a user: letters, digits, `_` and `-`. It then needs no escaping in a URL. */
int clerk_profile_is_user_id(const char *text);

/** The path of the user's object below the Backend API's origin. @param user_id passes clerk_profile_is_user_id() */
const char *clerk_profile_path(const char *user_id, apr_pool_t *pool);

/**
 * Read a user object.
 * @param user_id whose it must be
 * @return from @a pool; NULL if it is malformed, or is no user object, or that of another user
 */
clerk_profile *clerk_profile_parse(const char *json, apr_size_t len, const char *user_id, apr_pool_t *pool);

/** As bytes that clerk_profile_unpack() reads, at most CLERK_PROFILE_PACKED_MAX. @return @a psize bytes from @a pool */
void *clerk_profile_pack(apr_size_t *psize, const clerk_profile *profile, apr_pool_t *pool);

/** The most bytes of a packed profile: a number for the format, and each text with its NUL. */
#define CLERK_PROFILE_PACKED_MAX                                                                                       \
    (1 + CLERK_PROFILE_FIELDS * (CLERK_PROFILE_TEXT_MAX + 1) + CLERK_PROFILE_METADATA_MAX + 1)

/** @return from @a pool, pointing into @a block; NULL if it is no packed profile */
clerk_profile *clerk_profile_unpack(const void *block, apr_size_t size, apr_pool_t *pool);

/** What is wrong with the FIELD of `user:FIELD`; NULL: nothing. */
const char *clerk_profile_field_problem(const char *field);

/**
 * The value of `user:FIELD`: a text by its name, such as `email`, or `public_metadata.` and a path as for claims
 * (clerk_claim_find()), as text (clerk_claim_encode()).
 * @return NULL if there is none
 */
const char *clerk_profile_get(const clerk_profile *profile, const char *field, apr_pool_t *pool);

/** The same, for a name of the user: of metadata only a text or a number. `true` would be the name of many. */
const char *clerk_profile_get_name(const clerk_profile *profile, const char *field, apr_pool_t *pool);

#endif
