/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEXT_HTML_HEAD_H
#define TEXT_HTML_HEAD_H

#include <stddef.h>

/*
 * Finds the place in an HTML document where a script runs before every other: right after `<head ...>`, or, where no
 * head comes, before what follows `<html ...>` or the doctype. A text that begins with anything else is no document but
 * a part of one, and has no such place. Reads as browsers do (HTML standard, 13.2.5 and 13.2.6.4.1 to 4), so comments,
 * attribute values and upper case do not mislead it.
 *
 * The text comes in parts of any size, each byte is read once, and the memory is constant. The encoding must be a
 * superset of ASCII.
 */

/** The number of bytes that are read before it is given up. */
#define CLERK_HTML_HEAD_BOUND 65536

/** The most bytes that are held: "<head". */
#define CLERK_HTML_HEAD_HELD_MAX 5

typedef enum clerk_html_head_verdict {
    CLERK_HTML_HEAD_MORE,  /**< not known yet */
    CLERK_HTML_HEAD_FOUND, /**< the place is `held` bytes before the end of what was read */
    CLERK_HTML_HEAD_NONE   /**< there is none */
} clerk_html_head_verdict;

/** The state between two parts. Begin with all members zero. */
typedef struct clerk_html_head {
    /**
     * How many of the last bytes read may come after the place: the beginning of a tag whose name is not known yet.
     * They must not be passed on before the verdict. At most CLERK_HTML_HEAD_HELD_MAX.
     */
    unsigned int held;
    unsigned int read;    /**< bytes read, up to the bound */
    unsigned char state;  /**< of the tokenizer; with the members below for html_head.c only */
    unsigned char level;  /**< what was seen: nothing, a doctype, `<html>` */
    unsigned char name;   /**< candidates for the name of the tag or declaration that is being read */
    unsigned char len;    /**< characters of that name */
    unsigned char dashes; /**< in a comment: how much of its end was seen */
} clerk_html_head;

/**
 * Read the next part.
 * @param pread set to the number of bytes read: all, except with FOUND and NONE
 * @return the verdict. After FOUND or NONE, do not call again
 */
clerk_html_head_verdict clerk_html_head_scan(clerk_html_head *scan, const char *text, size_t len, size_t *pread);

#endif
