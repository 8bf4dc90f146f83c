/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_AUTHZ_CLAIM_H
#define HTTPD_AUTHZ_AUTHZ_CLAIM_H

#include "httpd/authz/authz_require.h"

/* `Require clerk-claim`: parse and check of its clerk_requirement_kind. */

const char *clerk_authz_claim_parse(const clerk_requirement_kind *kind, cmd_parms *cmd, const char *line,
                                    const void **pparsed);
authz_status clerk_authz_claim_check(request_rec *r, const char *line, const void *parsed);

#endif
