/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/path_to_regexp.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/url/javascript_regex.h"
#include "text/text.h"

#define DELIMITERS "/#?"

typedef enum token_type {
    TOKEN_END,
    TOKEN_CHARACTER,
    TOKEN_ESCAPED,
    TOKEN_NAME,
    TOKEN_REGEX,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_MODIFIER
} token_type;

/* A parameter or a group, or both, with its modifier. */
typedef struct key {
    const char *name;  /* or NULL */
    const char *regex; /* or NULL */
    const char *prefix;
    const char *suffix;
    const char *stop; /* without regex: text that ends the parameter besides a delimiter, or NULL */
    char modifier;    /* 0 for none */
} key;

typedef struct reader {
    apr_array_header_t *out;  /* of char */
    apr_array_header_t *keys; /* of clerk_path_to_regexp_key */
    apr_pool_t *pool;
    const char *p;       /* the position after the current token */
    token_type type;     /* of the current token */
    const char *value;   /* its text */
    const char *literal; /* text that is read, but not written to `out` yet */
    const char *before;  /* the literal before, "" after a parameter, NULL at the beginning */
    const char *error;
} reader;

static void fail(reader *r, const char *error)
{
    if (!r->error) {
        r->error = error;
    }
    r->type = TOKEN_END;
}

static void read_name(reader *r)
{
    const char *end = r->p;

    while (clerk_text_is_alnum(*end) || *end == '_') {
        end++;
    }
    if (end == r->p) {
        fail(r, "a : without a name");
        return;
    }
    r->value = apr_pstrmemdup(r->pool, r->p, (apr_size_t)(end - r->p));
    r->p = end;
}

/* Read `(...)` up to the matching parenthesis. */
static void read_regex(reader *r)
{
    const char *start = r->p;
    int depth = 1;

    for (; *r->p != '\0'; r->p++) {
        if (*r->p == '\\' && r->p[1] != '\0') {
            r->p++;
        } else if (*r->p == '(') {
            if (r->p[1] != '?') {
                fail(r, "a ( within (...) that begins no (?:...) or look-around");
                return;
            }
            depth++;
        } else if (*r->p == ')' && --depth == 0) {
            r->value = apr_pstrmemdup(r->pool, start, (apr_size_t)(r->p - start));
            r->p++;
            if (*r->value == '\0' || *r->value == '?') {
                fail(r, "a (...) that is empty or begins with ?");
            }
            return;
        }
    }
    fail(r, "a ( without its )");
}

static void next_token(reader *r)
{
    char c = *r->p;

    r->value = "";
    if (c == '\0') {
        r->type = TOKEN_END;
        return;
    }
    r->p++;
    switch (c) {
    case '*':
    case '+':
    case '?':
        r->type = TOKEN_MODIFIER;
        break;
    case '\\':
        r->type = TOKEN_ESCAPED;
        c = *r->p;
        if (c == '\0') {
            fail(r, "a \\ at the end");
            return;
        }
        r->p++;
        break;
    case '{':
        r->type = TOKEN_OPEN;
        break;
    case '}':
        r->type = TOKEN_CLOSE;
        break;
    case ':':
        r->type = TOKEN_NAME;
        read_name(r);
        return;
    case '(':
        r->type = TOKEN_REGEX;
        read_regex(r);
        return;
    default:
        r->type = TOKEN_CHARACTER;
    }
    r->value = apr_pstrmemdup(r->pool, &c, 1);
}

/* Take the current token if it is of that type. @return its text, or NULL */
static const char *take(reader *r, token_type type)
{
    const char *value = r->value;

    if (r->error || r->type != type || type == TOKEN_END) {
        return NULL;
    }
    next_token(r);
    return value;
}

static const char *take_text(reader *r)
{
    const char *text = "";

    for (;;) {
        const char *piece = take(r, TOKEN_CHARACTER);

        if (!piece) {
            piece = take(r, TOKEN_ESCAPED);
        }
        if (!piece) {
            return text;
        }
        text = apr_pstrcat(r->pool, text, piece, NULL);
    }
}

static void put(apr_array_header_t *out, const char *syntax)
{
    for (; *syntax != '\0'; syntax++) {
        APR_ARRAY_PUSH(out, char) = *syntax;
    }
}

static int is_repeated(const key *k)
{
    return k->modifier == '*' || k->modifier == '+';
}

static void put_modifier(reader *r, char modifier)
{
    if (modifier) {
        APR_ARRAY_PUSH(r->out, char) = modifier;
    }
}

/* The expression for the value of a parameter, to be written in a group. */
static apr_array_header_t *value_of(reader *r, const key *k)
{
    apr_array_header_t *out = apr_array_make(r->pool, 64, sizeof(char));
    clerk_javascript_regex_emptiness emptiness = CLERK_JAVASCRIPT_REGEX_NEVER_EMPTY;

    if (k->regex) {
        const char *error = clerk_javascript_regex_translate(out, &emptiness, k->regex);

        if (error) {
            fail(r, error);
        }
    } else if (k->stop) {
        put(out, "(?:(?!");
        clerk_javascript_regex_literal(out, k->stop);
        put(out, ")[^" DELIMITERS "])+?");
    } else {
        put(out, "[^" DELIMITERS "]+?");
    }
    /* Here JavaScript ignores an empty value, and PCRE2 does not. */
    if (emptiness != CLERK_JAVASCRIPT_REGEX_NEVER_EMPTY && k->modifier && *k->prefix == '\0' && *k->suffix == '\0') {
        fail(r, "a (...)? that can be empty anyway; leave out the ? behind it");
    }
    return out;
}

