/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/gate.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "clerk/protocol.h"
#include "clerk/url/encoding.h"
#include "text/text.h"

/* A shorter text is no secret that anybody would have to protect, and may be part of a word. */
#define SECRET_MIN 8
#define WRITTEN_MIN ((ptrdiff_t)3 * SECRET_MIN) /* percent-encoded */
/* The random part of a machine token whose prefix stands behind a letter, as "ak_" does in "peak_". */
#define MACHINE_MIN 16
/* How deep percent-encodings are read: three times, with all letters encoded each time, needs five. */
#define DEPTH 8
/* So many texts with the form of a token are announced of one input; the others are known by their form alone. */
#define FOUND_MAX 1000

/* A text that was announced. */
typedef struct secret {
    const char *text, *end;
    unsigned char first; /* the first character, behind its percent-encodings */
} secret;

clerk_gate *clerk_gate_create(apr_pool_t *pool)
{
    clerk_gate *gate = apr_pcalloc(pool, sizeof(*gate));

    gate->secrets = apr_array_make(pool, 8, sizeof(secret));
    gate->pool = pool;
    return gate;
}

/* A character of a text, in which %XX stands for another one, also where its % or its digits are written so, and so on.
 * @param plen set to the length that it is written with */
static unsigned char read_char(apr_size_t *plen, const char *text, const char *end, int depth)
{
    unsigned char c = (unsigned char)*text;
    apr_size_t len = 1;

    for (; c == '%' && depth > 0; depth--) {
        apr_size_t high_len, low_len;
        int high, low;

        if (text + len >= end) {
            break;
        }
        high = clerk_text_hex_digit((char)read_char(&high_len, text + len, end, depth - 1));
        if (high < 0 || text + len + high_len >= end) {
            break;
        }
        low = clerk_text_hex_digit((char)read_char(&low_len, text + len + high_len, end, depth - 1));
        if (low < 0) {
            break;
        }
        c = (unsigned char)(high * 16 + low);
        len += high_len + low_len;
    }
    *plen = len;
    return c;
}

static unsigned char next_char(const char **pat, const char *end)
{
    apr_size_t len;
    unsigned char c = read_char(&len, *pat, end, DEPTH);

    *pat += len;
    return c;
}

static void add_secret(clerk_gate *gate, const char *text)
{
    const char *at, *end;
    secret *added;

    for (int i = 0; i < gate->secrets->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(gate->secrets, i, secret).text, text)) {
            return;
        }
    }
    added = apr_array_push(gate->secrets);
    added->text = at = apr_pstrdup(gate->pool, text);
    added->end = end = at + strlen(at);
    added->first = next_char(&at, end);
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

void clerk_gate_secret(clerk_gate *gate, const char *text)
{
    if (text && strlen(text) >= SECRET_MIN) {
        add_secret(gate, text);
        add_secret(gate, clerk_encoding_form(text, gate->pool));
        add_secret(gate, as_json(text, gate->pool));
    }
}

void clerk_gate_token(clerk_gate *gate, const char *text)
{
    const char *dot = text ? strrchr(text, '.') : NULL;

    clerk_gate_secret(gate, text);
    if (dot) {
        clerk_gate_secret(gate, dot + 1);
    }
}

int clerk_gate_is_token(const char *name, apr_size_t len)
{
    static const struct {
        const char *name;
        int has_suffix;
    } names[] = {{CLERK_COOKIE_SESSION, 1},
                 {CLERK_COOKIE_REFRESH, 1},
                 {CLERK_COOKIE_DEV_BROWSER, 1},
                 {CLERK_COOKIE_HANDSHAKE, 1},
                 {CLERK_COOKIE_HANDSHAKE_NONCE, 1},
                 {"__dev_session", 1},
                 {"__client", 0},
                 {"__clerk_ticket", 0},
                 {"__clerk_testing_token", 0},
                 {"ticket", 0},
                 {"token", 0},
                 {"access_token", 0},
                 {"id_token", 0},
                 {"refresh_token", 0},
                 {"rotating_token_nonce", 0},
                 {"client_secret", 0},
                 {"code", 0}};

    for (apr_size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        apr_size_t known = strlen(names[i].name);

        if (len >= known && !strncmp(name, names[i].name, known)
            && (len == known || (names[i].has_suffix && name[known] == '_'))) {
            return 1;
        }
    }
    return 0;
}

/* Whether a text begins with the letters of a prefix. @return the length that they are written with, or 0 */
static apr_size_t prefix_len(const char *text, const char *end, const char *prefix)
{
    const char *at = text;

    for (; *prefix; prefix++) {
        if (at >= end || next_char(&at, end) != (unsigned char)*prefix) {
            return 0;
        }
    }
    return (apr_size_t)(at - text);
}

