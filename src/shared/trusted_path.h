/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_TRUSTED_PATH_H
#define SHARED_TRUSTED_PATH_H

#include <sys/types.h>

#include <apr_pools.h>

/**
 * Find out whether somebody could put something else in the place of what a path names. Each directory and each
 * symbolic link on the way is looked at, those that a link leads through too: only root and @a user may own them, and
 * nobody else may write to a directory, unless it is sticky. What does not exist yet, and what is behind it, is good.
 * @param path absolute; the last name is followed if it is a link, and is not looked at otherwise
 * @param user whom root need not fear: 0 for nobody
 * @return the first thing that others can change, or that cannot be looked at; NULL: there is none
 */
const char *clerk_trusted_path_breach(const char *path, uid_t user, apr_pool_t *pool);

#endif
