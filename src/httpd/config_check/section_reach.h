/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_SECTION_REACH_H
#define HTTPD_CONFIG_CHECK_SECTION_REACH_H

#include "httpd/config_check/config_sections.h"

/* Where the sections of the configuration apply: which of them httpd merges for one request, and in which order. */

/** Whether the directives of one section apply in another. */
typedef enum clerk_section_applies {
    CLERK_APPLIES_NO,
    CLERK_APPLIES_MAYBE, /**< unknown: patterns; conditions; a directory and a URL; a virtual host and a section of the
                            main server */
    CLERK_APPLIES_YES
} clerk_section_applies;

/** Whether the directives of @a outer apply in @a inner, if @a inner has none of its own. */
clerk_section_applies clerk_section_reach_applies(const clerk_config_sections *config,
                                                  const clerk_config_section *outer, const clerk_config_section *inner);

/** Whether httpd merges @a one after @a other, so that the directives of @a one win where both apply. */
int clerk_section_reach_is_later(const clerk_config_section *one, const clerk_config_section *other);

/**
 * Whether a mapping to another server takes URLs of a section for files. httpd looks at no <Directory>, <Files> and
 * .htaccess for them. @param part the mapping, reduced to these URLs
 */
int clerk_section_reach_bypasses(clerk_config_section *part, const clerk_config_sections *config,
                                 const clerk_config_section *mapping, const clerk_config_section *here);

/**
 * A directive for the files of a <Location> that hands requests on to another URL inside httpd, such as RewriteRule in
 * <Directory>. @return the section with it; NULL: none is known
 */
const clerk_config_section *clerk_section_reach_redirector(const clerk_config_sections *config,
                                                           const clerk_config_section *location);

#endif