/* The length of the characters of base64url that a text begins with, and others. */
static apr_size_t word_len(const char *text, const char *end, const char *others)
{
    const char *at = text;

    while (at < end) {
        const char *next = at;
        char c = (char)next_char(&next, end);

        if (!clerk_text_is_alnum(c) && c != '-' && c != '_' && (!c || !strchr(others, c))) {
            break;
        }
        at = next;
    }
    return (apr_size_t)(at - text);
}

/* The length of a JWT or a JWE that begins here, or 0: eyJ, and three or more words between dots.
 * @param pfailed set to where the first word ends if there is none: none begins within it either */
static apr_size_t jwt_len(const char **pfailed, const char *text, const char *end)
{
    apr_size_t len;
    int dots = 0;

    if (!prefix_len(text, end, "eyJ")) {
        return 0;
    }
    len = word_len(text, end, "");
    *pfailed = text + len;
    if (len < SECRET_MIN) {
        return 0;
    }
    while (text + len < end) {
        const char *next = text + len;

        if (next_char(&next, end) != '.') {
            break;
        }
        dots++;
        len = (apr_size_t)(next - text) + word_len(next, end, "");
    }
    return dots >= 2 ? len : 0;
}

/* Whether what follows a prefix is no word that a person writes: letters and digits, without anything between them. */
static int is_random(const char *text, const char *end)
{
    int letters = 0, digits = 0;

    while (text < end) {
        char c = (char)next_char(&text, end);

        if (!clerk_text_is_alnum(c)) {
            break;
        }
        letters += !clerk_text_is_digit(c);
        digits += clerk_text_is_digit(c) != 0;
    }
    return letters > 0 && digits > 0 && letters + digits >= MACHINE_MIN;
}

/* Whether a word is long enough for a secret. Not word_len(), which reads all of it: each of many prefixes asks. */
static int is_long(const char *text, const char *end, const char *others)
{
    const char *most = end - text > WRITTEN_MIN ? text + WRITTEN_MIN : end;

    return word_len(text, most, others) >= SECRET_MIN;
}

/* The length of one of Clerk's secrets, by its prefix, or 0. Documentation writes sk_live_..., which is none. */
static apr_size_t secret_len(const char *text, const char *end, int inside_word)
{
    static const struct {
        const char *prefix, *others; /* characters besides those of base64url */
        int is_part_of_words;
    } kinds[] = {{"sk_live_", "", 0}, {"sk_test_", "", 0}, {"whsec_", "+/=", 0},
                 {"ak_", "", 1},      {"mt_", "", 1},      {"oat_", "", 1}};

    for (apr_size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        apr_size_t len = prefix_len(text, end, kinds[i].prefix);

        if (len && is_long(text + len, end, kinds[i].others)
            && (!inside_word || !kinds[i].is_part_of_words || is_random(text + len, end))) {
            return len + word_len(text + len, end, "+/=");
        }
    }
    return 0;
}

/* The length that a secret is written with at the beginning of a text, or 0 if it is not there. */
static apr_size_t match_len(const char *text, const char *end, const secret *one)
{
    apr_size_t len = (apr_size_t)(one->end - one->text);
    const char *at = text, *letter = one->text;

    if ((apr_size_t)(end - text) >= len && !memcmp(text, one->text, len)) {
        return len;
    }
    while (letter < one->end) {
        if (at >= end || next_char(&at, end) != next_char(&letter, one->end)) {
            return 0;
        }
    }
    return (apr_size_t)(at - text);
}

/* The longest announced secret that begins here: its length, or 0. */
static apr_size_t announced_len(const clerk_gate *gate, const char *text, const char *end)
{
    apr_size_t longest = 0;
    const char *next = text;
    unsigned char first = next_char(&next, end);

    for (int i = 0; i < gate->secrets->nelts; i++) {
        const secret *one = &APR_ARRAY_IDX(gate->secrets, i, secret);

        if (first == one->first || *text == *one->text) {
            apr_size_t len = match_len(text, end, one);

            longest = len > longest ? len : longest;
        }
    }
    return longest;
}

/* Reading a text from its beginning, for what has a form that must not be printed. */
typedef struct form_reader {
    const char *end;
    const char *no_jwt;   /* none begins before this */
    const char *boundary; /* a percent-encoded character that is no letter ended here */
    int inside_word;      /* the byte before is a letter, a digit or _ */
} form_reader;

/* The length of what has such a form and begins at @a text, or 0; and go on by one byte. */
static apr_size_t form_len(form_reader *reader, const char *text)
{
    apr_size_t len = text < reader->no_jwt ? 0 : jwt_len(&reader->no_jwt, text, reader->end);
    const char *next = text;
    char c;

    if (!len) {
        len = secret_len(text, reader->end, reader->inside_word && text != reader->boundary);
    }
    c = (char)next_char(&next, reader->end);
    if (next > text + 1 && !clerk_text_is_alnum(c) && c != '_') {
        reader->boundary = next;
    }
    reader->inside_word = !len && (clerk_text_is_alnum(*text) || *text == '_');
    return len;
}

