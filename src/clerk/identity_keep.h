/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_IDENTITY_KEEP_H
#define CLERK_IDENTITY_KEEP_H

#include "clerk/identity.h"

/**
 * A copy of an identity that no pool owns, for the table of verified tokens: one block of memory, and a reference to the claims. Like every
 * identity it is never changed, so any number of threads may use it.
 * @return NULL where memory is short
 */
clerk_identity *clerk_identity_keep(const clerk_identity *identity);

/** Free what clerk_identity_keep() gave. */
void clerk_identity_drop(void *kept);

#endif
