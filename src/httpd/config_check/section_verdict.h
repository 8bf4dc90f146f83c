/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_SECTION_VERDICT_H
#define HTTPD_CONFIG_CHECK_SECTION_VERDICT_H

#include "httpd/config_check/section_access.h"

/** What DUMP_CLERK counts a section as. */
typedef enum clerk_section_class {
    CLERK_SECTION_PROTECTED, /**< by Clerk: a stranger is refused */
    CLERK_SECTION_OPTIONAL,
    CLERK_SECTION_OPEN,
    CLERK_SECTION_DEPENDS,
    CLERK_SECTION_CLOSED, /**< nobody is let in */
    CLERK_SECTION_OTHER,  /**< not by Clerk */
    CLERK_SECTION_CLASSES
} clerk_section_class;

/** Say how a section is protected. @param pclass what it counts as @return the words, which begin with the verdict */
const char *clerk_section_verdict(clerk_section_class *pclass, const clerk_config_sections *config,
                                  const clerk_config_section *here, const clerk_section_access *access);

#endif
