/* SPDX-License-Identifier: Apache-2.0 */
#include "text/form_inputs.h"

#include <string.h>

const char *clerk_form_inputs_attributes(const clerk_form_fields *fields)
{
    static const char *const attributes[2][2]
        = {{" accept-charset=\"windows-1252\"", ""},
           {" accept-charset=\"windows-1252\" enctype=\"multipart/form-data\"", " enctype=\"multipart/form-data\""}};

    return attributes[fields->multipart][fields->utf8];
}

/*
 * What a byte is in windows-1252, in UTF-8 (encoding.spec.whatwg.org). Every byte is a character there, so a form in
 * that encoding keeps any bytes, whatever encoding they were in.
 */
static const char *windows_1252(unsigned char c, char buffer[4])
{
    static const unsigned int from_80[]
        = {0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
           0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
           0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};
    unsigned int code = c < 0xa0 ? from_80[c - 0x80] : c;
    char *at = buffer;

    if (code > 0x7ff) {
        *at++ = (char)(0xe0 | code >> 12);
        *at++ = (char)(0x80 | (code >> 6 & 0x3f));
    } else {
        *at++ = (char)(0xc0 | code >> 6);
    }
    *at++ = (char)(0x80 | (code & 0x3f));
    *at = '\0';
    return buffer;
}

/* The text for a character of an attribute, if it is not the character itself. */
static const char *replacement(char c, int utf8, char buffer[4])
{
    switch (c) {
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r': /* The parser would make LF of both together. */
        return "&#13;";
    case '\n':
        return "&#10;";
    default:
        return utf8 || (unsigned char)c < 0x80 ? NULL : windows_1252((unsigned char)c, buffer);
    }
}

/* A text that grows. */
typedef struct builder {
    char *text;
    apr_size_t len;
} builder;

/* Append a text; to a builder without memory only its length. */
static void append(builder *to, const char *text, apr_size_t len)
{
    if (to->text) {
        memcpy(to->text + to->len, text, len);
    }
    to->len += len;
}

static void append_text(builder *to, const char *text)
{
    append(to, text, strlen(text));
}

static void append_value(builder *to, const char *value, int utf8)
{
    char buffer[4];

    for (; *value; value++) {
        const char *other = replacement(*value, utf8, buffer);

        append(to, other ? other : value, other ? strlen(other) : 1);
    }
}

static void append_inputs(builder *to, const clerk_form_fields *fields)
{
    for (int i = 0; i < fields->list->nelts; i++) {
        const clerk_form_field *field = &APR_ARRAY_IDX(fields->list, i, clerk_form_field);

        /* A browser would replace the value of a hidden `_charset_`. */
        append_text(to, field->is_file      ? "<input type=\"file\" hidden name=\""
                        : field->is_charset ? "<input type=\"text\" hidden name=\""
                                            : "<input type=\"hidden\" name=\"");
        append_value(to, field->name, fields->utf8);
        if (!field->is_file) {
            append_text(to, "\" value=\"");
            append_value(to, field->value, fields->utf8);
        }
        append_text(to, "\">\n");
    }
}

const char *clerk_form_inputs_html(const clerk_form_fields *fields, apr_pool_t *pool)
{
    builder html = {NULL, 0};

    append_inputs(&html, fields);
    html.text = apr_palloc(pool, html.len + 1);
    html.len = 0;
    append_inputs(&html, fields);
    html.text[html.len] = '\0';
    return html.text;
}
