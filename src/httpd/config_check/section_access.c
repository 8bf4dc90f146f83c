/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/section_access.h"

#include <string.h>

#include <apr_lib.h>

#define REFUSED CLERK_STRANGER_REFUSED
#define NEUTRAL CLERK_STRANGER_NEUTRAL
#define LET_IN CLERK_STRANGER_LET_IN
#define IS_REFUSED(outcomes) (((outcomes)&LET_IN ? LET_IN : 0u) | ((outcomes) & (REFUSED | NEUTRAL) ? REFUSED : 0u))

/* AuthMerging of a section: 'A'nd, 'O'r, or 0. */
static char merging_of(const clerk_config_section *section)
{
    const ap_directive_t *merging = section->set[CLERK_SECTION_AUTH_MERGING];

    if (!merging || !strncasecmp(merging->args, "off", 3)) {
        return 0;
    }
    return apr_toupper(*merging->args) == 'A' ? 'A' : 'O';
}

clerk_section_sources clerk_section_access_sources(const clerk_config_sections *config,
                                                   const clerk_config_section *here,
                                                   int (*has)(const clerk_config_section *))
{
    clerk_section_sources from = {apr_array_make(config->pool, 2, sizeof(const clerk_config_section *)), 1};
    const clerk_config_section *before = NULL;

    for (;;) {
        const clerk_config_section *latest = NULL;
        clerk_section_applies latest_applies = CLERK_APPLIES_NO;

        for (int i = 0; i < config->sections->nelts; i++) {
            const clerk_config_section *other = clerk_config_sections_get(config, i);
            clerk_section_applies applies;

            if (!has(other) || (before && !clerk_section_reach_is_later(before, other))
                || (latest && !clerk_section_reach_is_later(other, latest))) {
                continue;
            }
            applies = clerk_section_reach_applies(config, other, here);
            /* A section that may apply after this one is listed by itself. */
            if (applies == CLERK_APPLIES_YES
                || (applies == CLERK_APPLIES_MAYBE && clerk_section_reach_is_later(here, other))) {
                latest = other;
                latest_applies = applies;
            }
        }
        if (!latest) {
            return from;
        }
        APR_ARRAY_PUSH(from.sections, const clerk_config_section *) = latest;
        if (latest_applies == CLERK_APPLIES_YES) {
            from.may_be_none = 0;
            if (has != clerk_config_sections_has_require || !merging_of(latest)) {
                return from;
            }
        }
        before = latest;
    }
}

/* As httpd combines results in <RequireAll>: one refusal refuses, and what is neutral does not count. */
static unsigned int all_of(unsigned int one, unsigned int other)
{
    unsigned int result = (one | other) & REFUSED;

    if (((one & LET_IN) && (other & (LET_IN | NEUTRAL))) || ((other & LET_IN) && (one & (LET_IN | NEUTRAL)))) {
        result |= LET_IN;
    }
    return result | (one & other & NEUTRAL);
}

/* As in <RequireAny>: one grant lets in. */
static unsigned int any_of(unsigned int one, unsigned int other)
{
    unsigned int result = (one | other) & LET_IN;

    if (((one & REFUSED) && (other & (REFUSED | NEUTRAL))) || ((other & REFUSED) && (one & (REFUSED | NEUTRAL)))) {
        result |= REFUSED;
    }
    return result | (one & other & NEUTRAL);
}

static unsigned int none_of(unsigned int outcomes)
{
    return (outcomes & LET_IN ? REFUSED : 0u) | (outcomes & (REFUSED | NEUTRAL) ? NEUTRAL : 0u);
}

static unsigned int evaluate_line(clerk_section_access *access, const ap_directive_t *directive, int clerk,
                                  apr_pool_t *pool)
{
    static const char *const users[]
        = {"valid-user", "user", "group", "file-owner", "file-group", "dbm-group", "dbm-file-group", "dbd-group", NULL};
    const char *args = directive->args, *word = ap_getword_conf(pool, &args);
    int negated = !strcasecmp(word, "not"), user;
    unsigned int outcomes;

    if (negated) {
        word = ap_getword_conf(pool, &args);
    }
    user = !strncasecmp(word, "clerk-", 6) || !strncasecmp(word, "ldap-", 5);
    for (int i = 0; users[i]; i++) {
        user |= !strcasecmp(word, users[i]);
    }
    if (!strcasecmp(word, "all")) {
        outcomes = !strncasecmp(args, "granted", 7) ? LET_IN : REFUSED;
    } else if (!strcasecmp(word, "clerk-optional")) {
        access->optional |= !negated;
        outcomes = LET_IN;
    } else if (user) {
        access->needs_user |= !negated;
        access->unmeetable |= !negated && !clerk && !strncasecmp(word, "clerk-", 6);
        outcomes = REFUSED;
    } else {
        access->condition = access->condition ? access->condition : directive->args;
        outcomes = LET_IN | REFUSED;
    }
    return negated ? none_of(outcomes) : outcomes;
}

