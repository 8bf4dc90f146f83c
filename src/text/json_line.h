/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEXT_JSON_LINE_H
#define TEXT_JSON_LINE_H

#include <stddef.h>

/**
 * The longest line, with its line feed. What is written to a pipe in one piece stays in one piece up to this size
 * (PIPE_BUF of Linux), whoever else writes to it.
 */
#define CLERK_JSON_LINE_MAX 4096

/**
 * A JSON object in one line that is never longer than that, whatever the texts are. A text that is too long for its
 * member, or for the line, is cut and ends with an ellipsis; then the object's last member is `"cut":true`.
 */
typedef struct clerk_json_line {
    char bytes[CLERK_JSON_LINE_MAX];
    size_t len;
    int cut; /**< a text was cut, or a member left out */
} clerk_json_line;

void clerk_json_line_begin(clerk_json_line *line);

/**
 * Add a member. What is no UTF-8 becomes U+FFFD, a byte at a time; control characters, also C1, and the line breaks
 * U+2028 and U+2029 are escaped.
 * @param name of the member: letters and underlines
 * @param text NULL: the member is null
 * @param most the most bytes of the text in the line, escapes and ellipsis counted, without the quotes; at least 8
 */
void clerk_json_line_text(clerk_json_line *line, const char *name, const char *text, size_t most);

void clerk_json_line_number(clerk_json_line *line, const char *name, int number);

/** End the object and the line: `bytes` has `len` bytes then, with a line feed at the end and no NUL. */
void clerk_json_line_end(clerk_json_line *line);

#endif
