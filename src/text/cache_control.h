/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEXT_CACHE_CONTROL_H
#define TEXT_CACHE_CONTROL_H

#include <apr_pools.h>

/* Values of Cache-Control (RFC 9111, section 5.2.2). */

/**
 * The strictest of two values: nobody may keep a response longer, or serve it to more people, than each of them allows.
 * `no-store` stands alone. `no-cache` removes what would make a response fresh, `private` what is for shared caches. Of
 * two ages the smaller is kept. Directives that do neither are all kept, each once.
 * @return one of the two where that says it all, else from @a pool
 */
const char *clerk_cache_control_strictest(const char *one, const char *other, apr_pool_t *pool);

/** Whether a text is a list of cache directives, each a word, with or without a value. */
int clerk_cache_control_is_valid(const char *text);

#endif
