/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_URL_PATH_PROGRAM_H
#define CLERK_URL_PATH_PROGRAM_H

#include <apr_pools.h>

/*
 * A small regular expression machine for URL paths. It tries alternatives in order, as JavaScript does, but remembers
 * every (instruction, position) that it has been at: no pattern and no path can cost more than their lengths
 * multiplied.
 */

/** The most instructions a program may have. */
#define CLERK_PATH_PROGRAM_MAX 1024
/** Longer paths match nothing. */
#define CLERK_PATH_MAX 2048

/** What a program can capture. */
typedef enum clerk_path_capture {
    CLERK_PATH_ID,
    CLERK_PATH_SLUG,
    CLERK_PATH_CAPTURES /**< how many there are */
} clerk_path_capture;

typedef enum clerk_path_op {
    CLERK_PATH_CHAR,     /**< this character, in either case */
    CLERK_PATH_SET,      /**< one of a set */
    CLERK_PATH_NOT_TEXT, /**< the text is not what follows; takes nothing */
    CLERK_PATH_SPLIT,    /**< go on at `next`, else at `other` */
    CLERK_PATH_JUMP,     /**< go on at `next` */
    CLERK_PATH_SAVE,     /**< note the position in slot `next` */
    CLERK_PATH_END       /**< matched, if this is the end of the path */
} clerk_path_op;

typedef struct clerk_path_instruction {
    clerk_path_op op;
    char character;           /**< lower case */
    const unsigned char *set; /**< 256 bits */
    const char *text;
    int next;
    int other;
} clerk_path_instruction;

typedef struct clerk_path_program {
    clerk_path_instruction *code;
    int length;
    int too_long; /**< an instruction did not fit; the program is of no use */
    apr_pool_t *pool;
} clerk_path_program;

clerk_path_program *clerk_path_program_create(apr_pool_t *pool);

/** Append an instruction. @return its index, for the jumps; a valid one even where it did not fit */
int clerk_path_emit(clerk_path_program *program, clerk_path_op op);
void clerk_path_emit_text(clerk_path_program *program, const char *text);
/** @param set 32 bytes, copied */
void clerk_path_emit_set(clerk_path_program *program, const unsigned char *set);

/**
 * Append a JavaScript regular expression: characters, `.`, classes, `\d \w \s` and their opposites, escaped
 * punctuation, `(?:...)`, `|`, and the quantifiers, lazy ones too. Not: anchors, look-around, captures, back
 * references.
 * @return NULL, or what is wrong (static text)
 */
const char *clerk_path_emit_regex(clerk_path_program *program, const char *regex);

/** A captured piece of the path; data is NULL where the capture took no part. */
typedef struct clerk_path_captures {
    const char *start[CLERK_PATH_CAPTURES];
    apr_size_t len[CLERK_PATH_CAPTURES];
} clerk_path_captures;

/** Match a whole path. @param scratch is used for what its name says */
int clerk_path_program_match(clerk_path_captures *captures, const clerk_path_program *program, const char *path,
                             apr_pool_t *scratch);

#endif
