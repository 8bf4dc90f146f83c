/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/claim.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "jose/json.h"
#include "text/text.h"

const char *clerk_claim_text(const json_t *object, const char *name)
{
    const char *text = jose_json_string(object, name);

    return text && clerk_text_is_clean(text) ? text : NULL;
}

/* Every JSON value is reached by one split of the path at most, so the size of the token bounds the search. */
static const json_t *find(const json_t *object, char *path)
{
    const json_t *value = json_object_get(object, path);
    char *dot = path + strlen(path);

    while (!value && dot > path) {
        if (*--dot == '.') {
            *dot = '\0';
            value = json_object_get(object, path);
            *dot = '.';
            value = value ? find(value, dot + 1) : NULL;
        }
    }
    return value;
}

const json_t *clerk_claim_find(const json_t *claims, const char *path, apr_pool_t *pool)
{
    const json_t *value = find(claims, apr_pstrdup(pool, path));

    return json_is_null(value) ? NULL : value;
}

int clerk_claim_exists(const json_t *claims, const char *path, apr_pool_t *pool)
{
    return find(claims, apr_pstrdup(pool, path)) != NULL;
}

/* Compact JSON. Real numbers have as many digits as are needed to read back the same value, and no more. */
static const char *json_text(const json_t *value, apr_pool_t *pool)
{
    const char *text = NULL;

    for (int precision = 15; precision <= 17; precision++) {
        size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision);
        char *dumped = json_dumps(value, flags);
        json_t *back = dumped ? json_loads(dumped, JSON_DECODE_ANY, NULL) : NULL;
        int same = back && json_equal(back, value);

        text = dumped ? apr_pstrdup(pool, dumped) : NULL;
        json_decref(back);
        free(dumped);
        if (same) {
            break;
        }
    }
    return text;
}

const char *clerk_claim_number(double number, apr_pool_t *pool)
{
    const double largest_whole = 9007199254740992.0; /* from here on not every whole number is a double */
    const char *text;
    json_t *value;

    if (number > -largest_whole && number < largest_whole && (double)(apr_int64_t)number == number) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)number);
    }
    /* jansson's numbers, unlike APR's and the C library's, have their leading zero and know no locale. */
    value = json_real(number);
    text = value ? json_text(value, pool) : NULL;
    json_decref(value);
    return text ? text : "";
}

static int is_scalar(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

static const char *scalar_text(const json_t *value, apr_pool_t *pool)
{
    return json_is_string(value) ? json_string_value(value) : json_text(value, pool);
}

apr_array_header_t *clerk_claim_texts(const json_t *value, apr_pool_t *pool)
{
    apr_array_header_t *texts = apr_array_make(pool, 1, sizeof(const char *));

    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            const json_t *element = json_array_get(value, i);

            if (is_scalar(element)) {
                APR_ARRAY_PUSH(texts, const char *) = scalar_text(element, pool);
            }
        }
    } else if (value && is_scalar(value)) {
        APR_ARRAY_PUSH(texts, const char *) = scalar_text(value, pool);
    }
    return texts;
}

static const char *array_text(const json_t *array, apr_pool_t *pool)
{
    const apr_array_header_t *texts = clerk_claim_texts(array, pool);

    if ((size_t)texts->nelts != json_array_size(array)) {
        return json_text(array, pool);
    }
    for (int i = 0; i < texts->nelts; i++) {
        if (strchr(APR_ARRAY_IDX(texts, i, const char *), ',')) {
            return json_text(array, pool);
        }
    }
    return apr_array_pstrcat(pool, texts, ',');
}

const char *clerk_claim_encode(const json_t *value, apr_pool_t *pool)
{
    const char *text;

    if (!value) {
        return NULL;
    }
    if (json_is_array(value)) {
        text = array_text(value, pool);
    } else {
        text = json_is_object(value) ? json_text(value, pool) : scalar_text(value, pool);
    }
    return text && strlen(text) <= CLERK_CLAIM_TEXT_MAX && clerk_text_is_clean(text) ? text : NULL;
}
