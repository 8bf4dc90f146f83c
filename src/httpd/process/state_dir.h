/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_STATE_DIR_H
#define HTTPD_PROCESS_STATE_DIR_H

#include <httpd.h>

#include "shared/keystore/statefile.h"

/**
 * Make the directory of ClerkStateDir, where the last good keys survive a restart: private, and owned by the user of
 * the children, who write to it. Parent process. Root gives a directory away only through the open directory, never by
 * name, and only if root alone can change the directories above it: no other user can have put another one in its
 * place. The key that signs the files is in the directory too, readable by the user alone that starts httpd.
 * @param dir as configured; NULL: the default, below httpd's runtime directory; "": none
 * @return the directory, its key and owner, as long as @a pool; NULL if there is none or if it cannot be used (logged)
 */
const clerk_statefile_dir *clerk_state_dir_prepare(const char *dir, server_rec *s, apr_pool_t *pool);

#endif
