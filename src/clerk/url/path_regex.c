/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "clerk/url/path_program.h"
#include "text/text.h"

/** An atom with a quantifier is read once for each time that it is written out, so depth has to be bounded. */
#define DEPTH_MAX 6
#define REPEAT_MAX 100
#define UNLIMITED (-1)

typedef struct parser {
    clerk_path_program *program;
    const char *p;
    int depth;
    const char *error;
} parser;

static void parse_alternatives(parser *r);

static void fail(parser *r, const char *error)
{
    if (!r->error) {
        r->error = error;
    }
}

static void set_add(unsigned char *set, unsigned char c)
{
    set[c >> 3] |= (unsigned char)(1u << (c & 7));
}

/** Add a range, in both cases. */
static void set_add_range(unsigned char *set, unsigned char first, unsigned char last)
{
    for (unsigned int c = first; c <= last; c++) {
        set_add(set, (unsigned char)c);
        set_add(set, (unsigned char)clerk_text_to_lower((char)c));
        if (c >= 'a' && c <= 'z') {
            set_add(set, (unsigned char)(c - 'a' + 'A'));
        }
    }
}

static void set_invert(unsigned char *set)
{
    for (int i = 0; i < 32; i++) {
        set[i] = (unsigned char)~set[i];
    }
}

/** The class that `\d`, `\w` or `\s` stands for, or the opposite. @return 0 where the letter means none */
static int set_add_shorthand(unsigned char *set, char letter)
{
    unsigned char members[32] = {0};

    switch (clerk_text_to_lower(letter)) {
    case 'd':
        set_add_range(members, '0', '9');
        break;
    case 'w':
        set_add_range(members, '0', '9');
        set_add_range(members, 'a', 'z');
        set_add(members, '_');
        break;
    case 's':
        set_add_range(members, '\t', '\r');
        set_add(members, ' ');
        break;
    default:
        return 0;
    }
    if (letter != clerk_text_to_lower(letter)) {
        set_invert(members);
    }
    for (int i = 0; i < 32; i++) {
        set[i] |= members[i];
    }
    return 1;
}

/** A character after a backslash that stands for itself. */
static char escaped_character(parser *r)
{
    char c = *r->p;

    if (c == '\0' || clerk_text_is_alnum(c)) {
        fail(r, "an escape that is not supported; \\d \\w \\s \\D \\W \\S and escaped punctuation are");
        return c;
    }
    r->p++;
    return c;
}

/** One character of a class. @return 0 where it was a shorthand, and in the set already */
static int class_character(parser *r, unsigned char *set, char *pc)
{
    if (*r->p != '\\') {
        *pc = *r->p++;
        return 1;
    }
    r->p++;
    if (set_add_shorthand(set, *r->p)) {
        r->p++;
        return 0;
    }
    *pc = escaped_character(r);
    return 1;
}

/** `[...]`, the bracket already taken. */
static void parse_class(parser *r)
{
    unsigned char set[32] = {0};
    int negated = *r->p == '^';

    r->p += negated;
    while (!r->error && *r->p != ']') {
        char first;
        char last;

        if (*r->p == '\0') {
            fail(r, "a [ without its ]");
            return;
        }
        if (!class_character(r, set, &first)) {
            continue;
        }
        last = first;
        if (r->p[0] == '-' && r->p[1] != ']' && r->p[1] != '\0') {
            r->p++;
            if (!class_character(r, set, &last) || (unsigned char)last < (unsigned char)first) {
                fail(r, "a range in [...] that is no range");
                return;
            }
        }
        set_add_range(set, (unsigned char)first, (unsigned char)last);
    }
    r->p += *r->p == ']';
    if (negated) {
        set_invert(set);
    }
    clerk_path_emit_set(r->program, set);
}

static void parse_group(parser *r)
{
    if (r->p[0] != '?' || r->p[1] != ':') {
        fail(r, "look-around and groups other than (?:...) are not supported");
        return;
    }
    if (++r->depth > DEPTH_MAX) {
        fail(r, "too many groups within groups");
        return;
    }
    r->p += 2;
    parse_alternatives(r);
    r->depth--;
    if (*r->p != ')') {
        fail(r, "a ( without its )");
        return;
    }
    r->p++;
}

static void parse_atom(parser *r)
{
    unsigned char set[32] = {0};
    char text[2] = {0, 0};
    char c = *r->p++;

    switch (c) {
    case '.':
        set_add(set, '\n');
        set_add(set, '\r');
        set_invert(set);
        clerk_path_emit_set(r->program, set);
        return;
    case '[':
        parse_class(r);
        return;
    case '(':
        parse_group(r);
        return;
    case '\\':
        if (set_add_shorthand(set, *r->p)) {
            r->p++;
            clerk_path_emit_set(r->program, set);
            return;
        }
        text[0] = escaped_character(r);
        break;
    case '*':
    case '+':
    case '?':
    case '{':
        fail(r, "a quantifier with nothing before it");
        return;
    case '^':
    case '$':
        fail(r, "^ and $ are not supported; a pattern always matches the whole path");
        return;
    default:
        text[0] = c;
    }
    clerk_path_emit_text(r->program, text);
}

