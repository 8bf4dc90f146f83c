/* SPDX-License-Identifier: Apache-2.0 */
#include "text/html_head.h"

#include "text/text.h"

enum state {
    BEGINNING, /* of the text: a byte order mark may come */
    BOM_2,
    BOM_3,
    BETWEEN, /* tags and comments */
    OPEN,    /* after '<' */
    NAME,    /* of a start tag */
    BANG,    /* after "<!" */
    BANG_DASH,
    DECLARATION, /* "<!" and a letter */
    BOGUS,       /* "<?", and "<!" with anything else: up to the next '>' */
    DOCTYPE,     /* after its name */
    COMMENT,
    ATTRIBUTES, /* of <html> or <head>: before the name of one */
    ATTRIBUTE_NAME,
    AFTER_ATTRIBUTE_NAME,
    BEFORE_VALUE,
    DOUBLE_QUOTED,
    SINGLE_QUOTED,
    UNQUOTED
};

/* What was seen of the document. */
enum level {
    NOTHING,
    A_DOCTYPE,
    AN_HTML_TAG
};

/* Names of which what was read so far is a beginning. */
#define HTML 1u
#define HEAD 2u

/* How much of the end of a comment was seen. "<!-->" and "<!--->" are comments, too. */
enum dashes {
    DASHES_NONE,
    DASHES_START, /* nothing but "<!--" yet */
    DASHES_START_1,
    DASHES_1,
    DASHES_2,
    DASHES_BANG /* "--!" */
};

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static int is_letter(char c)
{
    return clerk_text_is_alnum(c) && !clerk_text_is_digit(c);
}

/* Something that is no part of what precedes a head: the place is before the bytes held, if this is a document. */
static clerk_html_head_verdict settle(const clerk_html_head *scan)
{
    return scan->level == NOTHING ? CLERK_HTML_HEAD_NONE : CLERK_HTML_HEAD_FOUND;
}

static clerk_html_head_verdict go(clerk_html_head *scan, enum state state)
{
    scan->state = (unsigned char)state;
    return CLERK_HTML_HEAD_MORE;
}

/* Like go(), where no place can be before what was read. */
static clerk_html_head_verdict release(clerk_html_head *scan, enum state state)
{
    scan->held = 0;
    return go(scan, state);
}

static clerk_html_head_verdict between(clerk_html_head *scan, char c)
{
    if (is_space(c)) {
        return CLERK_HTML_HEAD_MORE;
    }
    if (scan->level != NOTHING) {
        scan->held = 1;
    }
    return c == '<' ? go(scan, OPEN) : settle(scan);
}

/* The UTF-8 byte order mark; any other is of an encoding that this is not for. */
static clerk_html_head_verdict beginning(clerk_html_head *scan, char c)
{
    if (c == '\xef') {
        return go(scan, BOM_2);
    }
    scan->state = BETWEEN;
    return between(scan, c);
}

static unsigned int narrow(unsigned int candidates, unsigned int len, char c)
{
    static const char html[] = "html", head[] = "head";

    c = clerk_text_to_lower(c);
    return (candidates & HTML && len < 4 && html[len] == c ? HTML : 0)
           | (candidates & HEAD && len < 4 && head[len] == c ? HEAD : 0);
}

static clerk_html_head_verdict end_of_tag(clerk_html_head *scan)
{
    if (scan->name == HEAD) {
        return CLERK_HTML_HEAD_FOUND;
    }
    scan->level = AN_HTML_TAG;
    return go(scan, BETWEEN);
}

static clerk_html_head_verdict name(clerk_html_head *scan, char c)
{
    if (scan->len == 4 && (is_space(c) || c == '/' || c == '>')) {
        scan->held = 0;
        scan->len = 0;
        return c == '>' ? end_of_tag(scan) : go(scan, ATTRIBUTES);
    }
    scan->name = (unsigned char)narrow(scan->name, scan->len, c);
    scan->len++;
    if (scan->level != NOTHING) {
        scan->held++;
    }
    return scan->name ? CLERK_HTML_HEAD_MORE : settle(scan);
}

static clerk_html_head_verdict open(clerk_html_head *scan, char c)
{
    if (c == '!') {
        return release(scan, BANG);
    }
    if (c == '?') {
        return release(scan, BOGUS);
    }
    if (is_letter(c)) {
        scan->state = NAME;
        scan->name = HTML | HEAD;
        scan->len = 0;
        return name(scan, c);
    }
    if (scan->level != NOTHING) {
        scan->held++;
    }
    return settle(scan);
}

static clerk_html_head_verdict bogus(clerk_html_head *scan, char c)
{
    return c == '>' ? go(scan, BETWEEN) : go(scan, BOGUS);
}

