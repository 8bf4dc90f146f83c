/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/authz_reverification.h"

#include <apr_strings.h>

#include "httpd/request/request_state.h"

/* `Require clerk-reverification LEVEL` or `LEVEL MINUTES`. */
typedef struct reverification_requirement {
    clerk_requirement base;
    clerk_reverification wanted; /* if `fixed` */
    int fixed;                   /* no argument is an expression */
} reverification_requirement;

const char *clerk_authz_reverification_parse(const clerk_requirement_kind *kind, cmd_parms *cmd, const char *line,
                                             const void **pparsed)
{
    reverification_requirement *requirement = apr_pcalloc(cmd->pool, sizeof(*requirement));
    const apr_array_header_t *words;
    const char *error, *text[2] = {NULL, NULL};

    if ((error = clerk_authz_require_read(&requirement->base, kind, cmd, line))) {
        return error;
    }
    words = requirement->base.words;
    if (words->nelts > 2) {
        return apr_psprintf(cmd->pool, "Require %s: the arguments are a level, and minutes where the level takes them",
                            kind->name);
    }
    requirement->fixed = 1;
    for (int i = 0; i < words->nelts; i++) {
        const clerk_requirement_word *word = &APR_ARRAY_IDX(words, i, clerk_requirement_word);

        text[i] = word->text;
        requirement->fixed = requirement->fixed && !word->expression;
    }
    if (requirement->fixed && (error = clerk_authorize_parse_reverification(&requirement->wanted, text[0], text[1]))) {
        return apr_psprintf(cmd->pool, "Require %s: '%s': %s", kind->name, line, error);
    }
    *pparsed = requirement;
    return NULL;
}

authz_status clerk_authz_reverification_check(request_rec *r, const char *line, const void *parsed)
{
    const reverification_requirement *requirement = parsed;
    const clerk_identity *identity = clerk_authz_require_identity(r);
    const clerk_reverification *wanted = &requirement->wanted;
    const char *text[2] = {NULL, NULL}, *seen = NULL;
    clerk_require_log *log;
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
    log = clerk_request_state_get(r)->require_log;
    if (!granted && wanted && log) {
        log->unmet_reverification = wanted;
    }
    return clerk_authz_require_record(r, &requirement->base, line, seen, granted);
}
