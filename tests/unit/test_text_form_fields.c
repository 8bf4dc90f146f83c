/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "text/form_inputs.h"

#define URLENCODED "application/x-www-form-urlencoded"
#define MULTIPART "multipart/form-data; boundary=B"
#define NAMED "--B\r\nContent-Disposition: form-data; name=\"a\""
#define END "\r\n--B--\r\n"

/* The length is taken from the literal, because a body may contain NUL. */
#define BODY(literal) literal, sizeof(literal) - 1

/* The fields as one text: "charset| name=value| ..." with line ends as \r\n, or why there are none. */
static const char *read_text(const char *type, const char *body, apr_size_t len, apr_pool_t *pool)
{
    clerk_form_fields fields;
    const char *text;

    switch (clerk_form_fields_read(&fields, type, body, len, pool)) {
    case CLERK_FORM_FIELDS_FILE:
        return "file";
    case CLERK_FORM_FIELDS_OTHER:
        return "other";
    case CLERK_FORM_FIELDS_INEXACT:
        return "inexact";
    default:
        break;
    }
    text = fields.utf8 ? "utf-8" : "bytes";
    for (int i = 0; i < fields.list->nelts; i++) {
        const clerk_form_field *field = &APR_ARRAY_IDX(fields.list, i, clerk_form_field);

        text = apr_pstrcat(pool, text, "|", field->name, field->is_file ? "=FILE" : "=", field->value, NULL);
    }
    return text;
}

