/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/variables.h"

#include <apr_strings.h>

#include "clerk/session/claim.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"

const char *const clerk_variable_names[] = {"CLERK_AUTH_STATUS",     "CLERK_TOKEN_TYPE",
                                            "CLERK_USER_ID",         "CLERK_SESSION_ID",
                                            "CLERK_SESSION_STATUS",  "CLERK_ORG_ID",
                                            "CLERK_ORG_SLUG",        "CLERK_ORG_ROLE",
                                            "CLERK_ORG_PERMISSIONS", "CLERK_FEATURES",
                                            "CLERK_PLANS",           "CLERK_FACTOR_AGE",
                                            "CLERK_ACTOR_ID",        NULL};

/** Where the facts of one identity go. */
typedef struct teller {
    request_rec *r;
    clerk_variable_sink *sink;
    void *data;
} teller;

static void tell(const teller *to, const char *name, const char *value)
{
    if (value) {
        to->sink(to->data, name, value);
    }
}

static void tell_list(const teller *to, const char *name, const char *value)
{
    if (value && strlen(value) > CLERK_VARIABLE_MAX) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, to->r,
                      CLERK_LOGNO(3064) "%s is left out: it is longer than %d bytes", name, CLERK_VARIABLE_MAX);
        return;
    }
    tell(to, name, value);
}

static int tell_claim(void *to, const char *name, const char *value)
{
    tell(to, name, value);
    return 1;
}

static void tell_claims(teller *to, const clerk_identity *identity)
{
    const apr_array_header_t *exports = clerk_config_dir(to->r)->export_claims;
    apr_table_t *claims;

    if (!exports || !exports->nelts) {
        return;
    }
    claims = apr_table_make(to->r->pool, exports->nelts);
    for (int i = 0; i < exports->nelts; i++) {
        const clerk_export *wanted = &APR_ARRAY_IDX(exports, i, clerk_export);
        const json_t *claim = clerk_claim_find(clerk_identity_claims(identity), wanted->path, to->r->pool);
        const char *text = clerk_claim_encode(claim, to->r->pool);

        if (claim && !text) {
            ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, to->r,
                          CLERK_LOGNO(3065) "the claim %s is left out: it has control characters, or is longer than %d "
                                            "bytes",
                                      wanted->path, CLERK_CLAIM_TEXT_MAX);
        }
        /* Two paths may have been given one name; the last one counts. */
        if (text) {
            apr_table_setn(claims, wanted->name, text);
        }
    }
    apr_table_do(tell_claim, to, claims, NULL);
}

static void tell_own(const teller *to, const clerk_identity *identity)
{
    if (!identity) {
        tell(to, "CLERK_AUTH_STATUS", "signed-out");
        return;
    }
    tell(to, "CLERK_AUTH_STATUS", "signed-in");
    tell(to, "CLERK_TOKEN_TYPE", "session_token");
    tell(to, "CLERK_USER_ID", identity->user_id);
    tell(to, "CLERK_SESSION_ID", identity->session_id);
    tell(to, "CLERK_SESSION_STATUS", identity->session_status);
    tell(to, "CLERK_ORG_ID", identity->org_id);
    tell(to, "CLERK_ORG_SLUG", identity->org_slug);
    tell(to, "CLERK_ORG_ROLE", identity->org_role);
    tell_list(to, "CLERK_ORG_PERMISSIONS", identity->org_permissions_text);
    tell_list(to, "CLERK_FEATURES", identity->features);
    tell_list(to, "CLERK_PLANS", identity->plans);
    tell(to, "CLERK_FACTOR_AGE", identity->factor_age_text);
    tell(to, "CLERK_ACTOR_ID", identity->actor_id);
}

void clerk_variables_each(request_rec *r, const clerk_identity *identity, clerk_variable_sink *sink, void *data)
{
    teller to = {r, sink, data};

    tell_own(&to, identity);
    if (identity) {
        tell_claims(&to, identity);
    }
}

/** One fact that is looked for. */
typedef struct wanted_fact {
    const char *name;
    const char *value;
} wanted_fact;

static void look_for(void *data, const char *name, const char *value)
{
    wanted_fact *wanted = data;

    if (!strcmp(name, wanted->name)) {
        wanted->value = value;
    }
}

const char *clerk_variables_get(request_rec *r, const clerk_identity *identity, const char *name)
{
    wanted_fact wanted = {name, NULL};
    teller to = {r, look_for, &wanted};

    tell_own(&to, identity);
    return wanted.value;
}

const char *clerk_variables_remote_user(request_rec *r, const clerk_identity *identity)
{
    const char *path = clerk_config_dir(r)->remote_user, *user;
    const json_t *claim;

    if (!path) {
        return apr_pstrdup(r->pool, identity->user_id);
    }
    claim = clerk_claim_find(clerk_identity_claims(identity), path, r->pool);
    user = json_is_string(claim) || json_is_number(claim) ? clerk_claim_encode(claim, r->pool) : NULL;
    if (!user || !*user) {
        int level = clerk_httpd_log_message_level(3063);

        ap_log_rerror(
            APLOG_MARK, level, 0, r,
            CLERK_LOGNO(3063) "refused: ClerkRemoteUser %s: the session token of user %s %s; add the claim "
                              "to the session token in the Clerk dashboard, or choose one that every user has",
                        path, identity->user_id, claim ? "has no usable name there" : "has no such claim");
        return NULL;
    }
    return apr_pstrdup(r->pool, user);
}
