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

/** The text of an object's member if that is a string, else NULL. */
const char *jose_json_string(const json_t *object, const char *name);

/**
 * Let the process end (SIGABRT) when jansson gets no memory, as httpd ends it when APR gets none. jansson itself goes
 * on after a failed allocation and loses bytes: a well-signed token could be read with another `sub`. Also seeds its
 * hash tables. Call before there are threads; it holds for all users of jansson in the process.
 */
void jose_json_end_without_memory(void);

/** Give jansson the C library's allocation functions back: before this code is unloaded. What was allocated stays. */
void jose_json_restore_memory(void);

#endif
