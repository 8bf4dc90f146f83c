/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEXT_SECRET_TEXT_H
#define TEXT_SECRET_TEXT_H

#include <apr_pools.h>

/**
 * Copy a secret into memory of its own, outside the pool's. It is overwritten when the pool is cleared, and left out of
 * core dumps on systems that can do so. To be called while one thread uses the pool, as when the configuration is read.
 * @param pool the lifetime of the copy
 * @param text need not end with NUL; the copy does
 */
const char *clerk_secret_text_keep(apr_pool_t *pool, const char *text, apr_size_t len);

#endif
