/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "clerk/url/encoding.h"
#include "text/text.h"
#include "text/utf8.h"

clerk_output *clerk_output_create(apr_pool_t *pool)
{
    clerk_output *out = apr_pcalloc(pool, sizeof(*out));

    out->gate = clerk_gate_create(pool);
    out->text = apr_array_make(pool, 4096, sizeof(char));
    out->pool = pool;
    return out;
}

void clerk_output_secret(clerk_output *out, const char *text)
{
    clerk_gate_secret(out->gate, text);
}

void clerk_output_token(clerk_output *out, const char *text)
{
    clerk_gate_token(out->gate, text);
}

static void append(apr_array_header_t *to, const char *text, apr_size_t len)
{
    for (apr_size_t i = 0; i < len; i++) {
        APR_ARRAY_PUSH(to, char) = text[i];
    }
}

/* The number of a character. @param len of its UTF-8 sequence */
static unsigned int number_of(const char *text, apr_size_t len)
{
    const unsigned char *c = (const unsigned char *)text;
    unsigned int number = len == 1 ? c[0] : c[0] & (0x7fU >> len);

    for (apr_size_t i = 1; i < len; i++) {
        number = number << 6 | (c[i] & 0x3fU);
    }
    return number;
}

/* Characters that are not seen, that break a line, or that turn the direction of what follows them: with them a text
 * looks as if it said something else (Unicode's properties Cc, Zl, Zp, Default_Ignorable_Code_Point, Bidi_Control). */