static int parse_number(parser *r)
{
    int number = 0;

    if (!clerk_text_is_digit(*r->p)) {
        fail(r, "a { that begins no {n}, {n,} or {n,m}");
    }
    for (; clerk_text_is_digit(*r->p); r->p++) {
        number = number * 10 + (*r->p - '0');
        if (number > REPEAT_MAX) {
            fail(r, "more than 100 repetitions");
            return 0;
        }
    }
    return number;
}

/** @return 0 where there is no quantifier */
static int parse_quantifier(parser *r, int *pmin, int *pmax, int *plazy)
{
    *pmin = 0;
    *pmax = UNLIMITED;
    switch (*r->p) {
    case '*':
        r->p++;
        break;
    case '+':
        r->p++;
        *pmin = 1;
        break;
    case '?':
        r->p++;
        *pmax = 1;
        break;
    case '{':
        r->p++;
        *pmin = *pmax = parse_number(r);
        if (*r->p == ',') {
            r->p++;
            *pmax = *r->p == '}' ? UNLIMITED : parse_number(r);
        }
        if (*r->p != '}' || (*pmax != UNLIMITED && *pmax < *pmin)) {
            fail(r, "a { that begins no {n}, {n,} or {n,m}");
            return 0;
        }
        r->p++;
        break;
    default:
        return 0;
    }
    *plazy = *r->p == '?';
    r->p += *plazy;
    return 1;
}

/** Make a split take its second way first, where the quantifier is lazy. */
static void set_split(parser *r, int split, int more, int done, int lazy)
{
    r->program->code[split].next = lazy ? done : more;
    r->program->code[split].other = lazy ? more : done;
}

static void emit_atom_again(parser *r, const char *atom)
{
    r->p = atom;
    parse_atom(r);
}

/** Write the atom out as often as the quantifier wants. */
static void emit_repeated(parser *r, const char *atom, int min, int max, int lazy)
{
    int splits[REPEAT_MAX];
    int count = 0;
    int i;

    for (i = 0; i < min && !r->error && !r->program->too_long; i++) {
        emit_atom_again(r, atom);
    }
    if (max == UNLIMITED) {
        int split = clerk_path_emit(r->program, CLERK_PATH_SPLIT);
        int jump;

        emit_atom_again(r, atom);
        jump = clerk_path_emit(r->program, CLERK_PATH_JUMP);
        r->program->code[jump].next = split;
        set_split(r, split, split + 1, jump + 1, lazy);
        return;
    }
    for (; i < max && !r->error && !r->program->too_long; i++) {
        splits[count++] = clerk_path_emit(r->program, CLERK_PATH_SPLIT);
        emit_atom_again(r, atom);
    }
    while (count > 0) {
        count--;
        set_split(r, splits[count], splits[count] + 1, r->program->length, lazy);
    }
}

static void parse_sequence(parser *r)
{
    while (!r->error && !r->program->too_long && *r->p != '\0' && *r->p != '|' && *r->p != ')') {
        const char *atom = r->p;
        int start = r->program->length;
        const char *behind;
        int min;
        int max;
        int lazy;

        parse_atom(r);
        if (!r->error && parse_quantifier(r, &min, &max, &lazy)) {
            behind = r->p;
            r->program->length = start;
            emit_repeated(r, atom, min, max, lazy);
            r->p = behind;
        }
    }
}

static void parse_alternatives(parser *r)
{
    int jumps[CLERK_PATH_PROGRAM_MAX / 2];
    int count = 0;

    for (;;) {
        int split = clerk_path_emit(r->program, CLERK_PATH_SPLIT);

        parse_sequence(r);
        if (r->error || r->program->too_long) {
            return;
        }
        if (*r->p != '|') {
            /* The last one has no alternative. */
            r->program->code[split].op = CLERK_PATH_JUMP;
            break;
        }
        r->p++;
        jumps[count++] = clerk_path_emit(r->program, CLERK_PATH_JUMP);
        r->program->code[split].other = r->program->length;
    }
    while (count > 0) {
        r->program->code[jumps[--count]].next = r->program->length;
    }
}

const char *clerk_path_emit_regex(clerk_path_program *program, const char *regex)
{
    parser r = {program, regex, 0, NULL};

    parse_alternatives(&r);
    if (!r.error && *r.p != '\0' && !program->too_long) {
        r.error = "a ) without its (";
    }
    /* Where it did not fit, reading stopped somewhere, and what is wrong there means nothing. */
    return program->too_long ? NULL : r.error;
}
