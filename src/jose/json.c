/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often @a c occurs; counting stops at @a limit + 1. */
static apr_size_t occurrences(const char *data, apr_size_t len, char c, unsigned int limit)
{
    const char *end = data + len;
    apr_size_t n = 0;

    while (n <= limit && (data = memchr(data, c, (apr_size_t)(end - data)))) {
        data++;
        n++;
    }
    return n;
}

/* The depth of nesting. Brackets in strings are not counted. Only meaningful if the text is JSON. */
static unsigned int json_depth(const char *data, apr_size_t len)
{
    unsigned int depth = 0, deepest = 0;
    int in_string = 0;

    for (apr_size_t i = 0; i < len; i++) {
        char c = data[i];

        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = 0;
            }
        } else if (c == '"') {
            in_string = 1;
        } else if (c == '{' || c == '[') {
            if (++depth > deepest) {
                deepest = depth;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

/*
 * jansson allows 2048 levels and recurses for each, so the nesting is measured first. (Text that is not JSON is refused
 * by the parser later.) Each level needs an opening bracket. So a text with at most @a max_depth opening brackets,
 * wherever they are, cannot be nested too deep: nearly every text passes this test, which is cheap.
 */
static int json_too_deep(const char *data, apr_size_t len, unsigned int max_depth)
{
    return occurrences(data, len, '{', max_depth) + occurrences(data, len, '[', max_depth) > max_depth
           && json_depth(data, len) > max_depth;
}

static apr_status_t json_release(void *object)
{
    json_decref(object);
    return APR_SUCCESS;
}

jose_status jose_json_parse_object(json_t **pobject, const char *data, apr_size_t len, unsigned int max_depth,
                                   apr_pool_t *pool)
{
    json_error_t error;
    json_t *value;

    *pobject = NULL;
    if (!data || len == 0) {
        return JOSE_MALFORMED;
    }
    if (json_too_deep(data, len, max_depth)) {
        return JOSE_TOO_LARGE;
    }

    value = json_loadb(data, len, JSON_REJECT_DUPLICATES, &error);
    if (!value) {
        return JOSE_MALFORMED;
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return JOSE_MALFORMED;
    }
    apr_pool_cleanup_register(pool, value, json_release, apr_pool_cleanup_null);
    *pobject = value;
    return JOSE_OK;
}

const char *jose_json_string(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void *memory_or_end(size_t size)
{
    static const char message[] = "mod_auth_clerk: out of memory\n";
    void *memory = malloc(size);

    if (!memory && size) {
        (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
        abort();
    }
    return memory;
}

void jose_json_end_without_memory(void)
{
    json_set_alloc_funcs(memory_or_end, free);
    json_object_seed(0);
}

void jose_json_restore_memory(void)
{
    json_set_alloc_funcs(malloc, free);
}
