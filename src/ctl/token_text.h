/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_TOKEN_TEXT_H
#define CTL_TOKEN_TEXT_H

#include "ctl/output.h"

/** The decoded parts of a token, without its signature. Nothing is verified. @return null if there is no token */
json_t *clerk_token_text_of(const char *token, clerk_output *out);

/** Print it for people. @param now for the ages of its times */
void clerk_token_text_print(clerk_output *out, const json_t *token, apr_time_t now);

#endif
