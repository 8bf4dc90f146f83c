/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_TOKEN_H
#define CTL_TOKEN_H

#include "ctl/http_text.h"
#include "ctl/setup.h"

/**
 * Decode a token from an Authorization or a Cookie field, and verify its signature and its times if the options name
 * keys. The signature is never printed.
 */
clerk_output_code clerk_token_run(clerk_setup *setup, const clerk_http_text *request);

#endif
