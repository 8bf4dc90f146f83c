/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_VARIABLES_H
#define HTTPD_APPLICATION_VARIABLES_H

#include <httpd.h>

#include "clerk/session/identity.h"

/** The prefix of all variables, and of those for the claims of ClerkExportClaim. */
#define CLERK_VARIABLE_PREFIX "CLERK_"

/** The longest value of a list (permissions, features, plans); a longer one is left out, never truncated. */
#define CLERK_VARIABLE_MAX 8000

/** A variable that is not an exported claim: a row of the table in variables.c. */
typedef struct clerk_variable {
    const char *name;
    /** Its value; NULL: not set. @param identity NULL if the visitor is not signed in */
    const char *(*get)(const clerk_identity *identity);
    size_t text; /**< without get(): offset of its text in the identity; without an identity it is not set */
    int is_list; /**< left out if it is longer than CLERK_VARIABLE_MAX */
    int profile; /**< 1 plus the field of the user's profile (ClerkUserProfile); 0: it is of the identity */
} clerk_variable;

/** Receives one variable. Name and value live as long as the request. */
typedef void clerk_variables_sink(void *data, const char *name, const char *value);

/**
 * Call @a sink for each variable of a request that is set (directives.md "Variables"), in the order of the
 * documentation, and then for the claims of ClerkExportClaim. Each name comes once. No value has control characters.
 * @param identity NULL if the visitor is not signed in
 */
void clerk_variables_each(request_rec *r, const clerk_identity *identity, clerk_variables_sink *sink, void *data);

/** The variable of a name, in upper or lower case; NULL if there is none, or it is an exported claim. */
const clerk_variable *clerk_variables_find(const char *name);

/** The value of one variable; NULL: not set. @param identity NULL if the visitor is not signed in */
const char *clerk_variables_get(request_rec *r, const clerk_identity *identity, const clerk_variable *variable);

/** Whether a name is one of those that clerk_variables_each() can set, exported claims included. */
int clerk_variables_has_name(const char *name);

#endif
