/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_STATEFILE_H
#define SHARED_KEYSTORE_STATEFILE_H

#include <apr_pools.h>
#include <apr_time.h>
#include <apr_user.h>

/**
 * Keep a key set's canonical document in @a dir as `<hex of id>.json`, mode 0600, written to a temporary file,
 * flushed, and renamed.
 * @return APR_SUCCESS or what went wrong; the old file is whole in any case
 */
apr_status_t clerk_statefile_write(const char *dir, const unsigned char id[32], const char *document, apr_size_t len,
                                   apr_time_t fetched_at, apr_pool_t *scratch);

/**
 * Read it back. Refused: symbolic links, anything but a regular file, an owner other than this process's user or
 * @a owner, group- or world-writable files, files over 256 KB, files whose content is not what was written (digest),
 * another id, a time in the future.
 * @param pproblem where it fails and the file exists: what is wrong with it (static text); NULL where there simply is
 *        no file
 */
apr_status_t clerk_statefile_read(const char **pdocument, apr_size_t *plen, apr_time_t *pfetched_at,
                                  const char **pproblem, const char *dir, const unsigned char id[32], apr_uid_t owner,
                                  apr_pool_t *pool);

#endif
