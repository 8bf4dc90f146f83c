/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/facts.h"

#include <apr_strings.h>

#include "clerk/claim_path.h"
#include "httpd/config.h"
#include "httpd/log.h"

const char *const clerk_fact_names[] = {
    "CLERK_AUTH_STATUS", "CLERK_TOKEN_TYPE", "CLERK_USER_ID", "CLERK_SESSION_ID", "CLERK_SESSION_STATUS",
    "CLERK_ORG_ID", "CLERK_ORG_SLUG", "CLERK_ORG_ROLE", "CLERK_ORG_PERMISSIONS", "CLERK_FEATURES", "CLERK_PLANS",
    "CLERK_FACTOR_AGE", "CLERK_ACTOR_ID", NULL
};

/** Each name is set once, so that there is nothing to look for. */
static void set(apr_table_t *facts, const char *name, const char *value)
{
    if (value) {
        apr_table_addn(facts, name, value);
    }
}

static void set_list(request_rec *r, apr_table_t *facts, const char *name, const char *value)
{
    if (value && strlen(value) > CLERK_FACT_MAX) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      CLERK_LOGNO(3064) "%s is left out: it is longer than %d bytes", name, CLERK_FACT_MAX);
        return;
    }
    set(facts, name, value);
}

static void set_claims(request_rec *r, apr_table_t *facts, const clerk_identity *identity)
{
    const apr_array_header_t *exports = clerk_config_dir(r)->export_claims;

    for (int i = 0; exports && i < exports->nelts; i++) {
        const clerk_export *wanted = &APR_ARRAY_IDX(exports, i, clerk_export);
        const json_t *claim = clerk_claim_find(identity->claims, wanted->path, r->pool);
        const char *text = clerk_claim_encode(claim, r->pool);

        if (claim && !text) {
            ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                          CLERK_LOGNO(3065) "the claim %s is left out: it has control characters, or is longer than %d "
                          "bytes", wanted->path, CLERK_CLAIM_TEXT_MAX);
        }
        /* Two paths may have been given one name; the last one counts. */
        if (text) {
            apr_table_setn(facts, wanted->name, text);
        }
    }
}

const apr_table_t *clerk_facts(request_rec *r, const clerk_identity *identity)
{
    apr_table_t *facts = apr_table_make(r->pool, 20);

    if (!identity) {
        set(facts, "CLERK_AUTH_STATUS", "signed-out");
        return facts;
    }
    set(facts, "CLERK_AUTH_STATUS", "signed-in");
    set(facts, "CLERK_TOKEN_TYPE", "session_token");
    set(facts, "CLERK_USER_ID", identity->user_id);
    set(facts, "CLERK_SESSION_ID", identity->session_id);
    set(facts, "CLERK_SESSION_STATUS", identity->session_status);
    set(facts, "CLERK_ORG_ID", identity->org_id);
    set(facts, "CLERK_ORG_SLUG", identity->org_slug);
    set(facts, "CLERK_ORG_ROLE", identity->org_role);
    set_list(r, facts, "CLERK_ORG_PERMISSIONS", identity->org_permissions_text);
    set_list(r, facts, "CLERK_FEATURES", identity->features_text);
    set_list(r, facts, "CLERK_PLANS", identity->plans_text);
    set(facts, "CLERK_FACTOR_AGE", identity->factor_age_text);
    set(facts, "CLERK_ACTOR_ID", identity->actor_id);
    set_claims(r, facts, identity);
    return facts;
}

const char *clerk_fact(request_rec *r, const clerk_identity *identity, const char *name)
{
    return apr_table_get(clerk_facts(r, identity), name);
}

const char *clerk_remote_user(request_rec *r, const clerk_identity *identity)
{
    const char *path = clerk_config_dir(r)->remote_user, *user;
    const json_t *claim;

    if (!path) {
        return apr_pstrdup(r->pool, identity->user_id);
    }
    claim = clerk_claim_find(identity->claims, path, r->pool);
    user = json_is_string(claim) || json_is_number(claim) ? clerk_claim_encode(claim, r->pool) : NULL;
    if (!user || !*user) {
        int level = clerk_httpd_message_level();

        ap_log_rerror(APLOG_MARK, level, 0, r,
                      CLERK_LOGNO(3063) "refused: ClerkRemoteUser %s: the session token of user %s %s; add the claim "
                      "to the session token in the Clerk dashboard, or choose one that every user has", path,
                      identity->user_id, claim ? "has no usable name there" : "has no such claim");
        return NULL;
    }
    return apr_pstrdup(r->pool, user);
}
