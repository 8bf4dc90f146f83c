/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/authz_require.h"

#include <apr_strings.h>

#include "httpd/application/variables.h"
#include "httpd/process/log.h"
#include "httpd/request/judge.h"
#include "httpd/request/own_user.h"
#include "httpd/request/request_state.h"

/* The most bytes of a client's text in a log line. */
#define SEEN_MAX 64

const char *clerk_authz_require_read(clerk_requirement *requirement, const clerk_requirement_kind *kind, cmd_parms *cmd,
                                     const char *line)
{
    requirement->kind = kind;
    requirement->words = apr_array_make(cmd->pool, 2, sizeof(clerk_requirement_word));
    if (kind->no_arguments && *line) {
        return apr_psprintf(cmd->pool, "Require %s: %s", kind->name, kind->no_arguments);
    }
    while (*line) {
        clerk_requirement_word *word = apr_array_push(requirement->words);
        const char *error = NULL;

        word->text = ap_getword_conf(cmd->pool, &line);
        word->expression = NULL;
        if (!*word->text) {
            return apr_psprintf(cmd->pool, "Require %s: an empty argument matches nothing", kind->name);
        }
        if (strchr(word->text, '%')) {
            word->expression = ap_expr_parse_cmd(cmd, word->text, AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
        } else if (kind->problem) {
            error = kind->problem(word->text);
        }
        if (error) {
            return apr_psprintf(cmd->pool, "Require %s: '%s': %s", kind->name, word->text, error);
        }
    }
    if (kind->example && !requirement->words->nelts) {
        return apr_psprintf(cmd->pool, "Require %s: at least one argument is needed, such as Require %s %s", kind->name,
                            kind->name, kind->example);
    }
    return NULL;
}

const char *clerk_authz_require_parse(const clerk_requirement_kind *kind, cmd_parms *cmd, const char *line,
                                      const void **pparsed)
{
    clerk_requirement *requirement = apr_palloc(cmd->pool, sizeof(*requirement));

    *pparsed = requirement;
    return clerk_authz_require_read(requirement, kind, cmd, line);
}

const clerk_identity *clerk_authz_require_identity(request_rec *r)
{
    if (!clerk_request_state_is_auth_type(r)) {
        return NULL;
    }
    if (!clerk_own_user_is(r)) {
        clerk_request_state_get(r)->requirement_asked = 1;
        return NULL;
    }
    return clerk_judge_established_identity(r);
}

const char *clerk_authz_require_value(request_rec *r, const clerk_requirement *requirement, int index)
{
    const clerk_requirement_word *word = &APR_ARRAY_IDX(requirement->words, index, clerk_requirement_word);
    const char *error = NULL, *value;

    if (!word->expression) {
        return word->text;
    }
    value = ap_expr_str_exec(r, word->expression, &error);
    if (error) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      CLERK_LOGNO(3060) "Require %s: the expression %s failed: %s", requirement->kind->name, word->text,
                                  error);
        return NULL;
    }
    return value;
}

authz_status clerk_authz_require_record(request_rec *r, const clerk_requirement *requirement, const char *line,
                                        const char *seen, int granted)
{
    clerk_require_log *log = clerk_request_state_get(r)->require_log;

    if (log) {
        if (!log->results) {
            log->results = apr_array_make(r->pool, 4, sizeof(clerk_require_result));
        }
        APR_ARRAY_PUSH(log->results, clerk_require_result)
            = (clerk_require_result){requirement->kind, line, seen, granted};
    }
    return granted ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

const char *clerk_authz_require_had_factors(const clerk_identity *identity, apr_pool_t *pool)
{
    const char *age = identity->factor_age_text;

    return apr_pstrcat(pool, "factor age ", age ? age : "unknown", NULL);
}

authz_status clerk_authz_require_check(request_rec *r, const char *line, const void *parsed)
{
    const clerk_requirement *requirement = parsed;
    const clerk_identity *identity = clerk_authz_require_identity(r);
    const char *value, *seen = NULL;
    int granted = 0;

    if (!identity) {
        return AUTHZ_DENIED_NO_USER;
    }
    if (!requirement->words->nelts) {
        granted = requirement->kind->granted(identity, NULL);
    }
    for (int i = 0; i < requirement->words->nelts && !granted; i++) {
        value = clerk_authz_require_value(r, requirement, i);
        if (!value) {
            return AUTHZ_GENERAL_ERROR;
        }
        if (APR_ARRAY_IDX(requirement->words, i, clerk_requirement_word).expression) {
            seen = apr_psprintf(r->pool, "%s%s%.*s", seen ? seen : "", seen ? " " : "", SEEN_MAX, value);
        }
        granted = *value && requirement->kind->granted(identity, value);
    }
    return clerk_authz_require_record(r, requirement, line, seen, granted);
}

/* @param with_seen with the values of expressions too, which may be a client's */
static const char *lines_text(const clerk_require_log *log, int granted, int with_seen, apr_pool_t *pool)
{
    const char *text = NULL;

    for (int i = 0; log->results && i < log->results->nelts; i++) {
        const clerk_require_result *result = &APR_ARRAY_IDX(log->results, i, clerk_require_result);

        const char *seen = with_seen ? result->seen : NULL;

        if (result->granted == granted) {
            text = apr_pstrcat(pool, text ? text : "", text ? ", " : "", result->kind->name, *result->line ? " " : "",
                               result->line, seen ? " (" : "", seen ? seen : "", seen ? ")" : "", NULL);
        }
    }
    return text;
}

const char *clerk_authz_require_lines(const clerk_require_log *log, int granted, apr_pool_t *pool)
{
    return lines_text(log, granted, 0, pool);
}

/* What the user has, as far as the lines require it; each kind once. */
static const char *had_text(const clerk_require_log *log, const clerk_identity *identity, apr_pool_t *pool)
{
    const char *text
        = apr_psprintf(pool, "organization %s (%s), role %s", identity->org_id ? identity->org_id : "none",
                       identity->org_slug ? identity->org_slug : "-", identity->org_role ? identity->org_role : "none");

    for (int i = 0; log->results && i < log->results->nelts; i++) {
        const clerk_require_result *result = &APR_ARRAY_IDX(log->results, i, clerk_require_result);
        int known = !result->kind->had;

        for (int j = 0; j < i && !known; j++) {
            known = APR_ARRAY_IDX(log->results, j, clerk_require_result).kind->had == result->kind->had;
        }
        if (!known) {
            text = apr_pstrcat(pool, text, ", ", result->kind->had(identity, pool), NULL);
        }
    }
    return text;
}

const char *clerk_authz_require_log_text(const clerk_require_log *log, const clerk_identity *identity, apr_pool_t *pool)
{
    const char *unmet = lines_text(log, 0, 1, pool), *met = lines_text(log, 1, 1, pool);

    return apr_pstrcat(pool, unmet ? "not met: Require " : "", unmet ? unmet : "", unmet && met ? "; " : "",
                       met ? "met: Require " : "", met ? met : "",
                       unmet || met ? "; " : "by a Require of another module; ", "user ", identity->subject, ", ",
                       had_text(log, identity, pool), NULL);
}
