/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_PERMISSIONS_H
#define CLERK_SESSION_PERMISSIONS_H

#include <apr_tables.h>

/**
 * Decode the permissions of a version 2 token (protocol.md 11.3). A mask may have any number of digits; bits beyond @a
 * per are ignored, a mask that is not all digits grants nothing.
 *
 * A mask belongs to an org feature by its position, and implementations disagree whether elements of other scopes are
 * counted. If an element that is no org feature precedes one that is, only the bits set in both interpretations are
 * granted.
 *
 * @param features the trimmed elements of `fea`, with all scopes, malformed ones included
 * @param per `o.per` or NULL
 * @param fpm `o.fpm` or NULL
 * @param pambiguous 1 if the two interpretations use different masks
 * @return of const char *, `org:feature:permission`, from @a pool; may be empty, never NULL
 */
apr_array_header_t *clerk_permissions_decode(int *pambiguous, const apr_array_header_t *features, const char *per,
                                             const char *fpm, apr_pool_t *pool);

#endif