static int is_invisible(unsigned int number)
{
    static const struct {
        unsigned int first, last;
    } ranges[] = {{0x0, 0x1f},      {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},    {0x61c, 0x61c},
                  {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},  {0x2028, 0x202e},
                  {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},  {0xffa0, 0xffa0},
                  {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

    for (apr_size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (number >= ranges[i].first && number <= ranges[i].last) {
            return 1;
        }
    }
    return 0;
}

/* How JSON writes a character that is not printed as it is. */
static const char *escape_of(unsigned int number, apr_pool_t *pool)
{
    switch (number) {
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    return number < 0x10000 ? apr_psprintf(pool, "\\u%04x", number)
                            : apr_psprintf(pool, "\\u%04x\\u%04x", 0xd7c0 + (number >> 10), 0xdc00 + (number & 0x3ff));
}

/* Add a text of @a end - @a text bytes; @param kept characters that stay although nobody sees them */
static void append_shown(clerk_output *out, apr_array_header_t *to, const char *text, const char *end, const char *kept)
{
    while (text < end) {
        apr_size_t len = clerk_utf8_length(text);
        const char *escape = NULL;

        if (!len || len > (apr_size_t)(end - text)) {
            /* No UTF-8, where a byte may be a command for a terminal. */
            escape = apr_psprintf(out->pool, "\\x%02x", (unsigned int)(unsigned char)*text);
            len = 1;
        } else if (is_invisible(number_of(text, len)) && !(len == 1 && *text && strchr(kept, *text))) {
            escape = escape_of(number_of(text, len), out->pool);
        }
        append(to, escape ? escape : text, escape ? strlen(escape) : len);
        text += len;
    }
}

static int is_word(const char *text)
{
    return *text && clerk_text_is_graphic(text) && *text != '"';
}

const char *clerk_output_word(const clerk_output *out, const char *text)
{
    json_t *value = is_word(text) ? NULL : json_string(text);
    char *dump = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    const char *word = dump ? apr_pstrdup(out->pool, dump) : text;

    free(dump);
    json_decref(value);
    return word;
}

/* A conversion of a format: %[-][width][.precision], then s, d or APR_INT64_T_FMT. @return what follows it */
static const char *print_argument(clerk_output *out, const char *at, va_list *arguments)
{
    int to_left = *at == '-';
    apr_array_header_t *shown = apr_array_make(out->pool, 64, sizeof(char));
    apr_size_t width, precision = APR_SIZE_MAX, len;
    char *end;
    const char *text;

    width = (apr_size_t)strtol(at + to_left, &end, 10);
    if (*end == '.') {
        precision = (apr_size_t)strtol(end + 1, &end, 10);
    }
    if (*end == 's') {
        text = va_arg(*arguments, const char *);
        text = text ? text : "";
    } else if (*end == 'd') {
        text = apr_itoa(out->pool, va_arg(*arguments, int));
    } else {
        end += strspn(end, "l") - (*end == 'l');
        text = apr_psprintf(out->pool, "%" APR_INT64_T_FMT, va_arg(*arguments, apr_int64_t));
        end += *end == 'l';
    }
    len = strlen(text);
    append_shown(out, shown, text, text + (len < precision ? len : precision), "");
    for (int i = shown->nelts; !to_left && i < (int)width; i++) {
        append(out->text, " ", 1);
    }
    append(out->text, shown->elts, (apr_size_t)shown->nelts);
    for (int i = shown->nelts; to_left && i < (int)width; i++) {
        append(out->text, " ", 1);
    }
    return end + 1;
}

void clerk_output_print(clerk_output *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    while (*format) {
        apr_size_t own = strcspn(format, "%");

        append(out->text, format, own);
        format += own;
        if (*format) {
            format = print_argument(out, format + 1, &arguments);
        }
    }
    va_end(arguments);
}

void clerk_output_lines(clerk_output *out, const char *text)
{
    append_shown(out, out->text, text, text + strlen(text), "\n\t");
}

const char *clerk_output_url(const clerk_output *out, const char *url)
{
    const char *query = strchr(url, '?'), *text;

    if (!query) {
        return url;
    }
    text = apr_pstrmemdup(out->pool, url, (apr_size_t)(query + 1 - url));
    for (const char *at = query + 1; *at;) {
        apr_size_t len = strcspn(at, "&#"), name = strcspn(at, "=&#");
        const char *rest = at + len,
                   *value = name < len ? apr_pstrmemdup(out->pool, at + name + 1, len - name - 1) : "";
        apr_size_t plain_len;
        const char *plain = clerk_encoding_form_read(at, name, &plain_len, out->pool);

        if (clerk_gate_is_token(plain, plain_len)) {
            value = *value ? CLERK_GATE_HIDDEN : value;
        } else if (strchr(value, '%') && name < len) {
            /* A URL in a URL: the page that a handshake leads back to. */
            const char *inner = clerk_encoding_form_read(value, strlen(value), &plain_len, out->pool);
            const char *shown = strlen(inner) == plain_len && strchr(inner, '?') ? clerk_output_url(out, inner) : inner;

            value = shown != inner && strcmp(shown, inner) ? clerk_encoding_form(shown, out->pool) : value;
        }
        text = apr_pstrcat(out->pool, text, apr_pstrmemdup(out->pool, at, name), name < len ? "=" : "", value, NULL);
        at = rest;
        if (*at == '#') {
            return apr_pstrcat(out->pool, text, at, NULL);
        }
        if (*at == '&') {
            text = apr_pstrcat(out->pool, text, "&", NULL);
            at++;
        }
    }
    return text;
}

const char *clerk_output_cookie(const clerk_output *out, const char *set_cookie)
{
    apr_size_t name = strcspn(set_cookie, "="), value = strcspn(set_cookie, ";");

    if (name >= value || name + 1 == value || !clerk_gate_is_token(set_cookie, name)) {
        return set_cookie;
    }
    return apr_pstrcat(out->pool, apr_pstrmemdup(out->pool, set_cookie, name + 1), CLERK_GATE_HIDDEN,
                       set_cookie + value, NULL);
}

void clerk_output_document(clerk_output *out, const json_t *document)
{
    json_t *passed = clerk_gate_pass_document(out->gate, document);
    char *dump = json_dumps(passed, JSON_INDENT(1) | JSON_PRESERVE_ORDER);

    if (dump) {
        append_shown(out, out->text, dump, dump + strlen(dump), "\n");
        append(out->text, "\n", 1);
    }
    free(dump);
    json_decref(passed);
}

clerk_output_code clerk_output_as_document(clerk_output *out, const char *name)
{
    json_t *document;

    if (out->as_json) {
        document = json_pack("{s:s%}", name, out->text->elts, (size_t)out->text->nelts);
        apr_array_clear(out->text);
        clerk_output_document(out, document);
        json_decref(document);
    }
    return CLERK_OUTPUT_GOOD;
}

static void write_out(clerk_output *out, FILE *to)
{
    const apr_array_header_t *passed
        = clerk_gate_pass(out->gate, out->text->elts, (apr_size_t)out->text->nelts, !out->as_json);

    (void)fwrite(passed->elts, 1, (size_t)passed->nelts, to);
    apr_array_clear(out->text);
}

int clerk_output_finish(clerk_output *out)
{
    write_out(out, stdout);
    return !fflush(stdout) && !ferror(stdout);
}

clerk_output_code clerk_output_fail(clerk_output *out, clerk_output_code code, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = apr_pvsprintf(out->pool, format, arguments);
    va_end(arguments);
    apr_array_clear(out->text);
    if (out->as_json) {
        json_t *document = json_pack("{s:s, s:i}", "error", text, "code", (int)code);

        if (!document) {
            document = json_pack("{s:s, s:i}", "error", "the input is not UTF-8", "code", (int)code);
        }
        clerk_output_document(out, document);
        json_decref(document);
        return code;
    }
    clerk_output_print(out, "clerkctl: %s\n", text);
    write_out(out, stderr);
    return code;
}
