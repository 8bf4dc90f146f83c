/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/htaccess.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "clerk/url/party.h"

#define MEMBERS(MEMBER)                                                                                                \
    MEMBER(instance_name, NULL)                                                                                        \
    MEMBER(accept_tokens, 0)                                                                                           \
    MEMBER(accept_basic, CLERK_UNSET)                                                                                  \
    MEMBER(token_sources, 0)                                                                                           \
    MEMBER(authorized_parties, NULL)                                                                                   \
    MEMBER(audience, NULL)                                                                                             \
    MEMBER(clock_skew, CLERK_UNSET)                                                                                    \
    MEMBER(renewal, CLERK_UNSET)                                                                                       \
    MEMBER(revocation, CLERK_UNSET)                                                                                    \
    MEMBER(keep_forms, CLERK_UNSET)                                                                                    \
    MEMBER(sign_in_url, NULL)                                                                                          \
    MEMBER(sign_up_url, NULL)                                                                                          \
    MEMBER(pending_sessions, CLERK_UNSET)                                                                              \
    MEMBER(remote_user, NULL)                                                                                          \
    MEMBER(strip_credentials, CLERK_UNSET)

/* These two exclude each other, so they are merged together. */
#define ORIGIN_MEMBERS(MEMBER)                                                                                         \
    MEMBER(public_origin, NULL)                                                                                        \
    MEMBER(trust_forwarded, CLERK_UNSET)

static void clear(struct clerk_htaccess *htaccess)
{
#define CLEAR(member, unset) htaccess->member = unset;
    MEMBERS(CLEAR)
    ORIGIN_MEMBERS(CLEAR)
#undef CLEAR
}

void *clerk_htaccess_member(clerk_dir_config *dir, const clerk_settings_row *row, apr_pool_t *pool)
{
    /* One more than the offset, so that 0 is none. */
    static const apr_size_t offsets[CLERK_SETTINGS_COUNT] = {
#define OFFSET(member, unset) [CLERK_SETTINGS_AT_##member] = offsetof(struct clerk_htaccess, member) + 1,
        MEMBERS(OFFSET) ORIGIN_MEMBERS(OFFSET)
#undef OFFSET
    };
    apr_size_t offset = offsets[row - clerk_settings_table];

    if (!offset) {
        return NULL;
    }
    if (!dir->htaccess) {
        dir->htaccess = apr_palloc(pool, sizeof(*dir->htaccess));
        clear(dir->htaccess);
    }
    return (char *)dir->htaccess + offset - 1;
}

static int says_origin(const char *public_origin, int trust_forwarded)
{
    return public_origin || trust_forwarded != CLERK_UNSET;
}

static int is_listed(const apr_array_header_t *list, const char *text)
{
    for (int i = 0; i < list->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(list, i, const char *), text)) {
            return 1;
        }
    }
    return 0;
}

static int is_party(const apr_array_header_t *parties, const char *party)
{
    return is_listed(parties, party) || clerk_party_is_listed(parties, party, NULL);
}

/* Require that a second list of the policy allows what the first one does. @return whether it names something else */
static int narrow_list(const apr_array_header_t **plist, const apr_array_header_t **pnarrower,
                       const apr_array_header_t *said, int (*has)(const apr_array_header_t *list, const char *text))
{
    int widens = 0;

    if (!said) {
        return 0;
    }
    if (!*plist) {
        *plist = said;
        return 0;
    }
    *pnarrower = said;
    for (int i = 0; i < said->nelts; i++) {
        widens |= !has(*plist, APR_ARRAY_IDX(said, i, const char *));
    }
    return widens;
}

static int is_same(const char *ours, const char *said)
{
    return ours && said ? !strcmp(ours, said) : ours == said;
}

static int says_other_user(const clerk_remote_user *ours, const clerk_remote_user *said)
{
    return said && ours
           && !(is_same(ours->path, said->path) && is_same(ours->pattern, said->pattern)
                && is_same(ours->replacement, said->replacement));
}

