/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_EXPLAIN_H
#define CTL_EXPLAIN_H

#include "ctl/http_text.h"
#include "ctl/setup.h"

/**
 * Say what the module decides about a request, and how it comes to that: with clerk_authenticate(), which is what httpd
 * calls.
 */
clerk_output_code clerk_explain_run(clerk_setup *setup, const clerk_http_text *request);

/** Announce all tokens of a request, so that none of them is printed. */
void clerk_explain_hide(clerk_output *out, const clerk_http_text *request);

#endif
