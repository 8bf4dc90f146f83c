/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_FINDINGS_H
#define CTL_FINDINGS_H

#include "ctl/setup.h"

/** How bad a finding is. */
typedef enum clerk_findings_level {
    CLERK_FINDINGS_ERROR,  /**< people are let in or kept out wrongly, or the server does not start */
    CLERK_FINDINGS_WARNING /**< it works, and is not as it should be */
} clerk_findings_level;

/** An examination under way. */
typedef struct clerk_findings {
    clerk_setup *setup; /**< for the HTTP client, and what is printed */
    const json_t *dump; /**< what httpd says of its configuration */
    json_t *findings;
    json_t *checks; /**< names of what was looked at */
} clerk_findings;

/** Add a finding, and what to do about it. Texts that are there already are not added again. */
void clerk_findings_add(clerk_findings *doctor, clerk_findings_level level, const char *check, const char *cure,
                        const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 5, 6)))
#endif
    ;

/** Note that something is looked at. */
void clerk_findings_looked_at(clerk_findings *doctor, const char *check);

/** A text in an object of the dump; "" if there is none. */
const char *clerk_findings_text(const json_t *object, const char *name);

#endif
