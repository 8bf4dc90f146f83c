/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/authorize.h"

#include <string.h>

#include "clerk/session/scoped_names.h"

#define ORG_PREFIX "org:"
#define ORG_PREFIX_LEN (sizeof(ORG_PREFIX) - 1)

/* has() of the SDK is false for machine tokens, whatever claims they have (protocol.md 12.5). */
static int is_session(const clerk_identity *identity)
{
    return identity && identity->kind == CLERK_TOKEN_SESSION;
}

static const char *without_org(const char *text)
{
    while (!strncmp(text, ORG_PREFIX, ORG_PREFIX_LEN)) {
        text += ORG_PREFIX_LEN;
    }
    return text;
}

int clerk_authorize_role(const clerk_identity *identity, const char *role)
{
    if (!is_session(identity) || !role || !*role || !identity->org_id || !identity->org_role) {
        return 0;
    }
    return !strcmp(without_org(identity->org_role), without_org(role));
}

int clerk_authorize_org(const clerk_identity *identity, const char *id_or_slug)
{
    if (!is_session(identity) || !identity->org_id) {
        return 0;
    }
    if (!id_or_slug) {
        return 1;
    }
    if (!*id_or_slug) {
        return 0;
    }
    return !strcmp(identity->org_id, id_or_slug) || (identity->org_slug && !strcmp(identity->org_slug, id_or_slug));
}

int clerk_authorize_permission(const clerk_identity *identity, const char *permission)
{
    const char *entry;

    if (!is_session(identity) || !permission || !*permission || !identity->org_id) {
        return 0;
    }
    permission = without_org(permission);
    for (entry = clerk_texts_next(&identity->org_permissions, NULL); entry;
         entry = clerk_texts_next(&identity->org_permissions, entry)) {
        /* The permissions of the session are not normalized: exactly one `org:`, then the permission. */
        if (!strncmp(entry, ORG_PREFIX, ORG_PREFIX_LEN) && !strcmp(entry + ORG_PREFIX_LEN, permission)) {
            return 1;
        }
    }
    return 0;
}

static int is_one_of(const char *const *words, const char *text, size_t len)
{
    for (; *words; words++) {
        if (strlen(*words) == len && !memcmp(*words, text, len)) {
            return 1;
        }
    }
    return 0;
}

/*
 * Whether a list has a feature or plan (protocol.md 11.6): `name` or `scope:name`; everything from a second colon on is
 * ignored.
 */
static int scoped_name_granted(const char *list, const char *asked)
{
    static const char *const org_scopes[] = {"o", "org", "organization", NULL};
    static const char *const user_scopes[] = {"u", "user", NULL};
    const char *name;
    size_t scope_len, len;

    if (!asked || !*asked) {
        return 0;
    }
    scope_len = strcspn(asked, ":");
    if (!asked[scope_len]) {
        return clerk_scoped_names_have(list, CLERK_SCOPE_ORG | CLERK_SCOPE_USER, asked, scope_len);
    }

    name = asked + scope_len + 1;
    len = strcspn(name, ":");
    if (len == 0) {
        /* As has() does: `o:` without a name asks for a feature named `o`. */
        name = asked;
        len = scope_len;
    }
    if (is_one_of(org_scopes, asked, scope_len)) {
        return clerk_scoped_names_have(list, CLERK_SCOPE_ORG, name, len);
    }
    return is_one_of(user_scopes, asked, scope_len) && clerk_scoped_names_have(list, CLERK_SCOPE_USER, name, len);
}

int clerk_authorize_feature(const clerk_identity *identity, const char *feature)
{
    return is_session(identity) && scoped_name_granted(identity->features, feature);
}

int clerk_authorize_plan(const clerk_identity *identity, const char *plan)
{
    return is_session(identity) && scoped_name_granted(identity->plans, plan);
}

/* Few enough digits for an exact value. */
#define MINUTES_MAX_DIGITS 9

/* Parse a decimal number above 0, with an optional fraction. Not strtod(): it accepts hexadecimal, infinity and the
 * decimal comma of a locale. */
