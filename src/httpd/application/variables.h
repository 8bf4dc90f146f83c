/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_VARIABLES_H
#define HTTPD_APPLICATION_VARIABLES_H

#include <httpd.h>

#include "clerk/session/identity.h"

/** Facts begin with this; and those that are claims of ClerkExportClaim with the other. */
#define CLERK_VARIABLE_PREFIX "CLERK_"

/** The longest value of an identity's own lists (permissions, features, plans); a longer one is left out, never cut. */
#define CLERK_VARIABLE_MAX 8000

/** Takes one fact. Name and value live as long as the request. */
typedef void clerk_variable_sink(void *data, const char *name, const char *value);

/**
 * What an application is told about a request (directives.md "Variables"), however it is told, by the names of the
 * environment, each once, in the order of the documentation. No value has control characters. ClerkExportClaim's claims
 * are among them.
 * @param identity NULL: nobody is signed in
 */
void clerk_variables_each(request_rec *r, const clerk_identity *identity, clerk_variable_sink *sink, void *data);

/** One fact other than claims, by its name; NULL: unknown, or nothing. */
const char *clerk_variables_get(request_rec *r, const clerk_identity *identity, const char *name);

/** Names of all facts other than claims; ends with NULL. */
extern const char *const clerk_variable_names[];

/**
 * What REMOTE_USER is to be (ClerkRemoteUser).
 * @return NULL where the token has no such claim, or one that is empty, no text or number, longer than
 *         CLERK_CLAIM_TEXT_MAX or has control characters; logged
 */
const char *clerk_variables_remote_user(request_rec *r, const clerk_identity *identity);

#endif
