/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/query.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/url/ascii.h"

char *clerk_percent_encode(char *out, unsigned char byte)
{
    static const char hex[] = "0123456789ABCDEF";

    out[0] = '%';
    out[1] = hex[byte >> 4];
    out[2] = hex[byte & 15];
    return out + 3;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int clerk_percent_decode(const char *text, apr_size_t len)
{
    int high;
    int low;

    if (len < 3 || text[0] != '%') {
        return -1;
    }
    high = hex_digit(text[1]);
    low = hex_digit(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** The range that the second byte must be in (Unicode 15, table 3-7) and the length that the first byte announces. */
static apr_size_t utf8_shape(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *low = first == 0xe0 ? 0xa0 : 0x80;
        *high = first == 0xed ? 0x9f : 0xbf;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *low = first == 0xf0 ? 0x90 : 0x80;
        *high = first == 0xf4 ? 0x8f : 0xbf;
        return 4;
    }
    return 0;
}

/** As clerk_utf8_sequence(); @a pbad is how many bytes one replacement character stands for where it is not valid. */
static apr_size_t utf8_scan(const unsigned char *text, apr_size_t len, apr_size_t *pbad)
{
    unsigned char low;
    unsigned char high;
    apr_size_t want = utf8_shape(text[0], &low, &high);

    *pbad = 1;
    for (apr_size_t i = 1; i < want; i++) {
        if (i >= len || text[i] < low || text[i] > high) {
            *pbad = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return want;
}

apr_size_t clerk_utf8_sequence(const unsigned char *text, apr_size_t len)
{
    apr_size_t bad;

    return utf8_scan(text, len, &bad);
}

/** Replace what is not UTF-8 by U+FFFD, as browsers do. */
static char *valid_utf8(const char *text, apr_size_t len, apr_size_t *plen, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, len * 3 + 1);
    char *o = out;
    apr_size_t i = 0;

    while (i < len) {
        apr_size_t bad;
        apr_size_t good = utf8_scan((const unsigned char *)text + i, len - i, &bad);

        if (good > 0) {
            memcpy(o, text + i, good);
            o += good;
            i += good;
        } else {
            memcpy(o, "\xef\xbf\xbd", 3);
            o += 3;
            i += bad;
        }
    }
    *o = '\0';
    *plen = (apr_size_t)(o - out);
    return out;
}

static const char *decode(const char *text, apr_size_t len, apr_size_t *plen, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, len + 1);
    apr_size_t out_len = 0;
    apr_size_t i = 0;

    while (i < len) {
        int byte = clerk_percent_decode(text + i, len - i);

        if (byte >= 0) {
            out[out_len++] = (char)byte;
            i += 3;
        } else {
            out[out_len++] = (char)(text[i] == '+' ? ' ' : text[i]);
            i++;
        }
    }
    return valid_utf8(out, out_len, plen, pool);
}

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

            parameter->name = decode(p, name_len, &parameter->name_len, pool);
            if (equals) {
                parameter->value = decode(equals + 1, len - name_len - 1, &parameter->value_len, pool);
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

/** Remove every parameter of that name from index @a from on. */
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

static char *encode(char *out, const char *text, apr_size_t len)
{
    for (apr_size_t i = 0; i < len; i++) {
        char c = text[i];

        if (clerk_is_alnum(c) || c == '*' || c == '-' || c == '.' || c == '_') {
            *out++ = c;
        } else if (c == ' ') {
            *out++ = '+';
        } else {
            out = clerk_percent_encode(out, (unsigned char)c);
        }
    }
    return out;
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
        o = encode(o, parameter->name, parameter->name_len);
        *o++ = '=';
        o = encode(o, parameter->value, parameter->value_len);
    }
    *o = '\0';
    return out;
}

const char *clerk_form_encode(const char *value, apr_pool_t *pool)
{
    apr_size_t len = strlen(value);
    char *out = apr_palloc(pool, len * 3 + 1);

    *encode(out, value, len) = '\0';
    return out;
}
