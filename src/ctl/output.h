/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <jansson.h>

#include "ctl/gate.h"

/*
 * What clerkctl prints. All of it passes one gate that hides tokens and secrets: those that were announced, and all
 * that has the form of a JWT or of one of Clerk's secrets. So a mistake anywhere else does not print one.
 */

/** Exit codes, as documented in docs/clerkctl.md. */
typedef enum clerk_output_code {
    CLERK_OUTPUT_GOOD = 0,       /**< signed in; nothing found; accepted */
    CLERK_OUTPUT_BAD = 1,        /**< not signed in; something found; refused */
    CLERK_OUTPUT_USAGE = 2,      /**< the command or its input is not understood */
    CLERK_OUTPUT_UNAVAILABLE = 3 /**< something that is needed cannot be had: a file, a key set, a program */
} clerk_output_code;

typedef struct clerk_output {
    clerk_gate *gate;
    apr_array_header_t *text; /**< of char: what will be printed */
    int as_json;              /**< --json */
    apr_pool_t *pool;
} clerk_output;

clerk_output *clerk_output_create(apr_pool_t *pool);

/** Announce a text that must not be printed: clerk_gate_secret(). */
void clerk_output_secret(clerk_output *out, const char *text);

/** The same for a token: clerk_gate_token(). */
void clerk_output_token(clerk_output *out, const char *text);

/**
 * Add a text to what will be printed. In its arguments, what a terminal could take for a command and what changes how
 * a text looks is written as JSON does (`\u202e`): control characters, line breaks too, characters that nobody sees or
 * that turn the direction of writing; and what is no UTF-8 as `\x9b`. So a line ends only where @a format says so.
 * @param format with %s, %d and APR_INT64_T_FMT, a width and a precision
 */
void clerk_output_print(clerk_output *out, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/** Add a text that has lines of its own; the same characters but line breaks and tabs are escaped in it. */
void clerk_output_lines(clerk_output *out, const char *text);

/** A text of a stranger that stands between words of ours: in quotes, as JSON writes it, if it is not one word. */
const char *clerk_output_word(const clerk_output *out, const char *text);

/** Print a document with --json. The same characters are escaped in it. */
void clerk_output_document(clerk_output *out, const json_t *document);

/** A URL without the values of Clerk's tokens in its query, from the pool. */
const char *clerk_output_url(const clerk_output *out, const char *url);

/** A Set-Cookie value without the value, if the cookie is one of Clerk's that hold a token. */
const char *clerk_output_cookie(const clerk_output *out, const char *set_cookie);

/** With --json, make a document of the text that was added: its only member. @return CLERK_OUTPUT_GOOD */
clerk_output_code clerk_output_as_document(clerk_output *out, const char *name);

/** Pass the text through the gate and write it to standard output. @return 0 if it cannot be written */
int clerk_output_finish(clerk_output *out);

/** Report an error: with --json as a document on standard output, else as a line on standard error. @return @a code */
clerk_output_code clerk_output_fail(clerk_output *out, clerk_output_code code, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

#endif
