/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/claim_hint.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/session/claim.h"
#include "httpd/process/hints.h"
#include "httpd/process/log.h"

/* The name of the outermost claim of a path. Names that are URLs have dots of their own. */
static const char *claim_of(const char *path, apr_pool_t *pool)
{
    const char *dot = strchr(path, '.');

    return dot && !strstr(path, "://") ? apr_pstrmemdup(pool, path, (apr_size_t)(dot - path)) : path;
}

static const char *shortcode_of(const char *claim, apr_pool_t *pool)
{
    static const char *const known[][2] = {
        {"email", "user.primary_email_address"},    {"username", "user.username"},     {"name", "user.full_name"},
        {"external_id", "user.external_id"},        {"first_name", "user.first_name"}, {"last_name", "user.last_name"},
        {"metadata", "user.public_metadata"},       {"image_url", "user.image_url"},   {"picture", "user.image_url"},
        {"public_metadata", "user.public_metadata"}};

    for (apr_size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!strcmp(known[i][0], claim)) {
            return known[i][1];
        }
    }
    return strstr(claim, "://") ? "user.public_metadata" : apr_pstrcat(pool, "user.public_metadata.", claim, NULL);
}

const char *clerk_claim_hint_template(const char *path, apr_pool_t *pool)
{
    const char *claim = claim_of(path, pool);

    return apr_psprintf(pool, "{\"%s\": \"{{%s}}\"}", claim, shortcode_of(claim, pool));
}

/* Whether Clerk sets a claim without being told. */
static int is_clerks_own(const char *claim)
{
    static const char *const own[] = {"act", "azp", "exp", "fea",    "fva",      "iat",      "iss",
                                      "jti", "nbf", "o",   "org_id", "org_role", "org_slug", "org_permissions",
                                      "pla", "sid", "sts", "sub",    "v"};

    for (apr_size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (!strcmp(own[i], claim)) {
            return 1;
        }
    }
    return 0;
}

void clerk_claim_hint_give(request_rec *r, const clerk_identity *identity, const clerk_export *wanted)
{
    /* A claim that is null is there: this user has no value for it. */
    if (identity->kind != CLERK_TOKEN_SESSION || is_clerks_own(claim_of(wanted->path, r->pool))
        || clerk_claim_exists(clerk_identity_claims(identity), wanted->path, r->pool)
        || !clerk_hints_take(wanted->hint)) {
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r,
                  CLERK_LOGNO(3302) "ClerkExportClaim %s: the session token of user %s has no such claim, so %s is not "
                                    "set; for a claim in every token, write in the Clerk dashboard (Sessions, "
                                    "Customize session token): %s. This is said once for this directive",
                              wanted->path, identity->subject, wanted->name,
                              clerk_claim_hint_template(wanted->path, r->pool));
}
