/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_PARTY_H
#define CLERK_URL_PARTY_H

#include <apr_tables.h>

/*
 * Authorized parties (ClerkAuthorizedParties): origins; `own`, the origin of this site; and patterns, which
 * have a star for the first label of the host: https, "://" and "*.example.com".
 */

#define CLERK_PARTY_OWN "own"

/** How the origin of this site is found, for `own`. */
typedef struct clerk_party_site {
    const char *(*own_origin)(void *baton); /**< gives NULL if the client has chosen it; NULL: unknown */
    void *baton;
} clerk_party_site;

/** Whether a text is meant as a pattern. */
int clerk_party_is_pattern(const char *text);

/** What is wrong with a pattern, or NULL. */
const char *clerk_party_pattern_problem(const char *pattern);

/**
 * Whether an origin is one of @a parties, of const char *. Origins are compared byte for byte: browsers have only one
 * spelling.
 * @param site asked only if the list says `own` and has no equal origin; NULL: unknown
 */
int clerk_party_is_listed(const apr_array_header_t *parties, const char *origin, const clerk_party_site *site);

#endif
