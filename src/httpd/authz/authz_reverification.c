/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>

#include "httpd/authz/authz_providers.h"
#include "httpd/authz/authz_require.h"
#include "httpd/request/request_state.h"

/** `Require clerk-reverification LEVEL` or `LEVEL MINUTES`. */
typedef struct reverification_requirement {
    clerk_requirement base;
    clerk_reverification wanted; /* where no argument is an expression */
    int fixed;
} reverification_requirement;

static const clerk_requirement_kind reverification_kind
    = {"clerk-reverification", "strict", NULL, NULL, clerk_authz_require_had_factors};

static const char *parse_reverification(cmd_parms *cmd, const char *line, const void **pparsed)
{
    reverification_requirement *requirement = apr_pcalloc(cmd->pool, sizeof(*requirement));
    const char *error, *text[2] = {NULL, NULL};
    clerk_requirement *base = NULL;

    if ((error = clerk_authz_require_parse(&base, &reverification_kind, cmd, line))) {
        return error;
    }
    requirement->base = *base;
    requirement->fixed = 1;
    if (base->words->nelts > 2) {
        return "Require clerk-reverification: the arguments are a level, and minutes where the level takes them";
    }
    for (int i = 0; i < base->words->nelts; i++) {
        const clerk_requirement_word *word = &APR_ARRAY_IDX(base->words, i, clerk_requirement_word);

        text[i] = word->text;
        requirement->fixed = requirement->fixed && !word->expression;
    }
    if (requirement->fixed && (error = clerk_authorize_parse_reverification(&requirement->wanted, text[0], text[1]))) {
        return apr_psprintf(cmd->pool, "Require clerk-reverification: '%s': %s", line, error);
    }
    *pparsed = requirement;
    return NULL;
}

static authz_status check_reverification(request_rec *r, const char *line, const void *parsed)
{
    const reverification_requirement *requirement = parsed;
    const clerk_identity *identity = clerk_authz_require_identity(r);
    const clerk_reverification *wanted = &requirement->wanted;
    const char *text[2] = {NULL, NULL}, *seen = NULL;
    int granted;

    if (!identity) {
        return AUTHZ_DENIED_NO_USER;
    }
    if (!requirement->fixed) {
        clerk_reverification *now = apr_palloc(r->pool, sizeof(*now));

        for (int i = 0; i < requirement->base.words->nelts; i++) {
            if (!(text[i] = clerk_authz_require_value(r, &requirement->base, i))) {
                return AUTHZ_GENERAL_ERROR;
            }
        }
        seen = apr_psprintf(r->pool, "%.32s%s%.32s", text[0], text[1] ? " " : "", text[1] ? text[1] : "");
        wanted = clerk_authorize_parse_reverification(now, text[0], text[1]) ? NULL : now;
    }
    granted = clerk_authorize_reverification(identity, wanted);
    if (!granted && wanted && clerk_request_state_get(r)->trial) {
        clerk_request_state_get(r)->trial->missed = wanted;
    }
    return clerk_authz_require_answer(r, &requirement->base, line, seen, granted);
}

const authz_provider clerk_require_reverification = {check_reverification, parse_reverification};