/* Begin a group that captures. */
static void open_group(reader *r, const key *k)
{
    clerk_path_to_regexp_key *captured = apr_array_push(r->keys);

    captured->name = k->name;
    captured->repeats = is_repeated(k);
    put(r->out, "(");
}

/* A repeated value with a prefix or suffix, which are repeated too. */
static void put_repeated(reader *r, const key *k)
{
    const apr_array_header_t *value = value_of(r, k);

    if (*k->prefix == '\0' && *k->suffix == '\0') {
        fail(r, "a parameter can only repeat with a / before it or text in its {...}");
    }
    put(r->out, "(?:");
    clerk_javascript_regex_literal(r->out, k->prefix);
    open_group(r, k);
    put(r->out, "(?:");
    apr_array_cat(r->out, value);
    put(r->out, ")(?:");
    clerk_javascript_regex_literal(r->out, k->suffix);
    clerk_javascript_regex_literal(r->out, k->prefix);
    put(r->out, "(?:");
    apr_array_cat(r->out, value);
    put(r->out, "))*)");
    clerk_javascript_regex_literal(r->out, k->suffix);
    put(r->out, k->modifier == '*' ? ")?" : ")");
}

static void put_key(reader *r, const key *k)
{
    if (!k->name && !k->regex) {
        put(r->out, "(?:");
        clerk_javascript_regex_literal(r->out, k->prefix);
        clerk_javascript_regex_literal(r->out, k->suffix);
        put(r->out, ")");
        put_modifier(r, k->modifier);
    } else if (is_repeated(k)) {
        put_repeated(r, k);
    } else {
        int is_wrapped = *k->prefix != '\0' || *k->suffix != '\0';

        put(r->out, is_wrapped ? "(?:" : "");
        clerk_javascript_regex_literal(r->out, k->prefix);
        open_group(r, k);
        apr_array_cat(r->out, value_of(r, k));
        put(r->out, ")");
        clerk_javascript_regex_literal(r->out, k->suffix);
        put(r->out, is_wrapped ? ")" : "");
        put_modifier(r, k->modifier);
    }
}

/* Write the literal text that has been read so far to `out`. */
static void flush(reader *r)
{
    if (*r->literal != '\0') {
        clerk_javascript_regex_literal(r->out, r->literal);
        r->before = r->literal;
        r->literal = "";
    }
}

/* What ends a parameter without a regex: a delimiter, or the text before the parameter. */
static void set_stop(reader *r, key *k)
{
    const char *text = *k->prefix != '\0' || !r->before ? k->prefix : r->before;

    if (r->before && *text == '\0') {
        fail(r, "there must be text between two parameters");
        return;
    }
    k->stop = *text == '\0' || strpbrk(text, DELIMITERS) ? NULL : text;
}

static void finish_key(reader *r, key *k)
{
    const char *modifier = take(r, TOKEN_MODIFIER);

    k->modifier = (char)(modifier ? *modifier : 0);
    if (k->name && !k->regex) {
        set_stop(r, k);
    }
    if (!r->error) {
        put_key(r, k);
    }
    r->before = "";
}

/* One literal character, parameter or group. */
static void read_part(reader *r)
{
    key k = {NULL, NULL, "", "", NULL, 0};
    const char *character = take(r, TOKEN_CHARACTER);

    k.name = take(r, TOKEN_NAME);
    k.regex = take(r, TOKEN_REGEX);
    if (k.name || k.regex) {
        if (character && (*character == '/' || *character == '.')) {
            k.prefix = character;
        } else if (character) {
            r->literal = apr_pstrcat(r->pool, r->literal, character, NULL);
        }
        flush(r);
        finish_key(r, &k);
        return;
    }
    if (!character) {
        character = take(r, TOKEN_ESCAPED);
    }
    if (character) {
        r->literal = apr_pstrcat(r->pool, r->literal, character, NULL);
        return;
    }
    flush(r);
    if (!take(r, TOKEN_OPEN)) {
        fail(r, "a modifier or a } that belongs to nothing");
        return;
    }
    k.prefix = take_text(r);
    k.name = take(r, TOKEN_NAME);
    k.regex = take(r, TOKEN_REGEX);
    k.suffix = take_text(r);
    if (!take(r, TOKEN_CLOSE)) {
        fail(r, "a { without its }");
        return;
    }
    finish_key(r, &k);
}

const char *clerk_path_to_regexp_translate(apr_array_header_t *out, apr_array_header_t *keys, const char *pattern,
                                           apr_pool_t *pool)
{
    reader r = {out, keys, pool, pattern, TOKEN_END, "", "", NULL, NULL};

    put(out, "^");
    next_token(&r);
    while (!r.error && r.type != TOKEN_END) {
        read_part(&r);
    }
    flush(&r);
    put(out, "[" DELIMITERS "]?$");
    return r.error;
}
