/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "clerk/protocol.h"
#include "clerk/url/encoding.h"
#include "text/text.h"
#include "text/utf8.h"

/* A shorter text is no secret that anybody would have to protect, and may be part of a word. */
#define SECRET_MIN 8

clerk_output *clerk_output_create(apr_pool_t *pool)
{
    clerk_output *out = apr_pcalloc(pool, sizeof(*out));

    out->secrets = apr_array_make(pool, 8, sizeof(const char *));
    out->text = apr_array_make(pool, 4096, sizeof(char));
    out->pool = pool;
    return out;
}

static void add_secret(clerk_output *out, const char *text)
{
    for (int i = 0; i < out->secrets->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(out->secrets, i, const char *), text)) {
            return;
        }
    }
    APR_ARRAY_PUSH(out->secrets, const char *) = apr_pstrdup(out->pool, text);
}

/* As JSON writes a text, without the quotes around it. */
static const char *as_json(const char *text, apr_pool_t *pool)
{
    json_t *value = json_string(text);
    char *dump = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    const char *copy = dump ? apr_pstrmemdup(pool, dump + 1, strlen(dump) - 2) : text;

    free(dump);
    json_decref(value);
    return copy;
}

void clerk_output_secret(clerk_output *out, const char *text)
{
    if (text && strlen(text) >= SECRET_MIN) {
        add_secret(out, text);
        add_secret(out, clerk_encoding_form(text, out->pool));
        add_secret(out, as_json(text, out->pool));
    }
}

void clerk_output_token(clerk_output *out, const char *text)
{
    const char *dot = text ? strrchr(text, '.') : NULL;

    clerk_output_secret(out, text);
    if (dot) {
        clerk_output_secret(out, dot + 1);
    }
}

static void append(apr_array_header_t *to, const char *text, apr_size_t len)
{
    for (apr_size_t i = 0; i < len; i++) {
        APR_ARRAY_PUSH(to, char) = text[i];
    }
}

/* The number of a character of two or three bytes. */
static unsigned int number_of(const char *text, apr_size_t len)
{
    const unsigned char *c = (const unsigned char *)text;

    return len == 2 ? (c[0] & 0x1fU) << 6 | (c[1] & 0x3fU) : (c[0] & 0xfU) << 12 | (c[1] & 0x3fU) << 6 | (c[2] & 0x3fU);
}

/* Whether a character turns the direction of what follows it, so that a text looks as if it said something else. */
static int is_direction(const char *text, apr_size_t len)
{
    unsigned int number = len == 2 || len == 3 ? number_of(text, len) : 0;

    return number == 0x61c || number == 0x200e || number == 0x200f || (number >= 0x202a && number <= 0x202e)
           || (number >= 0x2066 && number <= 0x2069);
}

/* Whether no terminal may get the beginning of a text as it is: a control character, or what is no UTF-8, where a byte
 * may be one. @param plen set to the length of the character */
static int is_unsafe(apr_size_t *plen, const char *text)
{
    apr_size_t len = clerk_utf8_length(text);

    *plen = len ? len : 1;
    return !len || (clerk_text_is_control(*text) && *text != '\n') || clerk_text_begins_with_wide_control(text)
           || is_direction(text, len);
}

void clerk_output_print(clerk_output *out, const char *format, ...)
{
    va_list arguments;
    const char *text;

    va_start(arguments, format);
    text = apr_pvsprintf(out->pool, format, arguments);
    va_end(arguments);
    while (*text) {
        apr_size_t len;
        int unsafe = is_unsafe(&len, text);

        append(out->text, unsafe ? "?" : text, unsafe ? 1 : len);
        text += len;
    }
}

