/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOSE_JSON_H
#define JOSE_JSON_H

#include <jansson.h>

#include "jose/jose.h"

/** How deep objects and arrays may be nested in any JSON that this module parses. */
#define JOSE_JSON_MAX_DEPTH 16

/**
 * Parse a JSON object strictly: one object and nothing after it, valid UTF-8, no byte order mark, no
 * duplicate names, no NUL in a string, numbers within range, nesting of at most @a max_depth.
 * @param pobject the object; freed when @a pool is cleared
 * @return JOSE_OK, JOSE_MALFORMED or JOSE_TOO_LARGE (nesting)
 */
jose_status jose_json_parse_object(json_t **pobject, const char *data, apr_size_t len, unsigned int max_depth,
                                   apr_pool_t *pool);

#endif
