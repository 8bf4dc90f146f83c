/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/authz_claim.h"

#include <apr_strings.h>

#include "clerk/session/claim.h"
#include "httpd/process/log.h"

/* `Require clerk-claim PATH=VALUE` or `PATH~REGEX`. */
typedef struct claim_test {
    const char *path;
    const ap_regex_t *regex; /* NULL: compare with VALUE */
    int value;               /* index of VALUE in the words of the requirement */
} claim_test;

typedef struct claim_requirement {
    clerk_requirement base;    /* its words are the VALUEs */
    apr_array_header_t *tests; /* of claim_test */
} claim_requirement;

static const char how_to_write[] = "write PATH=VALUE or PATH~REGEX, such as department=sales or email~@example[.]com$";

/* The regular expression must be fixed: a client that controls a part of it controls what it matches. */
static const char *parse_regex(claim_test *test, cmd_parms *cmd, const char *text)
{
    if (strstr(text, "%{")) {
        return "a regular expression cannot have an expression (%{...}) in it; PATH=VALUE can";
    }
    test->regex = ap_pregcomp(cmd->pool, text, AP_REG_EXTENDED | AP_REG_NOSUB);
    return test->regex ? NULL : "this is not a regular expression";
}

static const char *parse_test(claim_requirement *requirement, cmd_parms *cmd, const char *text)
{
    claim_test *test = apr_array_push(requirement->tests);
    clerk_requirement_word *word;
    apr_size_t len = strcspn(text, "=~");
    const char *argument = text + len + 1, *error = NULL;

    memset(test, 0, sizeof(*test));
    test->path = apr_pstrmemdup(cmd->pool, text, len);
    if (!len || !text[len] || !*argument) {
        return how_to_write;
    }
    if (strchr(test->path, '%')) {
        return "the path cannot be an expression; the value can";
    }
    if (text[len] == '~') {
        return parse_regex(test, cmd, argument);
    }
    test->value = requirement->base.words->nelts;
    word = apr_array_push(requirement->base.words);
    word->text = argument;
    word->expression = NULL;
    if (strchr(argument, '%')) {
        word->expression = ap_expr_parse_cmd(cmd, argument, AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
    }
    return error;
}

const char *clerk_authz_claim_parse(const clerk_requirement_kind *kind, cmd_parms *cmd, const char *line,
                                    const void **pparsed)
{
    claim_requirement *requirement = apr_palloc(cmd->pool, sizeof(*requirement));

    requirement->base.kind = kind;
    requirement->base.words = apr_array_make(cmd->pool, 2, sizeof(clerk_requirement_word));
    requirement->tests = apr_array_make(cmd->pool, 2, sizeof(claim_test));
    while (*line) {
        const char *text = ap_getword_conf(cmd->pool, &line);
        const char *error = parse_test(requirement, cmd, text);

        if (error) {
            return apr_psprintf(cmd->pool, "Require %s: '%s': %s", kind->name, text, error);
        }
    }
    *pparsed = requirement;
    return requirement->tests->nelts ? NULL : apr_psprintf(cmd->pool, "Require %s: %s", kind->name, how_to_write);
}

/* @return 1 if it matches, 0 if not, -1 if an expression fails */
static int test_granted(request_rec *r, const claim_requirement *requirement, const claim_test *test,
                        const clerk_identity *identity)
{
    const json_t *claim = clerk_claim_find(clerk_identity_claims(identity), test->path, r->pool);
    const apr_array_header_t *texts = clerk_claim_texts(claim, r->pool);
    const char *value = test->regex ? NULL : clerk_authz_require_value(r, &requirement->base, test->value);

    if (!test->regex && !value) {
        return -1;
    }
    for (int i = 0; i < texts->nelts; i++) {
        const char *text = APR_ARRAY_IDX(texts, i, const char *);

        if (value ? *value && !strcmp(text, value) : !ap_regexec(test->regex, text, 0, NULL, 0)) {
            return 1;
        }
    }
    return 0;
}

authz_status clerk_authz_claim_check(request_rec *r, const char *line, const void *parsed)
{
    const claim_requirement *requirement = parsed;
    const clerk_identity *identity = clerk_authz_require_identity(r);
    int granted = 0;

    if (!identity) {
        return AUTHZ_DENIED_NO_USER;
    }
    for (int i = 0; i < requirement->tests->nelts && !granted; i++) {
        granted = test_granted(r, requirement, &APR_ARRAY_IDX(requirement->tests, i, claim_test), identity);
    }
    return granted < 0 ? AUTHZ_GENERAL_ERROR : clerk_authz_require_record(r, &requirement->base, line, NULL, granted);
}
