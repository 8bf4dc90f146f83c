/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/url/javascript_regex.h"

#include <string.h>

#include "text/text.h"

#define NEVER_EMPTY CLERK_JAVASCRIPT_REGEX_NEVER_EMPTY
#define EMPTY_LAST CLERK_JAVASCRIPT_REGEX_EMPTY_LAST
#define EMPTY_EARLY CLERK_JAVASCRIPT_REGEX_EMPTY_EARLY

typedef clerk_javascript_regex_emptiness emptiness;

typedef struct translator {
    apr_array_header_t *out; /* of char */
    const char *p;           /* the rest of the input */
    const char *error;
} translator;

static const char *const bad_escape
    = "an escape that is not supported; \\d \\w \\s \\b \\D \\W \\S \\B and escaped punctuation are";
static const char *const bad_range = "a range in [...] that is no range";
static const char *const bad_braces = "a { that begins no {n}, {n,} or {n,m}; a path has %7B for it";

static emptiness translate_alternatives(translator *t);

static void fail(translator *t, const char *error)
{
    if (!t->error) {
        t->error = error;
    }
}

/* Append syntax of PCRE2. */
static void put(translator *t, const char *text, apr_size_t len)
{
    while (len > 0) {
        APR_ARRAY_PUSH(t->out, char) = *text++;
        len--;
    }
}

/* Append a literal character. All but letters and digits are escaped. */
static void put_character(apr_array_header_t *out, char c)
{
    static const char digits[] = "0123456789abcdef";

    if (clerk_text_is_alnum(c) || c == '_') {
        APR_ARRAY_PUSH(out, char) = c;
        return;
    }
    APR_ARRAY_PUSH(out, char) = '\\';
    APR_ARRAY_PUSH(out, char) = 'x';
    APR_ARRAY_PUSH(out, char) = digits[(unsigned char)c >> 4];
    APR_ARRAY_PUSH(out, char) = digits[(unsigned char)c & 15];
}

void clerk_javascript_regex_literal(apr_array_header_t *out, const char *text)
{
    for (; *text != '\0'; text++) {
        put_character(out, *text);
    }
}

/* Copy a shorthand class such as `\d`, after its backslash; for ASCII the sets are the same. @return 0 if it is none */
static int take_shorthand(translator *t)
{
    if (*t->p == '\0' || !strchr("dDsSwW", *t->p)) {
        return 0;
    }
    put(t, "\\", 1);
    put(t, t->p++, 1);
    return 1;
}

/* A literal character after a backslash. */
static char take_escaped(translator *t)
{
    char c = *t->p;

    if (c == '\0' || clerk_text_is_alnum(c)) {
        fail(t, bad_escape);
        return c;
    }
    t->p++;
    return c;
}

/* One character of a class. @return 0 if it was a shorthand, and is copied already */
static int take_class_character(translator *t, char *pc)
{
    if (*t->p != '\\') {
        *pc = *t->p++;
        return 1;
    }
    t->p++;
    if (take_shorthand(t)) {
        return 0;
    }
    *pc = take_escaped(t);
    return 1;
}

/* Translate a class, `[...]`, after its bracket. */
static void translate_class(translator *t)
{
    int negated = *t->p == '^';

    t->p += negated;
    if (*t->p == ']') {
        /* `[]` matches nothing and `[^]` any character. PCRE2 has an option for that, but ignores a quantifier after
         * `[]`. */
        const char *text = negated ? "[\\x00-\\xff]" : "[^\\x00-\\xff]";

        put(t, text, strlen(text));
        t->p++;
        return;
    }
    put(t, "[^", negated ? 2 : 1);
    while (!t->error && *t->p != ']') {
        char first, last;

        if (*t->p == '\0') {
            fail(t, "a [ without its ]");
            return;
        }
        if (!take_class_character(t, &first)) {
            continue;
        }
        put_character(t->out, first);
        if (t->p[0] == '-' && t->p[1] != ']' && t->p[1] != '\0') {
            t->p++;
            if (!take_class_character(t, &last) || last < first) {
                fail(t, bad_range);
                return;
            }
            put(t, "-", 1);
            put_character(t->out, last);
        }
    }
    if (!t->error) {
        put(t, t->p++, 1);
    }
}

/* Translate `(?:...)` or look-around, after its parenthesis. */
static emptiness translate_group(translator *t, int *pquantifiable)
{
    static const char *const kinds[] = {"?:", "?=", "?!", "?<=", "?<!"};
    apr_size_t i = 0;
    emptiness inner;

    while (i < sizeof(kinds) / sizeof(kinds[0]) && strncmp(t->p, kinds[i], strlen(kinds[i]))) {
        i++;
    }
    if (i == sizeof(kinds) / sizeof(kinds[0])) {
        fail(t, !strncmp(t->p, "?<", 2)
                    ? "a named group; it would shift the parameters behind it, so write (?:...)"
                    : "a group that is neither (?:...) nor look-around: (?=...), (?!...), (?<=...), (?<!...)");
        return NEVER_EMPTY;
    }
    put(t, "(", 1);
    put(t, kinds[i], strlen(kinds[i]));
    t->p += strlen(kinds[i]);
    inner = translate_alternatives(t);
    if (!t->error && *t->p != ')') {
        fail(t, "a ( without its )");
    }
    if (!t->error) {
        put(t, t->p++, 1);
    }
    /* Look-around always matches the empty string. */
    *pquantifiable = i == 0;
    return i == 0 ? inner : EMPTY_LAST;
}