/* The kinds of token that both accept; as .htaccess says where the server configuration is silent. */
static clerk_settings_index apply_accepted(clerk_policy *policy, const clerk_dir_config *dir,
                                           clerk_settings_index ignored)
{
    const struct clerk_htaccess *said = dir->htaccess;

    if (said->accept_tokens) {
        policy->accept_tokens = said->accept_tokens & (dir->accept_tokens ? dir->accept_tokens : CLERK_ACCEPT_ANY);
        ignored = said->accept_tokens & ~policy->accept_tokens ? CLERK_SETTINGS_AT_accept_tokens : ignored;
    }
    if (said->accept_basic != CLERK_UNSET) {
        policy->accept_basic = said->accept_basic && dir->accept_basic != 0;
        ignored = said->accept_basic && !policy->accept_basic ? CLERK_SETTINGS_AT_accept_basic : ignored;
    }
    return ignored;
}

/* On wins. */
static clerk_settings_index apply_revocation(clerk_policy *policy, const struct clerk_htaccess *said,
                                             clerk_settings_index ignored)
{
    if (said->revocation == 1) {
        policy->revocation = 1;
    }
    return said->revocation == 0 && policy->revocation ? CLERK_SETTINGS_AT_revocation : ignored;
}

/* These replace what the server configuration says, and are known to be of .htaccess. */
static void apply_pages(clerk_policy *policy, const struct clerk_htaccess *said)
{
    policy->pages_by_htaccess = said->sign_in_url || said->sign_up_url;
    policy->sign_in_url = said->sign_in_url ? said->sign_in_url : policy->sign_in_url;
    policy->sign_up_url = said->sign_up_url ? said->sign_up_url : policy->sign_up_url;
}

static clerk_settings_index apply_origin(const clerk_dir_config *dir, const struct clerk_htaccess *said,
                                         clerk_settings_index ignored)
{
    if (!says_origin(dir->public_origin, dir->trust_forwarded)) {
        return ignored;
    }
    if (said->public_origin && (!dir->public_origin || strcmp(dir->public_origin, said->public_origin))) {
        return CLERK_SETTINGS_AT_public_origin;
    }
    return said->trust_forwarded == 1 && dir->trust_forwarded != 1 ? CLERK_SETTINGS_AT_trust_forwarded : ignored;
}

/* Narrow the policy, and note a directive that has no effect. */
static void apply(clerk_dir_config *dir)
{
    const struct clerk_htaccess *said = dir->htaccess;
    clerk_policy *policy = &dir->policy;
    unsigned int sources = policy->token_sources;
    clerk_settings_index ignored = CLERK_SETTINGS_COUNT;

    ignored = apply_accepted(policy, dir, ignored);
    if (said->token_sources) {
        policy->token_sources &= said->token_sources;
        ignored = said->token_sources & ~sources ? CLERK_SETTINGS_AT_token_sources : ignored;
    }
    if (narrow_list(&policy->authorized_parties, &policy->narrower_parties, said->authorized_parties, is_party)) {
        ignored = CLERK_SETTINGS_AT_authorized_parties;
    }
    if (narrow_list(&policy->audience, &policy->narrower_audience, said->audience, is_listed)) {
        ignored = CLERK_SETTINGS_AT_audience;
    }
    if (said->clock_skew != CLERK_UNSET) {
        ignored = said->clock_skew > policy->clock_skew ? CLERK_SETTINGS_AT_clock_skew : ignored;
        policy->clock_skew = said->clock_skew < policy->clock_skew ? said->clock_skew : policy->clock_skew;
    }
    if (said->renewal == CLERK_RENEWAL_GET) {
        policy->renewal = CLERK_RENEWAL_GET;
    } else if (said->renewal != CLERK_UNSET && policy->renewal == CLERK_RENEWAL_GET) {
        ignored = CLERK_SETTINGS_AT_renewal;
    }
    ignored = apply_revocation(policy, said, ignored);
    if (said->keep_forms > CLERK_SETTINGS_VALUE(dir, keep_forms)) {
        ignored = CLERK_SETTINGS_AT_keep_forms;
    }
    if (said->pending_sessions == CLERK_PENDING_SIGNED_OUT) {
        policy->pending_sessions = CLERK_PENDING_SIGNED_OUT;
    } else if (said->pending_sessions != CLERK_UNSET && policy->pending_sessions == CLERK_PENDING_SIGNED_OUT) {
        ignored = CLERK_SETTINGS_AT_pending_sessions;
    }
    if (!said->strip_credentials && CLERK_SETTINGS_VALUE(dir, strip_credentials)) {
        ignored = CLERK_SETTINGS_AT_strip_credentials;
    }
    if (says_other_user(dir->remote_user, said->remote_user)) {
        ignored = CLERK_SETTINGS_AT_remote_user;
    }
    ignored = apply_origin(dir, said, ignored);
    apply_pages(policy, said);
    dir->htaccess_ignored = ignored != CLERK_SETTINGS_COUNT ? clerk_settings_table[ignored].directive : NULL;
}

