/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_JAVASCRIPT_REGEX_H
#define CLERK_URL_JAVASCRIPT_REGEX_H

#include <apr_tables.h>

/*
 * JavaScript's regular expressions (ECMA-262, section 22.2, without the flags m, s, u and v) as text for PCRE2. Only
 * what means the same in both is let through: PCRE2 must be told PCRE2_DOLLAR_ENDONLY and no UTF. Subjects are ASCII.
 */

/** Whether an expression can match the empty string, and in which order it tries that. */
typedef enum clerk_javascript_regex_emptiness {
    CLERK_JAVASCRIPT_REGEX_NEVER_EMPTY,
    CLERK_JAVASCRIPT_REGEX_EMPTY_LAST, /**< after everything that takes text */
    CLERK_JAVASCRIPT_REGEX_EMPTY_EARLY /**< before something that takes text */
} clerk_javascript_regex_emptiness;

/** Append literal text, escaped where needed. @param out of char */
void clerk_javascript_regex_literal(apr_array_header_t *out, const char *text);

/**
 * Append an expression: characters, `.`, classes, `\d \w \s \b` and their opposites, escaped punctuation, `^`, `$`,
 * `(?:...)`, look-around, `|`, and the quantifiers, lazy ones too. Neither captures nor back references.
 * @param out of char; undefined after an error
 * @param pemptiness what is known of the whole expression
 * @return NULL, or what is wrong (static text)
 */
const char *clerk_javascript_regex_translate(apr_array_header_t *out, clerk_javascript_regex_emptiness *pemptiness,
                                             const char *regex);

#endif
