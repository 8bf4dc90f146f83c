/* SPDX-License-Identifier: Apache-2.0 */
#include "text/json_line.h"

#include <stdio.h>
#include <string.h>

#include "text/text.h"
#include "text/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define CUT ",\"cut\":true"
/* What the end of the line takes at most. */
#define END_SIZE (sizeof(CUT "}\n") - 1)
/* The longest number, with its sign. */
#define NUMBER_MAX 11
/* The longest form of a character: an escape. */
#define CHARACTER_MAX 6

static void append(clerk_json_line *line, const char *bytes, size_t len)
{
    memcpy(line->bytes + line->len, bytes, len);
    line->len += len;
}

void clerk_json_line_begin(clerk_json_line *line)
{
    line->len = 0;
    line->cut = 0;
    append(line, "{", 1);
}

/* Begin a member. @param least what its value takes at least @return whether there is room for it */
static int begin_member(clerk_json_line *line, const char *name, size_t least)
{
    size_t name_len = strlen(name);

    if (line->len + 1 + name_len + 3 + least + END_SIZE > sizeof(line->bytes)) {
        line->cut = 1;
        return 0;
    }
    if (line->len > 1) {
        append(line, ",", 1);
    }
    append(line, "\"", 1);
    append(line, name, name_len);
    append(line, "\":", 2);
    return 1;
}

/* The character at the beginning of a text, as it stands in JSON. @return its length; @param plen that in the text */
static size_t escaped(char out[CHARACTER_MAX + 1], const char *text, size_t *plen)
{
    unsigned int code = (unsigned char)*text;

    *plen = clerk_utf8_length(text);
    if (!*plen) {
        *plen = 1;
        code = 0xfffd;
    } else if (clerk_text_begins_with_wide_control(text)) {
        code = *plen == 2 ? (unsigned char)text[1] : 0x2000 + ((unsigned char)text[2] & 0x3f);
    } else if (*text == '"' || *text == '\\') {
        out[0] = '\\';
        out[1] = *text;
        return 2;
    } else if (!clerk_text_is_control(*text)) {
        memcpy(out, text, *plen);
        return *plen;
    }
    return (size_t)snprintf(out, CHARACTER_MAX + 1, "\\u%04x", code);
}

void clerk_json_line_text(clerk_json_line *line, const char *name, const char *text, size_t most)
{
    size_t room, used = 0, fits = 0;

    if (!text) {
        if (begin_member(line, name, strlen("null"))) {
            append(line, "null", strlen("null"));
        }
        return;
    }
    if (!begin_member(line, name, sizeof("\"" ELLIPSIS "\"") - 1)) {
        return;
    }
    append(line, "\"", 1);
    room = sizeof(line->bytes) - END_SIZE - line->len - 1;
    most = most < room ? most : room;
    while (*text) {
        char character[CHARACTER_MAX + 1];
        size_t len, out = escaped(character, text, &len);

        if (used + out > most) {
            /* Back to where an ellipsis fits. */
            line->len -= used - fits;
            append(line, ELLIPSIS, strlen(ELLIPSIS));
            line->cut = 1;
            break;
        }
        append(line, character, out);
        used += out;
        fits = used + strlen(ELLIPSIS) <= most ? used : fits;
        text += len;
    }
    append(line, "\"", 1);
}

void clerk_json_line_number(clerk_json_line *line, const char *name, int number)
{
    char text[NUMBER_MAX + 1];

    if (begin_member(line, name, NUMBER_MAX)) {
        int len = snprintf(text, sizeof(text), "%d", number);

        append(line, text, (size_t)len);
    }
}

void clerk_json_line_end(clerk_json_line *line)
{
    const char *cut = line->len > 1 ? CUT : &CUT[1];

    if (line->cut) {
        append(line, cut, strlen(cut));
    }
    append(line, "}\n", 2);
}
