/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_CLAIM_HINT_H
#define HTTPD_APPLICATION_CLAIM_HINT_H

#include <httpd.h>

#include "clerk/session/identity.h"
#include "httpd/config/settings.h"

/** What to write in Clerk's dashboard so that session tokens have the claim at a path: JSON with a shortcode. */
const char *clerk_claim_hint_template(const char *path, apr_pool_t *pool);

/**
 * Say in the log how to add a claim of ClerkExportClaim to session tokens, where the token of a session has no such
 * claim: once for each place in the server configuration after each start. Not for claims that Clerk itself sets, and
 * leaves out where they say nothing.
 */
void clerk_claim_hint_give(request_rec *r, const clerk_identity *identity, const clerk_export *wanted);

#endif
