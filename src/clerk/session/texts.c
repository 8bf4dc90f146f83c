/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/session/texts.h"

#include <string.h>

#include <apr_strings.h>

clerk_texts clerk_texts_make(const apr_array_header_t *array, apr_pool_t *pool)
{
    clerk_texts texts = {NULL, 0};
    char *at;

    if (!array) {
        return texts;
    }
    for (int i = 0; i < array->nelts; i++) {
        texts.size += strlen(APR_ARRAY_IDX(array, i, const char *)) + 1;
    }
    texts.first = at = apr_palloc(pool, texts.size + 1);
    for (int i = 0; i < array->nelts; i++) {
        const char *text = APR_ARRAY_IDX(array, i, const char *);
        apr_size_t size = strlen(text) + 1;

        memcpy(at, text, size);
        at += size;
    }
    *at = '\0';
    return texts;
}

const char *clerk_texts_next(const clerk_texts *texts, const char *text)
{
    text = text ? text + strlen(text) + 1 : texts->first;
    return text && text < texts->first + texts->size ? text : NULL;
}

const char *clerk_texts_join(const clerk_texts *texts, char separator, apr_pool_t *pool)
{
    char *joined;

    if (!texts->first || texts->size == 0) {
        return texts->first;
    }
    joined = apr_pmemdup(pool, texts->first, texts->size);
    for (char *end = memchr(joined, '\0', texts->size); end + 1 < joined + texts->size; end += strlen(end)) {
        *end = separator;
    }
    return joined;
}
