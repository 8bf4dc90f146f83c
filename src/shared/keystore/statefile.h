/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_STATEFILE_H
#define SHARED_KEYSTORE_STATEFILE_H

#include <apr_pools.h>
#include <apr_time.h>
#include <apr_user.h>

#include "shared/keystore/statekey.h"

/** Where the files are, and which of them to believe. */
typedef struct clerk_statefile_dir {
    const char *path;         /**< a private directory that the children can write */
    const unsigned char *key; /**< CLERK_STATEKEY_LEN bytes */
    apr_uid_t owner;          /**< uid of the children */
} clerk_statefile_dir;

/**
 * Write a key set's canonical document to `<hex of id>.json` in @a dir, signed with its key, mode 0600: to a temporary
 * file first, which is then flushed and renamed.
 * @return APR_SUCCESS or an error; the old file is intact in any case
 */
apr_status_t clerk_statefile_write(const clerk_statefile_dir *dir, const unsigned char id[32], const char *document,
                                   apr_size_t len, apr_time_t fetched_at, apr_pool_t *scratch);

/**
 * Read such a file. Refused: symbolic links, anything but a regular file, an owner other than this process's user or
 * the children's, group- or world-writable files, files over 256 KB, damaged or forged files (HMAC), another id, a time
 * in the future.
 * @param pproblem on failure: what is wrong with the file (static text); NULL if there is no file
 */
apr_status_t clerk_statefile_read(const char **pdocument, apr_size_t *plen, apr_time_t *pfetched_at,
                                  const char **pproblem, const clerk_statefile_dir *dir, const unsigned char id[32],
                                  apr_pool_t *pool);

/**
 * Remove the temporary files of writers that were killed: only regular files with a name as clerk_statefile_write()
 * makes it, and only those older than ten minutes, because a younger one may still be in use.
 */
void clerk_statefile_sweep(const char *dir);

#endif
