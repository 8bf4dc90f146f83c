/* SPDX-License-Identifier: Apache-2.0 */

/* A form: in the first line its Content-Type, behind the line end its body. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "text/form_inputs.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (apr_initialize() != APR_SUCCESS) {
        abort();
    }
    return 0;
}

static void expect(int holds)
{
    if (!holds) {
        abort();
    }
}

static const char *skip(const char *text, const char *wanted)
{
    expect(!strncmp(text, wanted, strlen(wanted)));
    return text + strlen(wanted);
}

/* The character at the beginning of an attribute's value, as an HTML parser reads it; 0: none that we write. */
static char reference(const char **pat)
{
    static const struct {
        const char *text;
        char c;
    } references[] = {{"&amp;", '&'}, {"&quot;", '"'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&#13;", '\r'}, {"&#10;", '\n'}};

    for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
        if (!strncmp(*pat, references[i].text, strlen(references[i].text))) {
            *pat += strlen(references[i].text);
            return references[i].c;
        }
    }
    if (**pat == '\0' || strchr("&<>\r\n", **pat)) {
        return '\0';
    }
    return *(*pat)++;
}

/* Read an attribute, which must have this value if the form is UTF-8. @return behind its closing quotation mark */
static const char *read_attribute(const char *html, const char *value, int utf8)
{
    while (*html != '"') {
        char c = reference(&html);

        expect(c != '\0' && (!utf8 || c == *value++));
    }
    expect(!utf8 || *value == '\0');
    return html + 1;
}

static void check_html(const clerk_form_fields *fields, const char *html)
{
    for (int i = 0; i < fields->list->nelts; i++) {
        const clerk_form_field *field = &APR_ARRAY_IDX(fields->list, i, clerk_form_field);

        expect(*field->name != '\0');
        html = skip(html, field->is_file      ? "<input type=\"file\" hidden name=\""
                          : field->is_charset ? "<input type=\"text\" hidden name=\""
                                              : "<input type=\"hidden\" name=\"");
        html = read_attribute(html, field->name, fields->utf8);
        if (!field->is_file) {
            html = read_attribute(skip(html, " value=\""), field->value, fields->utf8);
        }
        html = skip(html, ">\n");
    }
    expect(*html == '\0');
}

/* The body that a browser sends for the fields. */
static const char *encode(const clerk_form_fields *fields, apr_pool_t *pool)
{
    char *body, *at;
    size_t len = 1;

    for (int i = 0; i < fields->list->nelts; i++) {
        const clerk_form_field *field = &APR_ARRAY_IDX(fields->list, i, clerk_form_field);

        len += 3 * (strlen(field->name) + strlen(field->value)) + 2;
    }
    body = at = apr_palloc(pool, len);
    for (int i = 0; i < fields->list->nelts; i++) {
        const clerk_form_field *field = &APR_ARRAY_IDX(fields->list, i, clerk_form_field);

        *at = '&';
        at += i > 0;
        for (const char *p = field->name; *p; p++, at += 3) {
            apr_snprintf(at, 4, "%%%02X", (unsigned char)*p);
        }
        *at++ = '=';
        for (const char *p = field->value; *p; p++, at += 3) {
            apr_snprintf(at, 4, "%%%02X", (unsigned char)*p);
        }
    }
    *at = '\0';
    return body;
}

/* What a browser sends from the page is read as the same fields. */
static void check_again(const clerk_form_fields *fields, apr_pool_t *pool)
{
    const char *body = encode(fields, pool);
    clerk_form_fields again;

    expect(clerk_form_fields_read(&again, "application/x-www-form-urlencoded", body, strlen(body), pool)
           == CLERK_FORM_FIELDS_OK);
    expect(again.list->nelts == fields->list->nelts && again.utf8 == fields->utf8);
    for (int i = 0; i < again.list->nelts; i++) {
        const clerk_form_field *one = &APR_ARRAY_IDX(fields->list, i, clerk_form_field);
        const clerk_form_field *other = &APR_ARRAY_IDX(again.list, i, clerk_form_field);

        expect(!strcmp(one->name, other->name) && !strcmp(one->value, other->value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_end = size ? memchr(data, '\n', size) : NULL;
    clerk_form_fields fields;
    apr_pool_t *pool;
    const char *type;
    char *body;
    size_t len;

    if (!line_end) {
        return 0;
    }
    expect(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    type = apr_pstrmemdup(pool, (const char *)data, (size_t)(line_end - data));
    /* A body of its own length, so that a sanitizer sees what is read behind it. */
    len = size - (size_t)(line_end + 1 - data);
    body = malloc(len ? len : 1);
    expect(body != NULL);
    memcpy(body, line_end + 1, len);
    if (clerk_form_fields_read(&fields, type, body, len, pool) == CLERK_FORM_FIELDS_OK) {
        check_html(&fields, clerk_form_inputs_html(&fields, pool));
        check_again(&fields, pool);
    }
    free(body);
    apr_pool_destroy(pool);
    return 0;
}
