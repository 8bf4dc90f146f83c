/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/authz_require.h"

#include <apr_strings.h>

#include "httpd/application/variables.h"
#include "httpd/process/log.h"
#include "httpd/request/judge.h"
#include "httpd/request/request_state.h"

/* Of a client's text in a log line. */
#define SEEN_MAX 64

const char *clerk_authz_require_parse(clerk_requirement **prequirement, const clerk_requirement_kind *kind,
                                      cmd_parms *cmd, const char *line)
{
    clerk_requirement *requirement = apr_palloc(cmd->pool, sizeof(*requirement));

    requirement->kind = kind;
    requirement->words = apr_array_make(cmd->pool, 2, sizeof(clerk_requirement_word));
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
    *prequirement = requirement;
    return NULL;
}

const clerk_identity *clerk_authz_require_identity(request_rec *r)
{
    return r->user && clerk_request_state_is_auth_type(r) ? clerk_judge_established_identity(r) : NULL;
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

authz_status clerk_authz_require_answer(request_rec *r, const clerk_requirement *requirement, const char *line,
                                        const char *seen, int granted)
{
    clerk_require_log *trial = clerk_request_state_get(r)->trial;
    clerk_answer *answer;

    if (trial) {
        if (!trial->answers) {
            trial->answers = apr_array_make(r->pool, 4, sizeof(clerk_answer));
        }
        answer = apr_array_push(trial->answers);
        answer->kind = requirement->kind;
        answer->line = line;
        answer->seen = seen;
        answer->granted = granted;
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
    return clerk_authz_require_answer(r, requirement, line, seen, granted);
}

/** The lines that said @a granted, each with its name. */
static const char *lines_text(const clerk_require_log *trial, int granted, apr_pool_t *pool)
{
    const char *text = NULL;

    for (int i = 0; trial->answers && i < trial->answers->nelts; i++) {
        const clerk_answer *answer = &APR_ARRAY_IDX(trial->answers, i, clerk_answer);

        if (answer->granted == granted) {
            text = apr_pstrcat(pool, text ? text : "", text ? ", " : "", answer->kind->name, *answer->line ? " " : "",
                               answer->line, answer->seen ? " (" : "", answer->seen ? answer->seen : "",
                               answer->seen ? ")" : "", NULL);
        }
    }
    return text;
}

/** What the user has of what was asked for; of each kind once. */
static const char *had_text(const clerk_require_log *trial, const clerk_identity *identity, apr_pool_t *pool)
{
    const char *text
        = apr_psprintf(pool, "organization %s (%s), role %s", identity->org_id ? identity->org_id : "none",
                       identity->org_slug ? identity->org_slug : "-", identity->org_role ? identity->org_role : "none");

    for (int i = 0; trial->answers && i < trial->answers->nelts; i++) {
        const clerk_answer *answer = &APR_ARRAY_IDX(trial->answers, i, clerk_answer);
        int known = !answer->kind->had;

        for (int j = 0; j < i && !known; j++) {
            known = APR_ARRAY_IDX(trial->answers, j, clerk_answer).kind->had == answer->kind->had;
        }
        if (!known) {
            text = apr_pstrcat(pool, text, ", ", answer->kind->had(identity, pool), NULL);
        }
    }
    return text;
}

const char *clerk_authz_require_log_text(const clerk_require_log *trial, const clerk_identity *identity,
                                         apr_pool_t *pool)
{
    const char *unmet = lines_text(trial, 0, pool), *met = lines_text(trial, 1, pool);

    return apr_pstrcat(pool, unmet ? "not met: Require " : "", unmet ? unmet : "", unmet && met ? "; " : "",
                       met ? "met: Require " : "", met ? met : "",
                       unmet || met ? "; " : "by a Require of another module; ", "user ", identity->user_id, ", ",
                       had_text(trial, identity, pool), NULL);
}
