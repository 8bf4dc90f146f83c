/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/section_verdict.h"

#include <apr_strings.h>

/* "RewriteRule (FILE:LINE)" */
static const char *name_of(const ap_directive_t *directive, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s (%s:%d)", directive->directive, directive->filename, directive->line_num);
}

/* Whether the Require that lets everybody in is meant for this section, not the distribution's for all files. */
static int is_granted_here(const clerk_config_section *here, const clerk_section_access *access)
{
    const clerk_config_section *from = access->requires.sections->nelts
                                           ? APR_ARRAY_IDX(access->requires.sections, 0, const clerk_config_section *)
                                           : NULL;

    return here->require || (from && (from->kind == here->kind || access->ambiguous));
}

/* Everybody is let in. */
static const char *verdict_open(clerk_section_class *pclass, const clerk_config_section *here,
                                const clerk_section_access *access)
{
    *pclass = access->optional ? CLERK_SECTION_OPTIONAL : CLERK_SECTION_OPEN;
    if (access->optional) {
        return "optional: everybody is let in, and who is signed in is known";
    }
    if (is_granted_here(here, access)) {
        return "OPEN: Require all granted lets everybody in";
    }
    return "OPEN: AuthType Clerk, but no Require restricts anything, so everybody is let in";
}

/* Strangers are let in under some condition. */
static const char *verdict_mixed(clerk_section_class *pclass, const clerk_section_access *access, apr_pool_t *pool)
{
    *pclass = CLERK_SECTION_DEPENDS;
    if (access->ambiguous) {
        return "DEPENDS on what else applies to the file or URL";
    }
    if (access->limited) {
        return "DEPENDS: every Require stands under a condition, and what does not meet it is open";
    }
    if (!access->condition) {
        return "DEPENDS: Satisfy Any lets in some who are not signed in";
    }
    if (access->needs_user) {
        *pclass = CLERK_SECTION_PROTECTED;
        return apr_psprintf(pool, "protected by Clerk, except where Require %s lets strangers in", access->condition);
    }
    *pclass = CLERK_SECTION_OTHER;
    return apr_psprintf(pool, "not by Clerk, but by a condition: Require %s", access->condition);
}

/* If AuthType Clerk applies or may apply. */
static const char *verdict_for_clerk(clerk_section_class *pclass, const clerk_config_section *here,
                                     const clerk_section_access *access, apr_pool_t *pool)
{
    if (access->stranger == CLERK_STRANGER_LET_IN) {
        return verdict_open(pclass, here, access);
    }
    if (access->stranger & CLERK_STRANGER_LET_IN) {
        return verdict_mixed(pclass, access, pool);
    }
    if (access->other) {
        *pclass = CLERK_SECTION_DEPENDS;
        return "DEPENDS on what else applies to the file or URL";
    }
    *pclass = access->needs_user ? CLERK_SECTION_PROTECTED : CLERK_SECTION_CLOSED;
    if (!access->requires.sections->nelts) {
        return "closed: AuthType Clerk, but no Require at all, for which httpd answers 500";
    }
    return access->needs_user ? "protected by Clerk" : "closed: nobody is let in";
}

/* If another AuthType applies, or none. */
static const char *verdict_for_other(clerk_section_class *pclass, const clerk_section_access *access)
{
    int typed = !access->types.may_be_none, sure = !access->ambiguous;

    *pclass = CLERK_SECTION_OTHER;
    if (access->stranger == CLERK_STRANGER_LET_IN) {
        return "not by Clerk: open to everybody";
    }
    if (access->stranger & CLERK_STRANGER_LET_IN) {
        return "not by Clerk";
    }
    if (access->unmeetable && sure) {
        *pclass = CLERK_SECTION_CLOSED;
        return typed ? "NOT PROTECTED BY CLERK: Require clerk-... under another AuthType, which nobody can meet"
                     : "NOT PROTECTED BY CLERK: Require clerk-... without AuthType Clerk, which nobody can meet";
    }
    if (sure && !typed && access->needs_user) {
        *pclass = CLERK_SECTION_CLOSED;
        return "NOT PROTECTED: a user is required, but no AuthType says how to sign in; requests fail";
    }
    return access->needs_user ? "not by Clerk" : "not by Clerk: closed";
}

/* Whether the directory that a <Location> leads to refuses strangers. */
static int leads_into_protection(const clerk_config_sections *config, const clerk_config_section *location)
{
    for (int i = 0; i < config->sections->nelts; i++) {
        const clerk_config_section *section = clerk_config_sections_get(config, i);

        if (section->kind == CLERK_SECTION_DIRECTORY
            && clerk_section_reach_applies(config, section, location) == CLERK_APPLIES_YES) {
            clerk_section_access access = clerk_section_access_of(config, section);

            if (access.clerk && access.stranger & CLERK_STRANGER_REFUSED) {
                return 1;
            }
        }
    }
    return 0;
}

const char *clerk_section_verdict(clerk_section_class *pclass, const clerk_config_sections *config,
                                  const clerk_config_section *here, const clerk_section_access *access)
{
    const clerk_config_section *other;
    const char *verdict;

    if (here->kind == CLERK_SECTION_MAPPING && access->stranger == CLERK_STRANGER_LET_IN) {
        *pclass = CLERK_SECTION_OPEN;
        return "OPEN: sent to another server, where <Directory>, <Files> and .htaccess do not apply, and no <Location> "
               "protects it";
    }
    verdict = access->clerk ? verdict_for_clerk(pclass, here, access, config->pool) : verdict_for_other(pclass, access);
    if (*pclass == CLERK_SECTION_PROTECTED && (other = clerk_section_access_bypass(config, here))) {
        *pclass = CLERK_SECTION_DEPENDS;
        return apr_psprintf(config->pool,
                            "DEPENDS: protected by Clerk for files, but open where %s sends requests to another server",
                            name_of(other->container, config->pool));
    }
    if (here->kind == CLERK_SECTION_LOCATION && here->path && *here->path && access->stranger == CLERK_STRANGER_LET_IN
        && (other = clerk_section_reach_redirector(config, here)) && leads_into_protection(config, here)) {
        *pclass = CLERK_SECTION_DEPENDS;
        return apr_psprintf(config->pool,
                            "DEPENDS: open, but where %s hands a request to another URL, that URL's section decides",
                            name_of(other->set[CLERK_SECTION_REDIRECTOR], config->pool));
    }
    return verdict;
}
