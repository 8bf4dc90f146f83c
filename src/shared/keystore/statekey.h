/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHARED_KEYSTORE_STATEKEY_H
#define SHARED_KEYSTORE_STATEKEY_H

#include <apr_errno.h>

/** Bytes of the key that signs the files of statefile.h. */
#define CLERK_STATEKEY_LEN 32

/**
 * Get the key of a state directory from its file `state.key`, or make a new one. The user of httpd's children owns the
 * directory and can put anything there, so a file counts only if it is a regular file (no symbolic or second hard
 * link) that belongs to this process's user, gives no permission to others and has the right length. Any other is
 * replaced.
 * @param pkept APR_SUCCESS, or why the new key could not be written: the next start will have another one
 * @param dir the open directory
 * @return an error if there are no random numbers for a new key
 */
apr_status_t clerk_statekey_get(unsigned char key[CLERK_STATEKEY_LEN], apr_status_t *pkept, int dir);

#endif