static void append(apr_array_header_t *to, const char *text, apr_size_t len)
{
    for (apr_size_t i = 0; i < len; i++) {
        APR_ARRAY_PUSH(to, char) = text[i];
    }
}

apr_array_header_t *clerk_gate_pass(const clerk_gate *gate, const char *text, apr_size_t len, int announced)
{
    apr_array_header_t *passed = apr_array_make(gate->pool, (int)len + 1, sizeof(char));
    form_reader reader = {text + len, text, NULL, 0};

    while (text < reader.end) {
        apr_size_t formed = form_len(&reader, text), hidden = announced ? announced_len(gate, text, reader.end) : 0;

        hidden = formed > hidden ? formed : hidden;
        append(passed, hidden ? CLERK_GATE_HIDDEN : text, hidden ? strlen(CLERK_GATE_HIDDEN) : 1);
        text += hidden ? hidden : 1;
    }
    return passed;
}

/* The text behind all of its percent-encodings. */
static const char *decoded(const char *text, apr_size_t len, apr_pool_t *pool)
{
    char *copy = apr_palloc(pool, len + 1), *to = copy;
    const char *end = text + len;

    while (text < end) {
        *to++ = (char)next_char(&text, end);
    }
    *to = '\0';
    return copy;
}

/* The text behind one percent-encoding. */
static const char *decoded_once(const char *text, apr_pool_t *pool)
{
    const char *end = text + strlen(text);
    char *copy = apr_palloc(pool, (apr_size_t)(end - text) + 1), *to = copy;

    while (text < end) {
        int byte = clerk_encoding_percent_decode(text, (apr_size_t)(end - text));

        *to++ = (char)(byte > 0 ? byte : *text);
        text += byte > 0 ? 3 : 1;
    }
    *to = '\0';
    return copy;
}

/* Announce values by the names before them: name=value between what divides parameters, cookies and words. */
static void search_names(clerk_gate *gate, const char *text)
{
    static const char dividers[] = "?&;#,/ \t\r\n\"'<>";

    while (*text) {
        apr_size_t len = strcspn(text, dividers), name = strcspn(text, "=");

        if (name < len && clerk_gate_is_token(text, name)) {
            const char *value = text + name + 1;
            apr_size_t value_len = strcspn(value, "?&;#, \t\r\n\"'<>"), plain_len;

            clerk_gate_token(gate, apr_pstrmemdup(gate->pool, value, value_len));
            clerk_gate_token(gate, clerk_encoding_form_read(value, value_len, &plain_len, gate->pool));
        }
        text += len + (text[len] != '\0');
    }
}

void clerk_gate_search(clerk_gate *gate, const char *text)
{
    form_reader reader = {text + strlen(text), text, NULL, 0};
    int found = 0;

    for (const char *at = text; at < reader.end && found < FOUND_MAX;) {
        apr_size_t len = form_len(&reader, at);

        if (len) {
            clerk_gate_token(gate, decoded(at, len, gate->pool));
            found++;
        }
        at += len ? len : 1;
    }
    for (int depth = 0; depth <= DEPTH; depth++) {
        search_names(gate, text);
        if (!strchr(text, '%')) {
            break;
        }
        text = decoded_once(text, gate->pool);
    }
}

static json_t *pass_text(const clerk_gate *gate, const char *text, size_t len)
{
    const apr_array_header_t *passed = clerk_gate_pass(gate, text, len, 1);
    json_t *copy = json_stringn(passed->elts, (size_t)passed->nelts);

    return copy ? copy : json_string(CLERK_GATE_HIDDEN);
}

/* The names of these members are of whoever wrote the token. */
static int has_foreign_names(const char *name)
{
    return !strcmp(name, "header") || !strcmp(name, "claims");
}

static json_t *pass_value(const clerk_gate *gate, const json_t *value, int foreign)
{
    const char *name;
    json_t *copy, *member;
    size_t i;

    if (json_is_string(value)) {
        return pass_text(gate, json_string_value(value), json_string_length(value));
    }
    if (json_is_object(value)) {
        copy = json_object();
        json_object_foreach((json_t *)value, name, member)
        {
            json_t *shown = foreign ? pass_text(gate, name, strlen(name)) : json_string(name);

            (void)json_object_set_new(copy, json_string_value(shown),
                                      pass_value(gate, member, foreign || has_foreign_names(name)));
            json_decref(shown);
        }
        return copy;
    }
    copy = json_is_array(value) ? json_array() : json_deep_copy(value);
    json_array_foreach(value, i, member)
    {
        (void)json_array_append_new(copy, pass_value(gate, member, foreign));
    }
    return copy;
}

json_t *clerk_gate_pass_document(const clerk_gate *gate, const json_t *document)
{
    return pass_value(gate, document, 0);
}
