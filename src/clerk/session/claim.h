/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_CLAIM_H
#define CLERK_SESSION_CLAIM_H

#include <apr_tables.h>
#include <jansson.h>

/** The longest text of a claim that is handed to an application; a longer one is left out, never cut. */
#define CLERK_CLAIM_TEXT_MAX 4096

/** A string member without control characters, as it stands in @a object; NULL where there is none such. */
const char *clerk_claim_text(const json_t *object, const char *name);

/**
 * The claim at a path (authorization.md "Claim paths": ClerkRemoteUser, ClerkExportClaim, clerk-claim, clerk()). Dots
 * separate the names of nested objects. A name may have dots of its own, as in `https://example.com/roles`: in every
 * object the longest name that the path begins with counts first, and shorter ones only where nothing is found below
 * it. Nothing needs escaping.
 * @return points into @a claims; NULL where there is no such claim, or where it is JSON null
 */
const json_t *clerk_claim_find(const json_t *claims, const char *path, apr_pool_t *pool);

/**
 * A claim as text: a string as it stands (UTF-8), a number or boolean as in JSON, an array of scalars with a comma
 * between the elements, an object as compact JSON. An array that could be misread that way (an element has a comma in
 * it, or is an array or object) is compact JSON too.
 * @param value NULL gives NULL
 * @return from @a pool or @a value; NULL where it would be longer than CLERK_CLAIM_TEXT_MAX or have control
 * characters (C0, DEL)
 */
const char *clerk_claim_encode(const json_t *value, apr_pool_t *pool);

/**
 * The texts that a comparison may be made with: of a scalar one, of an array one for each element that is a scalar,
 * of an object none. Strings are as they stand, numbers and booleans as in JSON. No bound, and control characters stay.
 * @param value NULL gives an empty array
 * @return of const char *, from @a pool or @a value
 */
apr_array_header_t *clerk_claim_texts(const json_t *value, apr_pool_t *pool);

#endif
