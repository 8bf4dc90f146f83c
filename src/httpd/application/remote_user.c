/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/remote_user.h"

#include <apr_strings.h>

#include "clerk/session/claim.h"
#include "httpd/application/claim_hint.h"
#include "httpd/application/user_profile.h"
#include "httpd/config/config.h"
#include "httpd/config/htaccess.h"
#include "httpd/process/log.h"
#include "text/text.h"

/* Where httpd gives up replacing: it counts the NUL, and stops before the limit. */
#define MOST_REPLACED (CLERK_CLAIM_TEXT_MAX + 2)

static int refuse_claim(request_rec *r, const clerk_identity *identity, const char *path, int has_claim)
{
    int level = clerk_httpd_log_message_level(3063);

    ap_log_rerror(APLOG_MARK, level, 0, r,
                  CLERK_LOGNO(3063) "refused: ClerkRemoteUser %s: the session token of user %s %s; add the claim "
                                    "to the session token in the Clerk dashboard (Sessions, Customize session token: "
                                    "%s), or choose one that every user has",
                              path, identity->subject, has_claim ? "has no usable value there" : "has no such claim",
                              clerk_claim_hint_template(path, r->pool));
    return HTTP_FORBIDDEN;
}

static int find_claim(const char **pvalue, request_rec *r, const clerk_identity *identity, const char *path)
{
    const json_t *claim = clerk_claim_find(clerk_identity_claims(identity), path, r->pool);

    *pvalue = json_is_string(claim) || json_is_number(claim) ? clerk_claim_encode(claim, r->pool) : NULL;
    return *pvalue && **pvalue ? OK : refuse_claim(r, identity, path, claim != NULL);
}

static int find_field(const char **pvalue, request_rec *r, const clerk_identity *identity, const char *field)
{
    const clerk_user_profile *found = clerk_user_profile_get(r, identity);
    int level;

    *pvalue = found->profile ? clerk_profile_get_name(found->profile, field, r->pool) : NULL;
    if (*pvalue && **pvalue) {
        return OK;
    }
    if (found->state == CLERK_USER_PROFILE_UNAVAILABLE) {
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, found->retry_after));
        return HTTP_SERVICE_UNAVAILABLE;
    }
    level = clerk_httpd_log_message_level(3203);
    ap_log_rerror(APLOG_MARK, level, 0, r,
                  CLERK_LOGNO(3203) "refused: ClerkRemoteUser user:%s: %s %s has none%s", field,
                              identity->user_id ? "the user" : "the holder of a machine token", identity->subject,
                              strcmp(field, "email") ? ""
                                                     : "; an e-mail address counts only if it is the primary one, "
                                                       "and verified");
    return HTTP_FORBIDDEN;
}

/*
 * Make the name of a value by the expression and the replacement. The value itself is not logged: it may be the address
 * of somebody whom the expression is there to keep out.
 */
static int replace(const char **puser, request_rec *r, const clerk_identity *identity, const clerk_remote_user *wanted,
                   const char *value)
{
    ap_regmatch_t parts[AP_MAX_REG_MATCH];
    int matches = !ap_regexec(wanted->regex, value, AP_MAX_REG_MATCH, parts, 0), level;
    char *user = NULL;

    if (matches
        && ap_pregsub_ex(r->pool, &user, wanted->replacement, value, AP_MAX_REG_MATCH, parts, MOST_REPLACED)
               == APR_SUCCESS
        && user && *user && strlen(user) <= CLERK_CLAIM_TEXT_MAX && clerk_text_is_clean(user)) {
        *puser = user;
        return OK;
    }
    level = clerk_httpd_log_message_level(3300);
    ap_log_rerror(APLOG_MARK, level, 0, r,
                  CLERK_LOGNO(3300) "refused: ClerkRemoteUser %s: the value of user %s %s %s", wanted->path,
                              identity->subject,
                              matches ? "comes to no usable name with the replacement" : "as a whole does not match",
                              matches ? wanted->replacement : wanted->pattern);
    return HTTP_FORBIDDEN;
}

int clerk_remote_user_find(const char **puser, request_rec *r, const clerk_identity *identity)
{
    const clerk_remote_user *wanted = clerk_htaccess_remote_user(clerk_config_dir(r));
    const char *value;
    int rc;

    /* A machine is its subject, whatever claims it was given. */
    if (!wanted || identity->kind != CLERK_TOKEN_SESSION) {
        *puser = apr_pstrdup(r->pool, identity->subject);
        return OK;
    }
    rc = wanted->field ? find_field(&value, r, identity, wanted->field) : find_claim(&value, r, identity, wanted->path);
    if (rc != OK) {
        return rc;
    }
    if (wanted->regex) {
        return replace(puser, r, identity, wanted, value);
    }
    *puser = apr_pstrdup(r->pool, value);
    return OK;
}