void clerk_htaccess_merge(clerk_dir_config *dir, const clerk_dir_config *base, const clerk_dir_config *add,
                          apr_pool_t *pool)
{
    struct clerk_htaccess none = {0}, *merged = apr_palloc(pool, sizeof(*merged));
    const struct clerk_htaccess *outer = base->htaccess ? base->htaccess : &none;
    const struct clerk_htaccess *inner = add->htaccess ? add->htaccess : &none, *origin;

    clear(&none);
#define MERGE(name, unset) merged->name = inner->name != (unset) || add->name != (unset) ? inner->name : outer->name;
    MEMBERS(MERGE)
#undef MERGE
    origin = says_origin(inner->public_origin, inner->trust_forwarded)
                     || says_origin(add->public_origin, add->trust_forwarded)
                 ? inner
                 : outer;
    merged->public_origin = origin->public_origin;
    merged->trust_forwarded = origin->trust_forwarded;
    dir->htaccess = merged;
    apply(dir);
}

int clerk_htaccess_grants_instance(const clerk_dir_config *dir, const char *name)
{
    const apr_array_header_t *granted = dir->htaccess_instances;

    return (dir->instance_name && !strcmp(dir->instance_name, name))
           || (granted && (is_listed(granted, name) || is_listed(granted, "any")));
}

const char *clerk_htaccess_instance(const clerk_dir_config *dir)
{
    const char *name = dir->htaccess->instance_name;

    if (!name) {
        return dir->instance_name;
    }
    return clerk_htaccess_grants_instance(dir, name) ? name : "";
}

int clerk_htaccess_says_origin(const clerk_dir_config *dir)
{
    return dir->htaccess && !says_origin(dir->public_origin, dir->trust_forwarded)
           && says_origin(dir->htaccess->public_origin, dir->htaccess->trust_forwarded);
}

const char *clerk_htaccess_public_origin(const clerk_dir_config *dir)
{
    return !dir->htaccess || says_origin(dir->public_origin, dir->trust_forwarded) ? dir->public_origin
                                                                                   : dir->htaccess->public_origin;
}

int clerk_htaccess_trusts_forwarded(const clerk_dir_config *dir)
{
    int said = !dir->htaccess || says_origin(dir->public_origin, dir->trust_forwarded) ? dir->trust_forwarded
                                                                                       : dir->htaccess->trust_forwarded;

    return said != CLERK_UNSET ? said : (int)clerk_settings_table[CLERK_SETTINGS_AT_trust_forwarded].fallback;
}

const clerk_remote_user *clerk_htaccess_remote_user(const clerk_dir_config *dir)
{
    return dir->remote_user || !dir->htaccess ? dir->remote_user : dir->htaccess->remote_user;
}
