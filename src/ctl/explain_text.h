/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_EXPLAIN_TEXT_H
#define CTL_EXPLAIN_TEXT_H

#include "clerk/cookies/cookies.h"
#include "clerk/outcome.h"
#include "ctl/http_text.h"
#include "ctl/setup.h"

/** A decision, and what led to it. */
typedef struct clerk_explain_result {
    clerk_setup *setup;
    const clerk_http_text *text;
    const clerk_request *request;
    const clerk_cookies *cookies; /**< of the request, whether they count or not */
    const clerk_outcome *outcome;
    int answer; /**< HTTP status */
    const char *location;
    json_t *steps; /**< filled by clerk_explain_text_step(); taken by clerk_explain_text_print() */
} clerk_explain_result;

/** Add a step to the decision's way. */
void clerk_explain_text_step(clerk_explain_result *result, clerk_step step, int holds);

/** Print it for people, or with --json for programs. */
void clerk_explain_text_print(clerk_explain_result *result);

/** The word for a status, such as "signed-in". */
const char *clerk_explain_text_status(clerk_status status);

#endif