typedef enum combination {
    COMBINE_ANY,
    COMBINE_ALL,
    COMBINE_NONE
} combination;

/* @param pall_limited set to 0 by a Require outside of <Limit> */
static unsigned int evaluate(clerk_section_access *access, const ap_directive_t *directive, combination how, int clerk,
                             int *pall_limited, apr_pool_t *pool)
{
    unsigned int result = NEUTRAL, outcomes;
    int first = 1;

    for (; directive; directive = directive->next) {
        int limit = !strncasecmp(directive->directive, "<Limit", 6), inner = 1;

        if (clerk_config_sections_directive_is(directive, "Require")) {
            outcomes = evaluate_line(access, directive, clerk, pool);
            *pall_limited = 0;
        } else if (!strncasecmp(directive->directive, "<Require", 8)) {
            outcomes = evaluate(access, directive->first_child,
                                !strcasecmp(directive->directive + 8, "All")    ? COMBINE_ALL
                                : !strcasecmp(directive->directive + 8, "None") ? COMBINE_NONE
                                                                                : COMBINE_ANY,
                                clerk, pall_limited, pool);
        } else if (limit || (*directive->directive == '<' && !clerk_config_sections_opens(directive))) {
            outcomes = evaluate(access, directive->first_child, how, clerk, limit ? &inner : pall_limited, pool);
            /* For other methods the lines do not count. */
            outcomes |= limit ? NEUTRAL : 0u;
        } else {
            continue;
        }
        result = first ? outcomes : how == COMBINE_ALL ? all_of(result, outcomes) : any_of(result, outcomes);
        first = 0;
    }
    return how == COMBINE_NONE ? none_of(result) : result;
}

static unsigned int evaluate_section(clerk_section_access *access, const clerk_config_section *section, int clerk,
                                     apr_pool_t *pool)
{
    int all_limited = 1;
    unsigned int outcomes
        = evaluate(access, clerk_config_sections_content(section), COMBINE_ANY, clerk, &all_limited, pool);

    outcomes = IS_REFUSED(outcomes);
    if (all_limited) {
        access->limited = 1;
        outcomes |= LET_IN;
    }
    return outcomes;
}

/*
 * Evaluate the Require lines of all sections that can be in force, from the first to the last in the order of merging.
 * @param none what becomes of a stranger where no Require is in force
 */
static unsigned int evaluate_sources(clerk_section_access *access, const clerk_config_sections *config,
                                     const clerk_config_section *here, int clerk, unsigned int none)
{
    const clerk_section_sources *from = &access->requires;
    unsigned int outcomes = 0, own;
    int may_be_none = 1;

    for (int i = from->sections->nelts - 1; i >= 0; i--) {
        const clerk_config_section *section = APR_ARRAY_IDX(from->sections, i, const clerk_config_section *);
        int certain = clerk_section_reach_applies(config, section, here) == CLERK_APPLIES_YES;
        char merging = merging_of(section);

        own = evaluate_section(access, section, clerk, config->pool);
        if (merging && outcomes) {
            own = IS_REFUSED(merging == 'A' ? all_of(own, outcomes) : any_of(own, outcomes)) | (may_be_none ? own : 0u);
        }
        outcomes = own | (certain ? 0u : outcomes);
        may_be_none = may_be_none && !certain;
    }
    return outcomes | (may_be_none ? none : 0u);
}

static int has_satisfy(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_SATISFY] != NULL;
}

static unsigned int satisfy_any(const clerk_config_sections *config, const clerk_config_section *here)
{
    clerk_section_sources from = clerk_section_access_sources(config, here, has_satisfy);

    for (int i = 0; i < from.sections->nelts; i++) {
        const clerk_config_section *section = APR_ARRAY_IDX(from.sections, i, const clerk_config_section *);

        if (!strncasecmp(section->set[CLERK_SECTION_SATISFY]->args, "any", 3)) {
            return LET_IN;
        }
    }
    return 0;
}

