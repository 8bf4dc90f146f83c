/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_CLAIM_H
#define CLERK_SESSION_CLAIM_H

#include <apr_tables.h>
#include <jansson.h>

/** The longest text of a claim that an application gets, in bytes; a longer one is left out, never truncated. */
#define CLERK_CLAIM_TEXT_MAX 4096

/** The text of a string member without control characters; NULL if there is no such member. Points into @a object. */
const char *clerk_claim_text(const json_t *object, const char *name);

/**
 * Find the claim at a path (authorization.md "Claim paths": ClerkRemoteUser, ClerkExportClaim, clerk-claim, clerk()).
 * Dots separate the names of nested objects. A name may contain dots itself, as in `https://example.com/roles`: in
 * every object the longest name that the path begins with is tried first, and shorter ones only if nothing is found
 * below it. Nothing needs to be escaped.
 * @return points into @a claims; NULL if there is no such claim, or if it is JSON null
 */
const json_t *clerk_claim_find(const json_t *claims, const char *path, apr_pool_t *pool);

/** Whether there is something at a path, JSON null included. */
int clerk_claim_exists(const json_t *claims, const char *path, apr_pool_t *pool);

/**
 * A claim as text: a string unchanged (UTF-8), a number or boolean as in JSON, an array of scalars as its elements
 * separated by commas, an object as compact JSON. An array that would be ambiguous that way (an element contains a
 * comma, or is an array or object) is compact JSON too.
 * @param value NULL gives NULL
 * @return from @a pool or @a value; NULL if the text is longer than CLERK_CLAIM_TEXT_MAX or has control characters (C0,
 *         DEL)
 */
const char *clerk_claim_encode(const json_t *value, apr_pool_t *pool);

/** A number as JavaScript prints it, such as `5`, `-1` or `0.5`; of sizes that occur in tokens. From @a pool. */
const char *clerk_claim_number(double number, apr_pool_t *pool);

/**
 * The texts that a claim is compared by: of a scalar its text, of an array those of all its scalar elements, of an
 * object none. Strings are unchanged, numbers and booleans as in JSON. Any length; may contain control characters.
 * @param value NULL gives an empty array
 * @return of const char *, from @a pool or @a value
 */
apr_array_header_t *clerk_claim_texts(const json_t *value, apr_pool_t *pool);

#endif
