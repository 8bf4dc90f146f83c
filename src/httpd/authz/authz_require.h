/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_AUTHZ_REQUIRE_H
#define HTTPD_AUTHZ_AUTHZ_REQUIRE_H

#include <ap_expr.h>
#include <httpd.h>
#include <http_config.h>
#include <mod_auth.h>

#include "clerk/session/authorize.h"

/*
 * What all `Require clerk-*` lines have in common: reading their arguments, finding out who asks, and recording their
 * results, so that a refusal can say why.
 */

typedef struct clerk_requirement_kind clerk_requirement_kind;

/** One kind of Require line: a row of the table in authz_providers.c. */
struct clerk_requirement_kind {
    const char *name; /**< "clerk-role" */
    /** Read a line's arguments. @return NULL, or what is wrong with them */
    const char *(*parse)(const clerk_requirement_kind *kind, cmd_parms *cmd, const char *line, const void **pparsed);
    /** Decide for a request. @param parsed what parse() made of @a line */
    authz_status (*check)(request_rec *r, const char *line, const void *parsed);

    /* For clerk_authz_require_parse() and clerk_authz_require_check(). */

    const char *no_arguments; /**< why the line takes no arguments; NULL: it takes some */
    const char *example;      /**< an argument, for messages; NULL: none is needed */
    /** The question; a NULL argument: the line has none. */
    int (*granted)(const clerk_identity *identity, const char *argument);
    /** Why a literal argument can never match, or NULL. No function: any may. */
    const char *(*problem)(const char *argument);
    /** For the log: what the user has. No function: nothing to say. */
    const char *(*had)(const clerk_identity *identity, apr_pool_t *pool);
};

/**
 * An argument: a literal, or an expression of its own, so that what a client can put into an expression's value (a
 * space, say) never becomes a further argument.
 */
typedef struct clerk_requirement_word {
    const char *text;                 /**< as written */
    const ap_expr_info_t *expression; /**< NULL: literal */
} clerk_requirement_word;

/** A Require line, parsed. */
typedef struct clerk_requirement {
    const clerk_requirement_kind *kind;
    apr_array_header_t *words; /**< of clerk_requirement_word */
} clerk_requirement;

/** How one line decided. */
typedef struct clerk_require_result {
    const clerk_requirement_kind *kind;
    const char *line; /**< its arguments as written */
    const char *seen; /**< values of its expressions; NULL: has none */
    int granted;
} clerk_require_result;

/** How the lines decided in one run of httpd's auth_checker hook. */
typedef struct clerk_require_log {
    apr_array_header_t *results;                      /**< of clerk_require_result; NULL: none */
    const clerk_reverification *unmet_reverification; /**< of the last clerk-reverification that was not met */
} clerk_require_log;

/** Read a line into @a requirement, which the caller has: kind, arguments. @return NULL, or what is wrong with it */
const char *clerk_authz_require_read(clerk_requirement *requirement, const clerk_requirement_kind *kind, cmd_parms *cmd,
                                     const char *line);

/** The parse function of most kinds: the line is a clerk_requirement and nothing more. */
const char *clerk_authz_require_parse(const clerk_requirement_kind *kind, cmd_parms *cmd, const char *line,
                                      const void **pparsed);

/** The check function of most kinds: ask the kind's question for each argument; one match grants. */
authz_status clerk_authz_require_check(request_rec *r, const char *line, const void *parsed);

/**
 * Who asks. NULL, and so AUTHZ_DENIED_NO_USER, in httpd's pass before authentication even where the identity is known
 * already: check_authn has to set the user. NULL too under another AuthType.
 */
const clerk_identity *clerk_authz_require_identity(request_rec *r);

/** The value of an argument. @return NULL where its expression fails; logged */
const char *clerk_authz_require_value(request_rec *r, const clerk_requirement *requirement, int index);

/** Record a line's result for the log, and return it as httpd has it. @param seen values of the line's expressions, or
 * NULL */
authz_status clerk_authz_require_record(request_rec *r, const clerk_requirement *requirement, const char *line,
                                        const char *seen, int granted);

/** For kinds that ask about `fva`. */
const char *clerk_authz_require_had_factors(const clerk_identity *identity, apr_pool_t *pool);

/** Why the user is refused: the lines that were not met, those that were, what the user has. No claims, no tokens. */
const char *clerk_authz_require_log_text(const clerk_require_log *log, const clerk_identity *identity,
                                         apr_pool_t *pool);

#endif