static emptiness translate_escape(translator *t, int *pquantifiable)
{
    if (*t->p == 'b' || *t->p == 'B') {
        put(t, "\\", 1);
        put(t, t->p++, 1);
        *pquantifiable = 0;
        return EMPTY_LAST;
    }
    if (!take_shorthand(t)) {
        put_character(t->out, take_escaped(t));
    }
    return NEVER_EMPTY;
}

/* @param pquantifiable whether a quantifier may follow */
static emptiness translate_atom(translator *t, int *pquantifiable)
{
    char c = *t->p++;

    *pquantifiable = 1;
    switch (c) {
    case '.':
        put(t, "[^\\n\\r]", 7);
        break;
    case '[':
        translate_class(t);
        break;
    case '(':
        return translate_group(t, pquantifiable);
    case '\\':
        return translate_escape(t, pquantifiable);
    case '^':
    case '$':
        put(t, &c, 1);
        *pquantifiable = 0;
        return EMPTY_LAST;
    case '*':
    case '+':
    case '?':
    case '{':
        fail(t, "a quantifier with nothing before it that it could repeat");
        break;
    default:
        put_character(t->out, c);
    }
    return NEVER_EMPTY;
}

/* The digits of a number. @return whether it is 0 */
static int skip_number(translator *t)
{
    const char *start = t->p;
    int zero = 1;

    for (; clerk_text_is_digit(*t->p); t->p++) {
        zero = zero && *t->p == '0';
    }
    if (t->p == start) {
        fail(t, bad_braces);
    }
    return zero;
}

/* Copy `{n}`, `{n,}` or `{n,m}`. */
static void take_braces(translator *t, int *pmay_skip, int *pfixed)
{
    const char *start = t->p++;

    *pmay_skip = skip_number(t);
    *pfixed = *t->p == '}';
    if (*t->p == ',' && *++t->p != '}') {
        skip_number(t);
    }
    if (*t->p != '}') {
        fail(t, bad_braces);
        return;
    }
    t->p++;
    put(t, start, (apr_size_t)(t->p - start));
}

/*
 * Copy the quantifier, if there is one.
 *
 * If a repetition takes no text, JavaScript undoes it and tries the next alternative; PCRE2 accepts it and leaves the
 * loop. The result is the same if matching nothing is the last alternative.
 * @param atom what is repeated
 */
static emptiness translate_quantifier(translator *t, emptiness atom)
{
    int may_skip, fixed = 0, lazy;

    if (*t->p == '{') {
        take_braces(t, &may_skip, &fixed);
    } else if (*t->p != '\0' && strchr("*+?", *t->p)) {
        may_skip = *t->p != '+';
        put(t, t->p++, 1);
    } else {
        return atom;
    }
    if (atom == EMPTY_EARLY && !fixed) {
        fail(t, "a repeated group that tries to be empty before it takes text, such as (?:|a)* or (?:a*?)*");
    }
    lazy = *t->p == '?';
    if (lazy) {
        put(t, t->p++, 1);
    }
    if (fixed) {
        return may_skip ? EMPTY_LAST : atom;
    }
    if (atom == NEVER_EMPTY && !may_skip) {
        return NEVER_EMPTY;
    }
    return lazy ? EMPTY_EARLY : EMPTY_LAST;
}

/* A sequence is empty if all of it is. */
static emptiness translate_sequence(translator *t)
{
    emptiness sequence = EMPTY_LAST;

    while (!t->error && *t->p != '\0' && *t->p != '|' && *t->p != ')') {
        int quantifiable;
        emptiness piece = translate_atom(t, &quantifiable);

        if (quantifiable && !t->error) {
            piece = translate_quantifier(t, piece);
        }
        if (piece == NEVER_EMPTY || (piece == EMPTY_EARLY && sequence == EMPTY_LAST)) {
            sequence = piece;
        }
    }
    return sequence;
}

static emptiness translate_alternatives(translator *t)
{
    emptiness all = translate_sequence(t);

    while (!t->error && *t->p == '|') {
        emptiness next;

        put(t, t->p++, 1);
        next = translate_sequence(t);
        all = all == NEVER_EMPTY ? next : EMPTY_EARLY;
    }
    return all;
}

const char *clerk_javascript_regex_translate(apr_array_header_t *out, clerk_javascript_regex_emptiness *pemptiness,
                                             const char *regex)
{
    translator t = {out, regex, NULL};

    *pemptiness = translate_alternatives(&t);
    if (!t.error && *t.p != '\0') {
        fail(&t, "a ) without its (");
    }
    return t.error;
}