int clerk_output_is_token(const char *name, apr_size_t len)
{
    static const char *const names[] = {CLERK_COOKIE_SESSION,   CLERK_COOKIE_REFRESH,         CLERK_COOKIE_DEV_BROWSER,
                                        CLERK_COOKIE_HANDSHAKE, CLERK_COOKIE_HANDSHAKE_NONCE, "__dev_session"};

    for (apr_size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        apr_size_t known = strlen(names[i]);

        if (len >= known && !strncmp(name, names[i], known) && (len == known || name[known] == '_')) {
            return 1;
        }
    }
    return 0;
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

        if (clerk_output_is_token(plain, plain_len)) {
            value = *value ? CLERK_OUTPUT_HIDDEN : value;
        } else if (strchr(value, '%') && name < len) {
            /* A URL in a URL: the page that a handshake leads back to. */
            const char *inner = clerk_encoding_form_read(value, strlen(value), &plain_len, out->pool);
            const char *shown
                = strlen(inner) == plain_len && strstr(inner, "://") ? clerk_output_url(out, inner) : inner;

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

    if (name >= value || name + 1 == value || !clerk_output_is_token(set_cookie, name)) {
        return set_cookie;
    }
    return apr_pstrcat(out->pool, apr_pstrmemdup(out->pool, set_cookie, name + 1), CLERK_OUTPUT_HIDDEN,
                       set_cookie + value, NULL);
}

static apr_size_t word_len(const char *text, const char *end)
{
    const char *at = text;

    while (at < end && (clerk_text_is_alnum(*at) || *at == '-' || *at == '_')) {
        at++;
    }
    return (apr_size_t)(at - text);
}

/* The length of a JWT that begins here, or 0: eyJ, and three words between dots. */
static apr_size_t jwt_len(const char *text, const char *end)
{
    apr_size_t header = word_len(text, end), payload;

    if (header < SECRET_MIN || strncmp(text, "eyJ", 3) || text + header >= end || text[header] != '.') {
        return 0;
    }
    payload = word_len(text + header + 1, end);
    if (!payload || text + header + 1 + payload >= end || text[header + 1 + payload] != '.') {
        return 0;
    }
    return header + payload + 2 + word_len(text + header + payload + 2, end);
}

/* The length of one of Clerk's secrets, by its prefix, or 0. Documentation writes sk_live_..., which is none. */
static apr_size_t prefixed_len(const char *text, const char *end)
{
    static const char *const prefixes[] = {"sk_live_", "sk_test_", "whsec_", "ak_", "mt_", "oat_"};

    for (apr_size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        apr_size_t len = strlen(prefixes[i]);

        if ((apr_size_t)(end - text) > len && !strncmp(text, prefixes[i], len)
            && word_len(text + len, end) >= SECRET_MIN) {
            apr_size_t secret = word_len(text, end);

            while (text + secret < end && strchr("+/=", text[secret]) && text[secret]) {
                secret += 1 + word_len(text + secret + 1, end);
            }
            return secret;
        }
    }
    return 0;
}

/* The longest announced secret that begins here: its length, or 0. */
static apr_size_t announced_len(const clerk_output *out, const char *text, const char *end)
{
    apr_size_t longest = 0;

    for (int i = 0; i < out->secrets->nelts; i++) {
        const char *secret = APR_ARRAY_IDX(out->secrets, i, const char *);
        apr_size_t len = strlen(secret);

        if (len > longest && (apr_size_t)(end - text) >= len && !memcmp(text, secret, len)) {
            longest = len;
        }
    }
    return longest;
}

/* @param announced whether to hide what was announced, too */
static apr_array_header_t *pass_gate(const clerk_output *out, const char *text, apr_size_t len, int announced)
{
    apr_array_header_t *passed = apr_array_make(out->pool, (int)len + 1, sizeof(char));
    const char *end = text + len;
    int inside_word = 0;

    while (text < end) {
        apr_size_t hidden = announced ? announced_len(out, text, end) : 0;

        if (!hidden && !inside_word) {
            hidden = jwt_len(text, end);
        }
        if (!hidden && !inside_word) {
            hidden = prefixed_len(text, end);
        }
        inside_word = clerk_text_is_alnum(*text) || *text == '_';
        append(passed, hidden ? CLERK_OUTPUT_HIDDEN : text, hidden ? strlen(CLERK_OUTPUT_HIDDEN) : 1);
        text += hidden ? hidden : 1;
    }
    return passed;
}

/* The same document with the texts in it gone through the gate: not as it is printed, where what was announced could be
 * a part of its form. */
static json_t *pass_gate_within(const clerk_output *out, const json_t *value)
{
    const char *name, *text = json_string_value(value);
    const apr_array_header_t *passed;
    json_t *copy, *member;
    size_t i;

    if (text) {
        passed = pass_gate(out, text, json_string_length(value), 1);
        copy = json_stringn(passed->elts, (size_t)passed->nelts);
        return copy ? copy : json_string(CLERK_OUTPUT_HIDDEN);
    }
    if (json_is_object(value)) {
        copy = json_object();
        json_object_foreach((json_t *)value, name, member)
        {
            (void)json_object_set_new(copy, name, pass_gate_within(out, member));
        }
        return copy;
    }
    copy = json_is_array(value) ? json_array() : json_deep_copy(value);
    json_array_foreach(value, i, member)
    {
        (void)json_array_append_new(copy, pass_gate_within(out, member));
    }
    return copy;
}

void clerk_output_document(clerk_output *out, const json_t *document)
{
    json_t *passed = pass_gate_within(out, document);
    char *dump = json_dumps(passed, JSON_INDENT(1) | JSON_PRESERVE_ORDER);

    for (const char *at = dump ? dump : ""; *at;) {
        apr_size_t len;

        /* jansson escapes the control characters of ASCII, but DEL. */
        if (is_unsafe(&len, at)) {
            const char *escape = apr_psprintf(out->pool, "\\u%04x", len > 1 ? number_of(at, len) : 0x7fU);

            append(out->text, escape, strlen(escape));
        } else {
            append(out->text, at, len);
        }
        at += len;
    }
    append(out->text, "\n", dump ? 1 : 0);
    free(dump);
    json_decref(passed);
}

static void write_out(clerk_output *out, FILE *to)
{
    const apr_array_header_t *passed = pass_gate(out, out->text->elts, (apr_size_t)out->text->nelts, !out->as_json);

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