static clerk_html_head_verdict bang(clerk_html_head *scan, char c)
{
    if (c == '-') {
        return go(scan, BANG_DASH);
    }
    scan->len = 1;
    return clerk_text_to_lower(c) == 'd' ? go(scan, DECLARATION) : bogus(scan, c);
}

static clerk_html_head_verdict declaration(clerk_html_head *scan, char c)
{
    static const char doctype[] = "doctype";

    if (clerk_text_to_lower(c) != doctype[scan->len]) {
        return bogus(scan, c);
    }
    return doctype[++scan->len] ? CLERK_HTML_HEAD_MORE : go(scan, DOCTYPE);
}

static clerk_html_head_verdict comment(clerk_html_head *scan, char c)
{
    unsigned char seen = scan->dashes;

    if (c == '>' && seen != DASHES_NONE && seen != DASHES_1) {
        return go(scan, BETWEEN);
    }
    if (c == '-') {
        scan->dashes = seen == DASHES_START                         ? DASHES_START_1
                       : seen == DASHES_NONE || seen == DASHES_BANG ? DASHES_1
                                                                    : DASHES_2;
    } else {
        scan->dashes = c == '!' && seen == DASHES_2 ? DASHES_BANG : DASHES_NONE;
    }
    return CLERK_HTML_HEAD_MORE;
}

static clerk_html_head_verdict attribute_value(clerk_html_head *scan, char c)
{
    switch (scan->state) {
    case BEFORE_VALUE:
        return is_space(c) ? CLERK_HTML_HEAD_MORE
               : c == '"'  ? go(scan, DOUBLE_QUOTED)
               : c == '\'' ? go(scan, SINGLE_QUOTED)
               : c == '>'  ? end_of_tag(scan)
                           : go(scan, UNQUOTED);
    case DOUBLE_QUOTED:
        return c == '"' ? go(scan, ATTRIBUTES) : CLERK_HTML_HEAD_MORE;
    case SINGLE_QUOTED:
        return c == '\'' ? go(scan, ATTRIBUTES) : CLERK_HTML_HEAD_MORE;
    default: /* UNQUOTED */
        return is_space(c) ? go(scan, ATTRIBUTES) : c == '>' ? end_of_tag(scan) : CLERK_HTML_HEAD_MORE;
    }
}

static clerk_html_head_verdict attribute(clerk_html_head *scan, char c)
{
    if (c == '>') {
        return end_of_tag(scan);
    }
    if (c == '/') {
        return go(scan, ATTRIBUTES);
    }
    if (is_space(c)) {
        return scan->state == ATTRIBUTE_NAME ? go(scan, AFTER_ATTRIBUTE_NAME) : CLERK_HTML_HEAD_MORE;
    }
    /* Where a name is expected, '=' begins one. */
    return c == '=' && scan->state != ATTRIBUTES ? go(scan, BEFORE_VALUE) : go(scan, ATTRIBUTE_NAME);
}

static clerk_html_head_verdict step(clerk_html_head *scan, char c)
{
    switch (scan->state) {
    case BEGINNING:
        return beginning(scan, c);
    case BOM_2:
        return c == '\xbb' ? go(scan, BOM_3) : CLERK_HTML_HEAD_NONE;
    case BOM_3:
        return c == '\xbf' ? go(scan, BETWEEN) : CLERK_HTML_HEAD_NONE;
    case BETWEEN:
        return between(scan, c);
    case OPEN:
        return open(scan, c);
    case NAME:
        return name(scan, c);
    case BANG:
        return bang(scan, c);
    case BANG_DASH:
        scan->dashes = DASHES_START;
        return c == '-' ? go(scan, COMMENT) : bogus(scan, c);
    case DECLARATION:
        return declaration(scan, c);
    case BOGUS:
        return bogus(scan, c);
    case DOCTYPE:
        if (c == '>') {
            scan->level = scan->level == NOTHING ? A_DOCTYPE : scan->level;
            return go(scan, BETWEEN);
        }
        return CLERK_HTML_HEAD_MORE;
    case COMMENT:
        return comment(scan, c);
    case ATTRIBUTES:
    case ATTRIBUTE_NAME:
    case AFTER_ATTRIBUTE_NAME:
        return attribute(scan, c);
    default:
        return attribute_value(scan, c);
    }
}

clerk_html_head_verdict clerk_html_head_scan(clerk_html_head *scan, const char *text, size_t len, size_t *pread)
{
    clerk_html_head_verdict verdict = CLERK_HTML_HEAD_MORE;
    size_t at = 0;

    while (at < len && verdict == CLERK_HTML_HEAD_MORE) {
        char c = text[at++];

        /* No text in an encoding that this is for has this byte; UTF-16 does. */
        verdict = !c || ++scan->read > CLERK_HTML_HEAD_BOUND ? CLERK_HTML_HEAD_NONE : step(scan, c);
    }
    *pread = at;
    return verdict;
}
