/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_VARIABLES_H
#define HTTPD_APPLICATION_VARIABLES_H

#include <httpd.h>

#include "clerk/session/identity.h"

/** What the names of all variables begin with; claims of ClerkExportClaim have CLERK_EXPORT_PREFIX. */
#define CLERK_VARIABLE_PREFIX "CLERK_"

/** The longest value of a list (permissions, features, plans); a longer one is left out, never cut. */
#define CLERK_VARIABLE_MAX 8000

/** A variable other than exported claims: a row of the table in variables.c. */
typedef struct clerk_variable {
    const char *name;
    /** Its value; NULL: not set. @param identity NULL: nobody is signed in */
    const char *(*get)(const clerk_identity *identity);
    size_t text; /**< without get(): where in the identity its text is; not set without an identity */
    int is_list; /**< left out where it is longer than CLERK_VARIABLE_MAX */
} clerk_variable;

/** Takes one variable. Name and value live as long as the request. */
typedef void clerk_variables_sink(void *data, const char *name, const char *value);

/**
 * What an application is told about a request (directives.md "Variables"), however it is told, by the names of the
 * environment, each once, in the order of the documentation. No value has control characters. ClerkExportClaim's claims
 * are among them.
 * @param identity NULL: nobody is signed in
 */
void clerk_variables_each(request_rec *r, const clerk_identity *identity, clerk_variables_sink *sink, void *data);

/** The variable of that name, in any case; NULL: none, or an exported claim. */
const clerk_variable *clerk_variables_find(const char *name);

/** The value of one variable; NULL: not set. @param identity NULL: nobody is signed in */
const char *clerk_variables_get(request_rec *r, const clerk_identity *identity, const clerk_variable *variable);

/** Whether an entry of the environment can be one of clerk_variables_each(), exported claims included. */
int clerk_variables_has_name(const char *name);

/**
 * What REMOTE_USER is to be (ClerkRemoteUser).
 * @return NULL where the token has no such claim, or one that is empty, no text or number, longer than
 *         CLERK_CLAIM_TEXT_MAX or has control characters; logged
 */
const char *clerk_variables_remote_user(request_rec *r, const clerk_identity *identity);

#endif
