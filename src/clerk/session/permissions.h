/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_SESSION_PERMISSIONS_H
#define CLERK_SESSION_PERMISSIONS_H

#include <apr_tables.h>

/**
 * The permissions of a version 2 token (protocol.md 11.3). A mask may have any number of digits; bits beyond @a
 * per are ignored, a mask that is not all digits grants nothing.
 *
 * A mask belongs to an org feature by its position, and implementations disagree whether elements of other scopes
 * count. Where an element that is no org feature precedes one that is, only the bits that both readings set are
 * granted.
 *
 * @param features the trimmed elements of `fea`, all scopes, malformed ones included
 * @param per `o.per` or NULL
 * @param fpm `o.fpm` or NULL
 * @param pambiguous 1 where the two readings look at different masks
 * @return of const char *, `org:feature:permission`, from @a pool; empty, never NULL, where there is nothing
 */
apr_array_header_t *clerk_permissions_decode(int *pambiguous, const apr_array_header_t *features, const char *per,
                                             const char *fpm, apr_pool_t *pool);

#endif