static clerk_section_access access_of_one(const clerk_config_sections *config, const clerk_config_section *here)
{
    clerk_section_access access;
    unsigned int none;

    memset(&access, 0, sizeof(access));
    access.types = clerk_section_access_sources(config, here, clerk_config_sections_has_auth_type);
    access.requires = clerk_section_access_sources(config, here, clerk_config_sections_has_require);
    access.other = access.types.may_be_none;
    none = access.types.may_be_none ? LET_IN : 0u;
    for (int i = 0; i < access.types.sections->nelts; i++) {
        const clerk_config_section *type = APR_ARRAY_IDX(access.types.sections, i, const clerk_config_section *);

        access.clerk |= type->clerk;
        access.other |= !type->clerk;
        if (!type->clerk) {
            none |= strncasecmp(type->set[CLERK_SECTION_AUTH_TYPE]->args, "none", 4) ? REFUSED : LET_IN;
        }
    }
    if (access.clerk) {
        /* With an AuthType and no Require at all, httpd answers 500. */
        access.stranger |= evaluate_sources(&access, config, here, 1, REFUSED);
    }
    if (access.other) {
        access.stranger |= evaluate_sources(&access, config, here, 0, none);
    }
    if (access.stranger & REFUSED) {
        access.stranger |= satisfy_any(config, here);
    }
    access.ambiguous
        = (access.clerk && access.other) || access.requires.sections->nelts + access.requires.may_be_none > 1;
    return access;
}

/*
 * Whether one of the <If> ... <Else> in a section is in force for every request, each branch with a Require.
 * @param pfirst, plast the branches
 */
static int has_complete_branches(int *pfirst, int *plast, const clerk_config_sections *config,
                                 const clerk_config_section *here)
{
    int complete = 0;

    for (int i = here->number + 1; i < config->sections->nelts; i++) {
        const clerk_config_section *branch = clerk_config_sections_get(config, i);

        if (branch->around != here || branch->kind != CLERK_SECTION_IF) {
            continue;
        }
        if (clerk_config_sections_directive_is(branch->container, "<If")) {
            *pfirst = i;
            complete = 1;
        }
        complete = complete && branch->require;
        if (complete && clerk_config_sections_directive_is(branch->container, "<Else")) {
            *plast = i;
            return 1;
        }
    }
    return 0;
}

clerk_section_access clerk_section_access_of(const clerk_config_sections *config, const clerk_config_section *here)
{
    clerk_section_access access = access_of_one(config, here), one;
    int first, last;

    if (!has_complete_branches(&first, &last, config, here)) {
        return access;
    }
    access.stranger = 0;
    access.ambiguous = access.clerk = access.other = access.needs_user = access.optional = access.unmeetable = 0;
    access.condition = NULL;
    for (int i = first; i <= last; i++) {
        const clerk_config_section *branch = clerk_config_sections_get(config, i);

        if (branch->around == here && branch->kind == CLERK_SECTION_IF) {
            one = clerk_section_access_of(config, branch);
            access.stranger |= one.stranger;
            access.clerk |= one.clerk;
            access.other |= one.other;
            access.needs_user |= one.needs_user;
            access.optional |= one.optional;
            access.unmeetable |= one.unmeetable;
            access.limited |= one.limited;
        }
    }
    access.ambiguous = 1;
    return access;
}

const clerk_config_section *clerk_section_access_bypass(const clerk_config_sections *config,
                                                        const clerk_config_section *here)
{
    clerk_config_section part;

    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *mapping = clerk_config_sections_get(config, i);

        if (mapping->kind == CLERK_SECTION_MAPPING && clerk_section_reach_bypasses(&part, config, mapping, here)
            && clerk_section_access_of(config, &part).stranger & LET_IN) {
            return mapping;
        }
    }
    return NULL;
}

const clerk_config_section *clerk_section_access_bypassed(int *pdecided, const clerk_config_sections *config,
                                                          const clerk_config_section *mapping)
{
    clerk_config_section part;

    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *section = clerk_config_sections_get(config, i);
        clerk_section_access protection, access;

        if (section->kind == CLERK_SECTION_MAPPING || !(section->require || section->set[CLERK_SECTION_AUTH_TYPE])
            || !clerk_section_reach_bypasses(&part, config, mapping, section)) {
            continue;
        }
        access = clerk_section_access_of(config, &part);
        protection = clerk_section_access_of(config, section);
        if (access.stranger & LET_IN && protection.clerk && protection.needs_user && protection.stranger & REFUSED) {
            *pdecided = !access.requires.may_be_none;
            return section;
        }
    }
    return NULL;
}
