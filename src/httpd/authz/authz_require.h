/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_AUTHZ_REQUIRE_H
#define HTTPD_AUTHZ_AUTHZ_REQUIRE_H

#include <ap_expr.h>
#include <httpd.h>
#include <http_config.h>
#include <mod_auth.h>

#include "clerk/session/authorize.h"

/*
 * What all `Require clerk-*` lines have in common: reading their arguments, finding out who asks, and remembering
 * what they answered, so that a refusal can say why.
 */

/** One kind of Require line. */
typedef struct clerk_requirement_kind {
    const char *name;    /**< "clerk-role" */
    const char *example; /**< an argument, for messages; NULL: none is needed */
    int (*granted)(const clerk_identity *identity, const char *argument); /**< NULL argument: the line has none */
    /** Why a literal argument can never match, or NULL. No function: any may. */
    const char *(*problem)(const char *argument);
    /** For the log: what the user has. No function: nothing to say. */
    const char *(*had)(const clerk_identity *identity, apr_pool_t *pool);
} clerk_requirement_kind;

/** An argument: a literal, or an expression of its own, so that what a client can put into an expression's value (a
 * space, say) never
 *  becomes a further argument. */
typedef struct clerk_requirement_word {
    const char *text;                 /**< as written */
    const ap_expr_info_t *expression; /**< NULL: literal */
} clerk_requirement_word;

/** A Require line, parsed. */
typedef struct clerk_requirement {
    const clerk_requirement_kind *kind;
    apr_array_header_t *words; /**< of clerk_requirement_word */
} clerk_requirement;

/** What one line said. */
typedef struct clerk_answer {
    const clerk_requirement_kind *kind;
    const char *line; /**< its arguments as written */
    const char *seen; /**< values of its expressions; NULL: has none */
    int granted;
} clerk_answer;

/** What the lines said in one run of httpd's auth_checker hook. */
typedef struct clerk_require_log {
    apr_array_header_t *answers;        /**< of clerk_answer; NULL: none */
    const clerk_reverification *missed; /**< the last clerk-reverification that was not met */
} clerk_require_log;

/** Read the arguments of a line. @return NULL, or what is wrong with it */
const char *clerk_authz_require_parse(clerk_requirement **prequirement, const clerk_requirement_kind *kind,
                                      cmd_parms *cmd, const char *line);

/**
 * Who asks. NULL, and so AUTHZ_DENIED_NO_USER, in httpd's pass before authentication even where the identity is known
 * already: check_authn has to set the user. NULL too under another AuthType.
 */
const clerk_identity *clerk_authz_require_identity(request_rec *r);

/** The value of an argument. @return NULL where its expression fails; logged */
const char *clerk_authz_require_value(request_rec *r, const clerk_requirement *requirement, int index);

/** Remember and return the answer. @param seen values of the line's expressions, or NULL */
authz_status clerk_authz_require_answer(request_rec *r, const clerk_requirement *requirement, const char *line,
                                        const char *seen, int granted);

/** Ask the kind's question for each argument: one match grants. The check function of most providers. */
authz_status clerk_authz_require_check(request_rec *r, const char *line, const void *parsed);

/** For kinds that ask about `fva`. */
const char *clerk_authz_require_had_factors(const clerk_identity *identity, apr_pool_t *pool);

/** Why the user is refused, for the log: the lines that were not met, those that were, what the user has. No claims,
 * no tokens. */
const char *clerk_authz_require_log_text(const clerk_require_log *trial, const clerk_identity *identity,
                                         apr_pool_t *pool);

#endif
