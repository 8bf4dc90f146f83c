/* SPDX-License-Identifier: Apache-2.0 */
#include "text/form_fields.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "text/text.h"
#include "text/utf8.h"

#define URLENCODED "application/x-www-form-urlencoded"
#define MULTIPART "multipart/form-data"
/* RFC 2046, 5.1.1. */
#define BOUNDARY_MAX 70

/* A part of the body that is not read yet. */
typedef struct span {
    const char *at, *end;
} span;

/* Whether a browser sends a text as it is: it has no NUL, and makes every line end CRLF. */
static int is_exact(const char *text, apr_size_t len)
{
    for (apr_size_t i = 0; i < len; i++) {
        if (!text[i] || (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            || (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n'))) {
            return 0;
        }
    }
    return 1;
}

/* Add a field. @return whether a browser sends it again as it is */
static int add(clerk_form_fields *fields, span name, span value, int is_file, apr_pool_t *pool)
{
    clerk_form_field *field;

    if (name.at == name.end || !is_exact(name.at, (apr_size_t)(name.end - name.at))
        || !is_exact(value.at, (apr_size_t)(value.end - value.at))) {
        return 0;
    }
    field = apr_array_push(fields->list);
    field->name = apr_pstrmemdup(pool, name.at, (apr_size_t)(name.end - name.at));
    field->value = apr_pstrmemdup(pool, value.at, (apr_size_t)(value.end - value.at));
    field->is_file = is_file;
    field->is_charset = !strcasecmp(field->name, "_charset_");
    return !field->is_charset || !strchr(field->value, '\n');
}

/* ------------------------------------------------------------------------------------------------------------------
 * application/x-www-form-urlencoded
 */

/* Decode a name or a value. @param pdecoded in @a buffer. @return 0 if an escape is malformed */
static int decode(span *pdecoded, span text, char *buffer)
{
    pdecoded->at = buffer;
    for (; text.at < text.end; text.at++) {
        int high, low;

        if (*text.at != '%') {
            *buffer++ = (char)(*text.at == '+' ? ' ' : *text.at);
            continue;
        }
        high = text.end - text.at > 2 ? clerk_text_hex_digit(text.at[1]) : -1;
        low = high >= 0 ? clerk_text_hex_digit(text.at[2]) : -1;
        if (low < 0) {
            return 0;
        }
        *buffer++ = (char)(high * 16 + low);
        text.at += 2;
    }
    pdecoded->end = buffer;
    return 1;
}

static const char *find(span text, char c)
{
    const char *found = text.at < text.end ? memchr(text.at, c, (apr_size_t)(text.end - text.at)) : NULL;

    return found ? found : text.end;
}

static clerk_form_fields_verdict read_urlencoded(clerk_form_fields *fields, span body, apr_pool_t *pool)
{
    /* Nothing grows when it is decoded. */
    char *buffer = apr_palloc(pool, (apr_size_t)(body.end - body.at) + 1);

    while (body.at < body.end) {
        span pair = {body.at, find(body, '&')}, name = {pair.at, find(pair, '=')}, value;
        span decoded_name, decoded_value;

        value.at = name.end + 1;
        value.end = pair.end;
        if (name.end == pair.end || !decode(&decoded_name, name, buffer)
            || !decode(&decoded_value, value, buffer + (name.end - name.at))
            || !add(fields, decoded_name, decoded_value, 0, pool)) {
            return CLERK_FORM_FIELDS_INEXACT;
        }
        if (pair.end + 1 == body.end) {
            return CLERK_FORM_FIELDS_INEXACT; /* a '&' at the end */
        }
        body.at = pair.end < body.end ? pair.end + 1 : body.end;
    }
    return CLERK_FORM_FIELDS_OK;
}

/* ------------------------------------------------------------------------------------------------------------------
 * multipart/form-data
 */

/* Skip a text that must come next. @return whether it did */
static int skip(span *text, const char *wanted, apr_size_t len)
{
    if ((apr_size_t)(text->end - text->at) < len || memcmp(text->at, wanted, len)) {
        return 0;
    }
    text->at += len;
    return 1;
}

static int skip_text(span *text, const char *wanted)
{
    return skip(text, wanted, strlen(wanted));
}

/* Read up to, and skip, a text. @return 0 if it does not come */
static int read_to(span *ptaken, span *text, const char *wanted, apr_size_t len)
{
    ptaken->at = text->at;
    for (const char *at = text->at; (apr_size_t)(text->end - at) >= len; at++) {
        at = memchr(at, *wanted, (apr_size_t)(text->end - at) - len + 1);
        if (!at) {
            return 0;
        }
        if (!memcmp(at, wanted, len)) {
            ptaken->end = at;
            text->at = at + len;
            return 1;
        }
    }
    return 0;
}

/* The headers of a part. */
typedef struct part {
    span name, filename;
    int is_file; /* it has a filename, be it empty */
} part;

/*
 * Read the headers as browsers write them: Content-Disposition with a name, and for a file a file name and its
 * Content-Type. A text field with a type of its own, which a script can make, would come back without it.
 */
static int read_headers(part *headers, span *body)
{
    span type;

    memset(headers, 0, sizeof(*headers));
    if (!skip_text(body, "Content-Disposition: form-data; name=\"") || !read_to(&headers->name, body, "\"", 1)) {
        return 0;
    }
    if (skip_text(body, "; filename=\"")) {
        headers->is_file = 1;
        if (!read_to(&headers->filename, body, "\"", 1) || !skip_text(body, "\r\nContent-Type: ")
            || !read_to(&type, body, "\r\n", 2) || memchr(type.at, '\n', (apr_size_t)(type.end - type.at))) {
            return 0;
        }
        return skip_text(body, "\r\n");
    }
    return skip_text(body, "\r\n\r\n");
}

static int has_line_end(span text)
{
    return find(text, '\r') != text.end || find(text, '\n') != text.end;
}

/* @param delimiter CRLF, two dashes and the boundary */
static clerk_form_fields_verdict read_multipart(clerk_form_fields *fields, span body, const char *delimiter,
                                                apr_pool_t *pool)
{
    apr_size_t len = strlen(delimiter);

    /* The first one has no line end before it. */
    if (!skip(&body, delimiter + 2, len - 2)) {
        return CLERK_FORM_FIELDS_INEXACT;
    }
    while (skip_text(&body, "\r\n")) {
        part headers;
        span value;

        if (!read_headers(&headers, &body) || has_line_end(headers.name) || has_line_end(headers.filename)
            || !read_to(&value, &body, delimiter, len)) {
            return CLERK_FORM_FIELDS_INEXACT;
        }
        if (headers.is_file && (headers.filename.at != headers.filename.end || value.at != value.end)) {
            return CLERK_FORM_FIELDS_FILE;
        }
        if (!add(fields, headers.name, value, headers.is_file, pool)) {
            return CLERK_FORM_FIELDS_INEXACT;
        }
    }
    if (!skip_text(&body, "--")) {
        return CLERK_FORM_FIELDS_INEXACT;
    }
    (void)skip_text(&body, "\r\n");
    return body.at == body.end ? CLERK_FORM_FIELDS_OK : CLERK_FORM_FIELDS_INEXACT;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Both
 */

/* Whether a media type is this one. @param pparameters what follows it */
static int is_type(const char **pparameters, const char *content_type, const char *wanted)
{
    apr_size_t len = strlen(wanted);

    if (!content_type || strncasecmp(content_type, wanted, len)) {
        return 0;
    }
    *pparameters = content_type + len + strspn(content_type + len, " \t");
    return **pparameters == ';' || **pparameters == '\0';
}

/* CRLF, two dashes and the boundary that is the only parameter; NULL if there is none. Browsers do not quote it. */
static const char *read_delimiter(const char *parameters, apr_pool_t *pool)
{
    static const char name[] = "boundary=";
    apr_size_t len = 0;

    parameters += strspn(parameters, "; \t");
    if (strncasecmp(parameters, name, sizeof(name) - 1)) {
        return NULL;
    }
    parameters += sizeof(name) - 1;
    while (clerk_text_is_alnum(parameters[len]) || (parameters[len] && strchr("'+_-./:=?", parameters[len]))) {
        len++;
    }
    return len && len <= BOUNDARY_MAX && !parameters[len] ? apr_pstrcat(pool, "\r\n--", parameters, NULL) : NULL;
}

static int is_utf8(const char *text)
{
    while (*text) {
        apr_size_t len = clerk_utf8_length(text);

        if (!len) {
            return 0;
        }
        text += len;
    }
    return 1;
}

static int are_utf8(const apr_array_header_t *list)
{
    for (int i = 0; i < list->nelts; i++) {
        const clerk_form_field *field = &APR_ARRAY_IDX(list, i, clerk_form_field);

        if (!is_utf8(field->name) || !is_utf8(field->value)) {
            return 0;
        }
    }
    return 1;
}

clerk_form_fields_verdict clerk_form_fields_read(clerk_form_fields *fields, const char *content_type, const char *body,
                                                 apr_size_t len, apr_pool_t *pool)
{
    span all = {body, body + len};
    clerk_form_fields_verdict verdict = CLERK_FORM_FIELDS_OTHER;
    const char *parameters, *delimiter;

    memset(fields, 0, sizeof(*fields));
    fields->list = apr_array_make(pool, 16, sizeof(clerk_form_field));
    if (is_type(&parameters, content_type, URLENCODED)) {
        verdict = read_urlencoded(fields, all, pool);
    } else if (is_type(&parameters, content_type, MULTIPART)) {
        fields->multipart = 1;
        delimiter = read_delimiter(parameters, pool);
        verdict = delimiter ? read_multipart(fields, all, delimiter, pool) : CLERK_FORM_FIELDS_INEXACT;
    }
    if (verdict == CLERK_FORM_FIELDS_OK) {
        fields->utf8 = are_utf8(fields->list);
    }
    return verdict;
}