static void bodies_are_read(void **state)
{
    static const struct {
        const char *type;
        const char *body;
        apr_size_t len;
        const char *expected;
    } rows[] = {
        {URLENCODED, BODY(""), "utf-8"},
        {URLENCODED, BODY("a=1&b=two+words&a=%41%c3%A4&c="), "utf-8|a=1|b=two words|a=A\xc3\xa4|c="},
        {URLENCODED, BODY("a=b=c&d%3D=%26"), "utf-8|a=b=c|d==&"},
        {URLENCODED, BODY("a=x%0D%0Ay"), "utf-8|a=x\r\ny"},
        {URLENCODED, BODY("_charset_=UTF-8"), "utf-8|_charset_=UTF-8"},
        {URLENCODED, BODY("a=%E9"), "bytes|a=\xe9"},
        {URLENCODED, BODY("a=%ED%A0%80"), "bytes|a=\xed\xa0\x80"},
        {URLENCODED, BODY("a=%C0%80"), "bytes|a=\xc0\x80"},
        {URLENCODED, BODY("a=%F4%90%80%80"), "bytes|a=\xf4\x90\x80\x80"},
        {URLENCODED, BODY("a=%E2%82"), "bytes|a=\xe2\x82"},
        {"Application/X-WWW-Form-URLEncoded ; charset=UTF-8", BODY("a=1"), "utf-8|a=1"},
        {URLENCODED, BODY("a"), "inexact"},
        {URLENCODED, BODY("=1"), "inexact"},
        {URLENCODED, BODY("a=1&"), "inexact"},
        {URLENCODED, BODY("a=1&&b=2"), "inexact"},
        {URLENCODED, BODY("&"), "inexact"},
        {URLENCODED, BODY("a=%"), "inexact"},
        {URLENCODED, BODY("a=%4"), "inexact"},
        {URLENCODED, BODY("a=%4g"), "inexact"},
        {URLENCODED, BODY("a=%00"), "inexact"},
        {URLENCODED, BODY("a=\0"), "inexact"},
        {URLENCODED, BODY("a%00b=1"), "inexact"},
        {URLENCODED, BODY("a=%0A"), "inexact"},
        {URLENCODED, BODY("a=%0D"), "inexact"},
        {URLENCODED, BODY("a=%0D%0D%0A"), "inexact"},
        {URLENCODED, BODY("_Charset_=x%0D%0A"), "inexact"},
        {URLENCODED "x", BODY("a=1"), "other"},
        {"text/plain", BODY("a=1\r\n"), "other"},
        {"application/json", BODY("{}"), "other"},
        {"", BODY("a=1"), "other"},
        {NULL, BODY("a=1"), "other"},
        {MULTIPART, BODY("--B--\r\n"), "utf-8"},
        {MULTIPART, BODY(NAMED "\r\n\r\nx" END), "utf-8|a=x"},
        {MULTIPART, BODY(NAMED "\r\n\r\n" END), "utf-8|a="},
        {MULTIPART, BODY(NAMED "\r\n\r\nx\r\n" NAMED "\r\n\r\n--B\r\ny" END), "utf-8|a=x|a=--B\r\ny"},
        {MULTIPART, BODY("--B\r\nContent-Disposition: form-data; name=\"a%22\\\"\r\n\r\n%0A+\xe9\r\n--B--"),
         "bytes|a%22\\=%0A+\xe9"},
        {MULTIPART, BODY(NAMED "; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n" END),
         "utf-8|a=FILE"},
        {MULTIPART, BODY(NAMED "; filename=\"x\"\r\nContent-Type: text/plain\r\n\r\n" END), "file"},
        {MULTIPART, BODY(NAMED "; filename=\"\"\r\nContent-Type: text/plain\r\n\r\n\0" END), "file"},
        {MULTIPART, BODY(NAMED "\r\n\r\nx\r\n--B"), "inexact"},
        {MULTIPART, BODY(NAMED "\r\n\r\nx\r\n--Bx--\r\n"), "inexact"},
        {MULTIPART, BODY(NAMED "\r\n\r\nx" END "x"), "inexact"},
        {MULTIPART, BODY(NAMED "\r\n\r\nx\0" END), "inexact"},
        {MULTIPART, BODY(NAMED "\r\n\r\nx\ny" END), "inexact"},
        {MULTIPART, BODY(NAMED "\r\nContent-Type: text/plain\r\n\r\nx" END), "inexact"},
        {MULTIPART, BODY(NAMED "; filename=\"\"\r\n\r\n" END), "inexact"},
        {MULTIPART, BODY(NAMED "; filename*=\"\"\r\n\r\n" END), "inexact"},
        {MULTIPART, BODY("--B\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx" END), "inexact"},
        {MULTIPART, BODY("--B\r\nContent-Disposition: form-data; name=\"a\r\nb\"\r\n\r\nx" END), "inexact"},
        {MULTIPART, BODY("--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx" END), "inexact"},
        {MULTIPART, BODY("--B\r\nContent-Disposition: form-data; name=\"a"), "inexact"},
        {MULTIPART, BODY("preamble\r\n" NAMED "\r\n\r\nx" END), "inexact"},
        {MULTIPART, BODY("--C--\r\n"), "inexact"},
        {MULTIPART, BODY(""), "inexact"},
        {MULTIPART "; x=y", BODY("--B--\r\n"), "inexact"},
        {"multipart/form-data", BODY("--B--\r\n"), "inexact"},
        {"multipart/form-data; boundary=", BODY("----\r\n"), "inexact"},
        {"multipart/form-data; boundary=\"B\"", BODY("--B--\r\n"), "inexact"},
        {"multipart/form-data; boundary=B(C", BODY("--B(C--\r\n"), "inexact"},
        {"multipart/mixed; boundary=B", BODY("--B--\r\n"), "other"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_case(apr_psprintf(f->pool, "row %d: %s", (int)i, rows[i].body),
                    read_text(rows[i].type, rows[i].body, rows[i].len, f->pool), rows[i].expected);
    }
}

static void inputs_hold_the_fields(void **state)
{
    static const struct {
        const char *type;
        const char *body;
        const char *attributes;
        const char *html;
    } rows[] = {
        {URLENCODED, "", "", ""},
        {URLENCODED, "a=%3Cb%3E%22%26%27&%22%3E=%C3%A4%C2%85", "",
         "<input type=\"hidden\" name=\"a\" value=\"&lt;b&gt;&quot;&amp;'\">\n"
         "<input type=\"hidden\" name=\"&quot;&gt;\" value=\"\xc3\xa4\xc2\x85\">\n"},
        {URLENCODED, "a=%0D%0A%0D%0Ax", "", "<input type=\"hidden\" name=\"a\" value=\"&#13;&#10;&#13;&#10;x\">\n"},
        {URLENCODED, "_CHARSET_=x", "", "<input type=\"text\" hidden name=\"_CHARSET_\" value=\"x\">\n"},
        {URLENCODED, "a=%80%81%9f%A0%FF", " accept-charset=\"windows-1252\"",
         "<input type=\"hidden\" name=\"a\" value=\"\xe2\x82\xac\xc2\x81\xc5\xb8\xc2\xa0\xc3\xbf\">\n"},
        {MULTIPART, "--B--\r\n", " enctype=\"multipart/form-data\"", ""},
        {MULTIPART, NAMED "; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n" END,
         " enctype=\"multipart/form-data\"", "<input type=\"file\" hidden name=\"a\">\n"},
        {MULTIPART, NAMED "\r\n\r\n\xe9" END, " accept-charset=\"windows-1252\" enctype=\"multipart/form-data\"",
         "<input type=\"hidden\" name=\"a\" value=\"\xc3\xa9\">\n"},
    };
    fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        clerk_form_fields fields;

        assert_int_equal(clerk_form_fields_read(&fields, rows[i].type, rows[i].body, strlen(rows[i].body), f->pool),
                         CLERK_FORM_FIELDS_OK);
        assert_case(rows[i].body, clerk_form_inputs_attributes(&fields), rows[i].attributes);
        assert_case(rows[i].body, clerk_form_inputs_html(&fields, f->pool), rows[i].html);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(bodies_are_read),
        fixture_test(inputs_hold_the_fields),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