static int parse_minutes(double *pminutes, const char *text)
{
    double value = 0, divisor = 1;
    int digits = 0, fraction = 0;

    for (; *text; text++) {
        if (*text == '.' && digits > 0 && !fraction) {
            fraction = 1;
            continue;
        }
        if (*text < '0' || *text > '9' || ++digits > MINUTES_MAX_DIGITS) {
            return 0;
        }
        value = value * 10 + (*text - '0');
        divisor *= fraction ? 10 : 1;
    }
    *pminutes = value / divisor;
    return value > 0 && !(fraction && divisor == 1);
}

const char *clerk_authorize_parse_reverification(clerk_reverification *reverification, const char *level,
                                                 const char *minutes)
{
    static const clerk_reverification presets[] = {
        {CLERK_MULTI_FACTOR, 10, "strict_mfa"},
        {CLERK_SECOND_FACTOR, 10, "strict"},
        {CLERK_SECOND_FACTOR, 60, "moderate"},
        {CLERK_SECOND_FACTOR, 1440, "lax"},
    };
    static const char *const levels[] = {
        [CLERK_FIRST_FACTOR] = "first_factor",
        [CLERK_SECOND_FACTOR] = "second_factor",
        [CLERK_MULTI_FACTOR] = "multi_factor",
    };

    for (size_t i = 0; level && i < sizeof(presets) / sizeof(presets[0]); i++) {
        if (strcmp(level, presets[i].preset)) {
            continue;
        }
        if (minutes) {
            return "strict_mfa, strict, moderate and lax take no minutes";
        }
        *reverification = presets[i];
        return NULL;
    }
    for (size_t i = 0; level && i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(level, levels[i])) {
            continue;
        }
        if (!minutes || !parse_minutes(&reverification->after_minutes, minutes)) {
            return "first_factor, second_factor and multi_factor take minutes greater than 0, of at most 9 digits";
        }
        reverification->level = (clerk_factor_level)i;
        reverification->preset = NULL;
        return NULL;
    }
    return "must be strict_mfa, strict, moderate or lax, or first_factor, second_factor or multi_factor with minutes";
}

int clerk_authorize_reverification(const clerk_identity *identity, const clerk_reverification *reverification)
{
    const clerk_factor_age *age;
    int first, second;

    if (!is_session(identity) || !reverification || !identity->factor_age.valid) {
        return 0;
    }
    age = &identity->factor_age;
    /* -1: the factor is not enrolled, or was never verified. */
    first = age->first != -1 && reverification->after_minutes > age->first;
    second = age->second != -1 && reverification->after_minutes > age->second;

    /* Without a second factor, every level is satisfied by the first one. */
    if (age->second == -1 || reverification->level == CLERK_FIRST_FACTOR) {
        return first;
    }
    return reverification->level == CLERK_SECOND_FACTOR ? second : first && second;
}

int clerk_authorize_mfa(const clerk_identity *identity)
{
    return is_session(identity) && identity->factor_age.valid && identity->factor_age.second != -1;
}

int clerk_authorize_actor(const clerk_identity *identity)
{
    return is_session(identity) && identity->has_actor;
}

/* The words of ClerkAcceptTokens. */
static const char *const type_words[] = {[CLERK_TOKEN_SESSION] = "session",
                                         [CLERK_TOKEN_API_KEY] = "api-key",
                                         [CLERK_TOKEN_M2M] = "m2m",
                                         [CLERK_TOKEN_OAUTH] = "oauth"};

static int names_type(const char *word, clerk_token_type type)
{
    return !strcmp(word, type_words[type]) || !strcmp(word, clerk_token_type_name(type));
}

int clerk_authorize_is_token_type(const char *word)
{
    return names_type(word, CLERK_TOKEN_SESSION) || names_type(word, CLERK_TOKEN_API_KEY)
           || names_type(word, CLERK_TOKEN_M2M) || names_type(word, CLERK_TOKEN_OAUTH);
}

int clerk_authorize_token(const clerk_identity *identity, const char *word)
{
    return identity && word && names_type(word, identity->kind);
}

int clerk_authorize_scope(const clerk_identity *identity, const char *scope)
{
    if (!identity || is_session(identity) || !scope || !*scope) {
        return 0;
    }
    for (const char *entry = clerk_texts_next(&identity->scopes, NULL); entry;
         entry = clerk_texts_next(&identity->scopes, entry)) {
        if (!strcmp(entry, scope)) {
            return 1;
        }
    }
    return 0;
}
