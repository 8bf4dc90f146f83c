/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/revoked.h"

#include <string.h>

#include <apr_siphash.h>

/* A digest of a letter for the kind of name and of one or two ids, each with its NUL. Ids are Clerk's, and verified, so
 * nobody chooses them to get equal digests. @return 0 if an id is too long, which Clerk's are not */
static int digest_names(apr_uint64_t *pdigest, const unsigned char key[CLERK_REVOKED_KEY], char kind, const char *first,
                        const char *second)
{
    char text[1 + 2 * (CLERK_REVOKED_ID_MAX + 1)];
    apr_size_t len = 1, first_len = strlen(first) + 1, second_len = second ? strlen(second) + 1 : 0;

    if (first_len > CLERK_REVOKED_ID_MAX + 1 || second_len > CLERK_REVOKED_ID_MAX + 1) {
        return 0;
    }
    text[0] = kind;
    memcpy(text + len, first, first_len);
    len += first_len;
    if (second) {
        memcpy(text + len, second, second_len);
        len += second_len;
    }
    *pdigest = apr_siphash24(text, len, key);
    return 1;
}

static int digest_tag(apr_uint32_t *ptag, const unsigned char key[CLERK_REVOKED_KEY], char kind, const char *first,
                      const char *second)
{
    apr_uint64_t digest;
    int done = digest_names(&digest, key, kind, first, second);

    *ptag = done ? (apr_uint32_t)(digest >> 32) : 0;
    return done;
}

static int is_there(const char *id)
{
    return id && *id;
}

int clerk_revoked_make(clerk_revocation *revocation, const unsigned char key[CLERK_REVOKED_KEY],
                       const clerk_revoked_who *who, apr_int64_t at)
{
    int is_org = who->kind == CLERK_REVOKED_ORGANIZATION;
    const char *owner = is_org ? who->org_id : who->user_id;

    if (!is_there(owner) || at < 1 || at > APR_UINT32_MAX
        || !digest_names(&revocation->place, key, is_org ? 'O' : 'U', owner, NULL)) {
        return 0;
    }
    revocation->family = is_org ? CLERK_REVOCATIONS_OF_ORGANIZATIONS : CLERK_REVOCATIONS_OF_USERS;
    revocation->at = (apr_uint32_t)at;
    switch (who->kind) {
    case CLERK_REVOKED_SESSION:
        return is_there(who->session_id) && digest_tag(&revocation->tag, key, 's', who->session_id, NULL);
    case CLERK_REVOKED_MEMBERSHIP:
        return is_there(who->org_id) && digest_tag(&revocation->tag, key, 'm', who->user_id, who->org_id);
    default:
        return digest_tag(&revocation->tag, key, is_org ? 'o' : 'u', owner, NULL);
    }
}

static int is_organization_revoked(const clerk_revocations *revocations, const unsigned char key[CLERK_REVOKED_KEY],
                                   const char *org_id, apr_int64_t issued)
{
    apr_uint64_t place;
    apr_uint32_t tag;

    return !digest_names(&place, key, 'O', org_id, NULL) || !digest_tag(&tag, key, 'o', org_id, NULL)
           || clerk_revocations_have(revocations, place, &tag, 1, issued);
}

/* All that is known of a user's sessions and memberships is in one set, so this is one look into the memory. */
static int is_user_revoked(const clerk_revocations *revocations, const unsigned char key[CLERK_REVOKED_KEY],
                           const clerk_identity *identity, apr_int64_t issued)
{
    apr_uint64_t place;
    apr_uint32_t tags[3];
    int count = 2;

    if (!digest_names(&place, key, 'U', identity->subject, NULL)
        || !digest_tag(&tags[0], key, 'u', identity->subject, NULL) || !identity->session_id
        || !digest_tag(&tags[1], key, 's', identity->session_id, NULL)) {
        return 1;
    }
    if (identity->org_id) {
        if (!digest_tag(&tags[2], key, 'm', identity->subject, identity->org_id)) {
            return 1;
        }
        count++;
    }
    return clerk_revocations_have(revocations, place, tags, count, issued);
}

int clerk_revoked_is(const clerk_revocations *revocations, const unsigned char key[CLERK_REVOKED_KEY],
                     const clerk_identity *identity, apr_int64_t issued)
{
    if (!clerk_revocations_is_good(revocations, CLERK_REVOCATIONS_OF_USERS, issued)
        && is_user_revoked(revocations, key, identity, issued)) {
        return 1;
    }
    return identity->org_id && !clerk_revocations_is_good(revocations, CLERK_REVOCATIONS_OF_ORGANIZATIONS, issued)
           && is_organization_revoked(revocations, key, identity->org_id, issued);
}
