/* SPDX-License-Identifier: Apache-2.0 */

/* A page of an application, in one part, and in parts whose sizes its own bytes give: the place is the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/html_head.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/** The place in a text that is read in parts of 1 to @a most bytes; SIZE_MAX: none. */
static size_t place_of(const char *text, size_t len, size_t most)
{
    clerk_html_head scan = {0};
    clerk_html_head_verdict verdict = CLERK_HTML_HEAD_MORE;
    size_t at = 0;

    while (at < len && verdict == CLERK_HTML_HEAD_MORE) {
        size_t part = 1 + (unsigned char)text[at] % most, read;

        part = part > len - at ? len - at : part;
        /* From memory of its own: reading past the part is an error that a sanitizer finds. */
        char *copy = malloc(part);
        if (!copy) {
            abort();
        }
        memcpy(copy, text + at, part);
        verdict = clerk_html_head_scan(&scan, copy, part, &read);
        free(copy);
        if (read > part || (verdict == CLERK_HTML_HEAD_MORE && read != part)) {
            abort();
        }
        at += read;
        if (scan.held > at || (verdict == CLERK_HTML_HEAD_MORE && scan.held > CLERK_HTML_HEAD_HELD_MAX)
            || scan.held > CLERK_HTML_HEAD_HELD_MAX + 1) {
            abort();
        }
    }
    if (at > CLERK_HTML_HEAD_BOUND + 1) {
        abort();
    }
    return verdict == CLERK_HTML_HEAD_FOUND ? at - scan.held : SIZE_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    clerk_html_head scan = {0};
    size_t read, place = SIZE_MAX;

    if (clerk_html_head_scan(&scan, text, size, &read) == CLERK_HTML_HEAD_FOUND) {
        place = read - scan.held;
    }
    if (place_of(text, size, 1) != place || place_of(text, size, 7) != place || place_of(text, size, 64) != place) {
        abort();
    }
    /* Right after a tag, or right before something that is neither white space nor a comment. */
    if (place != SIZE_MAX && !(place > 0 && text[place - 1] == '>') && place < size
        && strchr(" \t\r\n\f", text[place])) {
        abort();
    }
    return 0;
}
