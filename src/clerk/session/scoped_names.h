/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_SCOPED_NAMES_H
#define CLERK_SESSION_SCOPED_NAMES_H

#include <apr_tables.h>

/** Scopes of an element of `fea` or `pla` (protocol.md 11.4); `ou` and `uo` mean both. */
#define CLERK_SCOPE_ORG 1u
#define CLERK_SCOPE_USER 2u

/**
 * Split a list claim at its commas and trim the elements as ECMAScript's trim() does. Empty elements are kept, because
 * positions count.
 * @param text the list; NULL gives an empty array
 * @return of const char *, from @a pool
 */
apr_array_header_t *clerk_scoped_names_split(const char *text, apr_pool_t *pool);

/**
 * The scopes of one trimmed element `scope:name`.
 * @param pname the text after the first colon; points into @a element
 * @return CLERK_SCOPE_*; 0 for another scope or a malformed element, then @a pname is not set
 */
unsigned int clerk_scoped_names_parse_scope(const char **pname, const char *element);

/**
 * Whether an element of a list has one of the scopes and this name. Malformed elements match nothing. Elements are
 * trimmed as by clerk_scoped_names_split(); nothing is allocated.
 * @param list `fea` or `pla`; NULL is an empty list
 * @param name without scope, @a len bytes
 */
int clerk_scoped_names_have(const char *list, unsigned int scopes, const char *name, apr_size_t len);

#endif
