/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_PATH_PATTERN_H
#define CLERK_URL_PATH_PATTERN_H

#include "clerk/url/path_program.h"

/**
 * Compile a path pattern (protocol.md 10): literals, `:name`, `(regex)`, `{...}` and the modifiers `? * +`, with the
 * meaning that path-to-regexp 6 gives them; case-insensitive, the whole path, one optional `/` at the end.
 * Only `:id` and `:slug` are captured, and these two cannot repeat.
 * @return NULL, or what is wrong (static text)
 */
const char *clerk_path_pattern_compile(const clerk_path_program **pprogram, const char *pattern, apr_pool_t *pool);

#endif
