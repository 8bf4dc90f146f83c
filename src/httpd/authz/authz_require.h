/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_AUTHZ_REQUIRE_H
#define HTTPD_AUTHZ_AUTHZ_REQUIRE_H

#include <ap_expr.h>
#include <httpd.h>
#include <http_config.h>
#include <mod_auth.h>

#include "clerk/session/authorize.h"

/*
 * The common part of all `Require clerk-*` lines: parse the arguments, find the user, and record the results, so that
 * the log can say why a user was refused.
 */

typedef struct clerk_requirement_kind clerk_requirement_kind;

/** One kind of Require line: a row of the table in authz_providers.c. */
struct clerk_requirement_kind {
    const char *name; /**< "clerk-role" */
    /** Parse the arguments of a line. @return NULL, or what is wrong with them */
    const char *(*parse)(const clerk_requirement_kind *kind, cmd_parms *cmd, const char *line, const void **pparsed);
    /** Decide for a request. @param parsed the result of parse() for @a line */
    authz_status (*check)(request_rec *r, const char *line, const void *parsed);

    /* For clerk_authz_require_parse() and clerk_authz_require_check(). */

    const char *no_arguments; /**< the error if the line has arguments; NULL: it may have some */
    const char *example;      /**< an argument, for messages; NULL: arguments are optional */
    /** Whether the user has what one argument requires. @param argument NULL if the line has none */
    int (*granted)(const clerk_identity *identity, const char *argument);
    /** Why a literal argument can never match, or NULL. May be NULL itself. */
    const char *(*problem)(const char *argument);
    /** What the user has, for the log. May be NULL itself. */
    const char *(*had)(const clerk_identity *identity, apr_pool_t *pool);

    /* For the page that explains a refusal to the user. */

    const char *missing; /**< what a user lacks who does not meet it, after "This page asks for"; HTML. NULL: nothing */
    int by_organization; /**< another organization may have it */
    int by_sign_in;      /**< signing in again may help */
};

/**
 * One argument: a literal or an expression. Each expression is evaluated by itself, so that a client cannot add further
 * arguments by a space in its value.
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

/** The result of one line. */
typedef struct clerk_require_result {
    const clerk_requirement_kind *kind;
    const char *line; /**< its arguments as written */
    const char *seen; /**< values of its expressions; NULL: it has none */
    int granted;
} clerk_require_result;

/** The results of all lines in one run of httpd's auth_checker hook. */
typedef struct clerk_require_log {
    apr_array_header_t *results;                      /**< of clerk_require_result; NULL: none */
    const clerk_reverification *unmet_reverification; /**< of the last clerk-reverification that was not met */
} clerk_require_log;

/** Parse a line into @a requirement. @return NULL, or what is wrong with it */
const char *clerk_authz_require_read(clerk_requirement *requirement, const clerk_requirement_kind *kind, cmd_parms *cmd,
                                     const char *line);

/** The parse function of most kinds. The result is a clerk_requirement. */
const char *clerk_authz_require_parse(const clerk_requirement_kind *kind, cmd_parms *cmd, const char *line,
                                      const void **pparsed);

/** The check function of most kinds: granted if the kind's granted() is true for one argument. */
authz_status clerk_authz_require_check(request_rec *r, const char *line, const void *parsed);

/**
 * The identity of the user. NULL (return AUTHZ_DENIED_NO_USER) before authentication, even if the identity is known
 * already, because check_authn has to set the user first. NULL under another AuthType too.
 */
const clerk_identity *clerk_authz_require_identity(request_rec *r);

/** The value of an argument. @return NULL if its expression fails; logged */
const char *clerk_authz_require_value(request_rec *r, const clerk_requirement *requirement, int index);

/** Record the result of a line for the log, and return it as an authz_status. @param seen the values of the line's
 * expressions, or NULL */
authz_status clerk_authz_require_record(request_rec *r, const clerk_requirement *requirement, const char *line,
                                        const char *seen, int granted);

/** The had() function of kinds that check `fva`. */
const char *clerk_authz_require_had_factors(const clerk_identity *identity, apr_pool_t *pool);

/** The lines that were met (@a granted), or not, separated by commas, as the configuration has them: nothing in it is a
 * client's. NULL: none. */
const char *clerk_authz_require_lines(const clerk_require_log *log, int granted, apr_pool_t *pool);

/** Why the user was refused, for the log: the lines not met, the lines met, what the user has. No claims, no tokens. */
const char *clerk_authz_require_log_text(const clerk_require_log *log, const clerk_identity *identity,
                                         apr_pool_t *pool);

#endif
