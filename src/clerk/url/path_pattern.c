/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/path_pattern.h"

#include <string.h>

#include <apr_strings.h>

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

/** A parameter, a group, or both: what may be optional or repeat. */
typedef struct key {
    const char *name;  /**< or NULL */
    const char *regex; /**< or NULL */
    int takes_text;    /**< it has a name or a regex, and is not just a group of literals */
    const char *prefix;
    const char *suffix;
    const char *stop; /**< without regex: text that ends the parameter besides a delimiter, or NULL */
    char modifier;    /**< 0 for none */
} key;

typedef struct reader {
    clerk_path_program *program;
    apr_pool_t *pool;
    const char *p;       /**< behind the current token */
    token_type type;     /**< of the current token */
    const char *value;   /**< its text */
    const char *literal; /**< text read and not yet written out */
    const char *before;  /**< the literal just before, "" where a parameter is; NULL at the beginning */
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

/** `(...)` up to its own parenthesis. */
static void read_regex(reader *r)
{
    const char *start = r->p;
    int depth = 1;

    for (; *r->p != '\0'; r->p++) {
        if (*r->p == '\\' && r->p[1] != '\0') {
            r->p++;
        } else if (*r->p == '(') {
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

/** The current token's text where it is of that type, and on to the next one; else NULL. */
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

/** One or more characters, as few as will do, none of them a delimiter and none beginning the stop text. */
static void emit_segment(reader *r, const char *stop)
{
    static const char delimiters[] = DELIMITERS;
    unsigned char set[32];
    const char *d;
    int start = r->program->length;
    int split;

    memset(set, 0xff, sizeof(set));
    for (d = delimiters; *d != '\0'; d++) {
        set[*d >> 3] &= (unsigned char)~(1u << (*d & 7));
    }
    if (stop) {
        int i = clerk_path_emit(r->program, CLERK_PATH_NOT_TEXT);

        r->program->code[i].text = stop;
    }
    clerk_path_emit_set(r->program, set);
    split = clerk_path_emit(r->program, CLERK_PATH_SPLIT);
    r->program->code[split].other = start;
}

static void emit_value(reader *r, const key *k)
{
    if (!k->regex) {
        emit_segment(r, k->stop);
    } else {
        const char *error = clerk_path_emit_regex(r->program, k->regex);

        if (error) {
            fail(r, error);
        }
    }
}

static void emit_save(reader *r, int slot)
{
    if (slot >= 0) {
        int i = clerk_path_emit(r->program, CLERK_PATH_SAVE);

        r->program->code[i].next = slot;
    }
}

/** The value with what is around it, once. */
static void emit_once(reader *r, const key *k, int slot)
{
    clerk_path_emit_text(r->program, k->prefix);
    if (k->takes_text) {
        emit_save(r, slot);
        emit_value(r, k);
        emit_save(r, slot < 0 ? slot : slot + 1);
    }
    clerk_path_emit_text(r->program, k->suffix);
}

static int is_repeated(const key *k)
{
    return k->modifier == '*' || k->modifier == '+';
}

static void emit_key(reader *r, const key *k)
{
    int slot = -1;
    int optional = -1;

    if (k->name && !strcmp(k->name, "id")) {
        slot = 2 * CLERK_PATH_ID;
    } else if (k->name && !strcmp(k->name, "slug")) {
        slot = 2 * CLERK_PATH_SLUG;
    }
    if (slot >= 0 && is_repeated(k)) {
        fail(r, ":id and :slug cannot repeat");
        return;
    }
    if (is_repeated(k) && k->takes_text && *k->prefix == '\0' && *k->suffix == '\0') {
        fail(r, "a parameter can only repeat with a / before it or text in its {...}");
        return;
    }
    if (k->modifier == '*' || k->modifier == '?') {
        optional = clerk_path_emit(r->program, CLERK_PATH_SPLIT);
    }
    if (is_repeated(k)) {
        /* Prefix, value and suffix repeat together. */
        int start = r->program->length;
        int split;
        int jump;

        emit_once(r, k, slot);
        split = clerk_path_emit(r->program, CLERK_PATH_SPLIT);
        jump = clerk_path_emit(r->program, CLERK_PATH_JUMP);
        r->program->code[jump].next = start;
        r->program->code[split].other = jump + 1;
    } else {
        emit_once(r, k, slot);
    }
    if (optional >= 0) {
        r->program->code[optional].other = r->program->length;
    }
}

/** Write the literal text out that has been read so far. */
static void flush(reader *r)
{
    if (*r->literal != '\0') {
        clerk_path_emit_text(r->program, r->literal);
        r->before = r->literal;
        r->literal = "";
    }
}

/** What a parameter without a regex ends at: at a delimiter, or where the text before it begins again. */
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
    k->takes_text = k->name || k->regex;
    if (k->name && !k->regex) {
        set_stop(r, k);
    }
    if (!r->error) {
        emit_key(r, k);
    }
    r->before = "";
}

/** One literal character, parameter or group. */
static void read_part(reader *r)
{
    key k = {NULL, NULL, 0, "", "", NULL, 0};
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

/** One optional delimiter, and the end. */
static void emit_end(clerk_path_program *program)
{
    unsigned char set[32] = {0};
    const char *d;
    int split = clerk_path_emit(program, CLERK_PATH_SPLIT);

    for (d = DELIMITERS; *d != '\0'; d++) {
        set[*d >> 3] |= (unsigned char)(1u << (*d & 7));
    }
    clerk_path_emit_set(program, set);
    program->code[split].other = clerk_path_emit(program, CLERK_PATH_END);
}

const char *clerk_path_pattern_compile(const clerk_path_program **pprogram, const char *pattern, apr_pool_t *pool)
{
    reader r = {NULL, pool, pattern, TOKEN_END, "", "", NULL, NULL};

    r.program = clerk_path_program_create(pool);
    next_token(&r);
    while (!r.error && r.type != TOKEN_END && !r.program->too_long) {
        read_part(&r);
    }
    flush(&r);
    emit_end(r.program);
    if (!r.error && r.program->too_long) {
        r.error = "it is too long";
    }
    *pprogram = r.program;
    return r.error;
}
