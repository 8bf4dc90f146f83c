/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_GATE_H
#define CTL_GATE_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <jansson.h>

/*
 * What hides tokens and secrets in a text: those that were announced, and all that has the form of a JWT or of one of
 * Clerk's secrets. A text is read as it is and as it is behind each of its percent-encodings.
 */

/** What stands in the place of a token or a secret. */
#define CLERK_GATE_HIDDEN "<hidden>"

typedef struct clerk_gate {
    apr_array_header_t *secrets; /**< of what gate.c calls a secret */
    apr_pool_t *pool;
} clerk_gate;

clerk_gate *clerk_gate_create(apr_pool_t *pool);

/** Announce a text that must not be printed, nor in the form of a query or of JSON. Short ones are ignored: they would
 * hide ordinary words. NULL is ignored too. */
void clerk_gate_secret(clerk_gate *gate, const char *text);

/** The same for a token: it, and its signature. */
void clerk_gate_token(clerk_gate *gate, const char *text);

/** Announce what is found in a text of a stranger: all that has the form of a token or of a secret, and the values of
 * parameters that are named as tokens are, also in a URL within a URL. */
void clerk_gate_search(clerk_gate *gate, const char *text);

/** Whether a cookie or a parameter of that name, with or without suffix, holds a token or what can be changed for one.
 */
int clerk_gate_is_token(const char *name, apr_size_t len);

/** A text without what must not be printed. @param announced whether to hide what was announced, too @return of char */
apr_array_header_t *clerk_gate_pass(const clerk_gate *gate, const char *text, apr_size_t len, int announced);

/**
 * A copy of a document whose texts have gone through the gate: not as it is printed, where what was announced could be
 * a part of its form.
 */
json_t *clerk_gate_pass_document(const clerk_gate *gate, const json_t *document);

#endif
