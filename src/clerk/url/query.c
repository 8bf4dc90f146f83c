/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/query.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/url/encoding.h"

apr_array_header_t *clerk_query_parse(const char *query, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(clerk_parameter));
    const char *p = query ? query : "";

    while (*p != '\0') {
        apr_size_t len = strcspn(p, "&");
        const char *equals = memchr(p, '=', len);
        apr_size_t name_len = equals ? (apr_size_t)(equals - p) : len;

        if (len > 0) {
            clerk_parameter *parameter = apr_array_push(list);

            parameter->name = clerk_encoding_form_read(p, name_len, &parameter->name_len, pool);
            if (equals) {
                parameter->value
                    = clerk_encoding_form_read(equals + 1, len - name_len - 1, &parameter->value_len, pool);
            } else {
                parameter->value = "";
                parameter->value_len = 0;
            }
        }
        p += len;
        p += *p == '&';
    }
    return list;
}

static int is_named(const clerk_parameter *parameter, const char *name)
{
    apr_size_t len = strlen(name);

    return parameter->name_len == len && !memcmp(parameter->name, name, len);
}

static int find(const apr_array_header_t *query, const char *name)
{
    for (int i = 0; i < query->nelts; i++) {
        if (is_named(&APR_ARRAY_IDX(query, i, clerk_parameter), name)) {
            return i;
        }
    }
    return -1;
}

const char *clerk_query_get(const apr_array_header_t *query, const char *name)
{
    int i = find(query, name);
    const clerk_parameter *parameter;

    if (i < 0) {
        return NULL;
    }
    parameter = &APR_ARRAY_IDX(query, i, clerk_parameter);
    return strlen(parameter->value) == parameter->value_len ? parameter->value : NULL;
}

int clerk_query_has(const apr_array_header_t *query, const char *name)
{
    return find(query, name) >= 0;
}

void clerk_query_append(apr_array_header_t *query, const char *name, const char *value)
{
    clerk_parameter *parameter = apr_array_push(query);

    parameter->name = name;
    parameter->name_len = strlen(name);
    parameter->value = value;
    parameter->value_len = strlen(value);
}

/* Remove all parameters of that name from index @a from on. */
static void delete_from(apr_array_header_t *query, const char *name, int from)
{
    int kept = from;

    for (int i = from; i < query->nelts; i++) {
        if (!is_named(&APR_ARRAY_IDX(query, i, clerk_parameter), name)) {
            APR_ARRAY_IDX(query, kept, clerk_parameter) = APR_ARRAY_IDX(query, i, clerk_parameter);
            kept++;
        }
    }
    query->nelts = kept;
}

void clerk_query_set(apr_array_header_t *query, const char *name, const char *value)
{
    int i = find(query, name);

    if (i < 0) {
        clerk_query_append(query, name, value);
    } else {
        APR_ARRAY_IDX(query, i, clerk_parameter).value = value;
        APR_ARRAY_IDX(query, i, clerk_parameter).value_len = strlen(value);
        delete_from(query, name, i + 1);
    }
}

void clerk_query_delete(apr_array_header_t *query, const char *name)
{
    delete_from(query, name, 0);
}

const char *clerk_query_text(const apr_array_header_t *query, apr_pool_t *pool)
{
    apr_size_t size = 1;
    char *out;
    char *o;

    if (query->nelts == 0) {
        return NULL;
    }
    for (int i = 0; i < query->nelts; i++) {
        const clerk_parameter *parameter = &APR_ARRAY_IDX(query, i, clerk_parameter);

        size += (parameter->name_len + parameter->value_len) * 3 + 2;
    }
    o = out = apr_palloc(pool, size);
    for (int i = 0; i < query->nelts; i++) {
        const clerk_parameter *parameter = &APR_ARRAY_IDX(query, i, clerk_parameter);

        if (i > 0) {
            *o++ = '&';
        }
        o = clerk_encoding_form_write(o, parameter->name, parameter->name_len);
        *o++ = '=';
        o = clerk_encoding_form_write(o, parameter->value, parameter->value_len);
    }
    *o = '\0';
    return out;
}
