/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_SECTION_ACCESS_H
#define HTTPD_CONFIG_CHECK_SECTION_ACCESS_H

#include "httpd/config_check/section_reach.h"

/*
 * Who has access where a section is the last that applies: the Require lines that can be in force there, evaluated for
 * a stranger, which is a visitor without any credential.
 */

/** What can become of a stranger's request; combined by OR. */
#define CLERK_STRANGER_REFUSED 1u
#define CLERK_STRANGER_NEUTRAL                                                                                         \
    2u /**< neither granted nor denied: refused too, unless another Require grants access                              \
        */
#define CLERK_STRANGER_LET_IN 4u

/** Directives of one kind that can be in force in a section. */
typedef struct clerk_section_sources {
    apr_array_header_t *sections; /**< of const clerk_config_section *, the latest in the order of merging first */
    int may_be_none;              /**< perhaps none of them applies */
} clerk_section_sources;

typedef struct clerk_section_access {
    unsigned int stranger; /**< CLERK_STRANGER_REFUSED and CLERK_STRANGER_LET_IN */
    clerk_section_sources types, requires;
    int ambiguous;         /**< different Require or AuthType, depending on what else applies */
    int clerk, other;      /**< AuthType Clerk can be in force; another one, or none */
    int needs_user;        /**< a Require asks for a user */
    int optional;          /**< Require clerk-optional lets strangers in */
    int unmeetable;        /**< Require clerk-... without AuthType Clerk */
    int limited;           /**< methods that no Require is for are open */
    const char *condition; /**< the first Require that lets some strangers in and others not; NULL: none */
} clerk_section_access;

/** The sections whose directives can be in force in @a here, for directives that @a has finds. */
clerk_section_sources clerk_section_access_sources(const clerk_config_sections *config,
                                                   const clerk_config_section *here,
                                                   int (*has)(const clerk_config_section *));

/** Evaluate the access to a section. */
clerk_section_access clerk_section_access_of(const clerk_config_sections *config, const clerk_config_section *here);

/** The first mapping to another server that lets strangers have URLs of a section. @return NULL: there is none */
const clerk_config_section *clerk_section_access_bypass(const clerk_config_sections *config,
                                                        const clerk_config_section *here);

/**
 * The first section under AuthType Clerk that refuses strangers, but does not apply to some URLs of its files, because
 * the mapping sends them to another server and lets strangers in. @param pdecided a Require lets them in: that is meant
 * @return NULL: there is none
 */
const clerk_config_section *clerk_section_access_bypassed(int *pdecided, const clerk_config_sections *config,
                                                          const clerk_config_section *mapping);

#endif
