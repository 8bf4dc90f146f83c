/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/refusal.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <mod_core.h>
#include <util_filter.h>

#include "clerk/session/claim.h"
#include "clerk/authenticate.h"
#include "httpd/authz/refusal_page.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/request/audit.h"
#include "httpd/request/request_state.h"
#include "httpd/site/site_notice.h"

#define JSON_FILTER "CLERK_REFUSAL_JSON"

static const char *level_name(clerk_factor_level level)
{
    switch (level) {
    case CLERK_FIRST_FACTOR:
        return "first_factor";
    case CLERK_SECOND_FACTOR:
        return "second_factor";
    default:
        return "multi_factor";
    }
}

static const char *reverification_json(const clerk_reverification *unmet, apr_pool_t *pool)
{
    const char *wanted;

    if (unmet->preset) {
        wanted = apr_psprintf(pool, "\"%s\"", unmet->preset);
    } else {
        wanted = apr_psprintf(pool, "{\"level\":\"%s\",\"afterMinutes\":%s}", level_name(unmet->level),
                              clerk_claim_number(unmet->after_minutes, pool));
    }

    return apr_pstrcat(pool,
                       "{\"clerk_error\":{\"type\":\"forbidden\",\"reason\":\"reverification-error\","
                       "\"metadata\":{\"reverification\":",
                       wanted, "}}}", NULL);
}

static int forbid(request_rec *r, const char *reason, const clerk_require_log *log)
{
    if (clerk_audit_log_is_open()) {
        clerk_audit_note_requirements(r, reason, log ? clerk_authz_require_lines(log, 1, r->pool) : NULL,
                                      log ? clerk_authz_require_lines(log, 0, r->pool) : "ClerkRemoteUser");
    }
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    apr_table_unset(r->err_headers_out, "Proxy-Authenticate");
    apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Status", "signed-in");
    apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Reason", reason);
    return HTTP_FORBIDDEN;
}

int clerk_refusal_nameless(request_rec *r, const clerk_identity *identity)
{
    if (clerk_site_notice_is_seen(r, HTTP_FORBIDDEN)) {
        clerk_refusal_page_show(r, identity, NULL);
    }
    return forbid(r, "forbidden", NULL);
}

int clerk_refusal_refuse(request_rec *r, const clerk_identity *identity, const clerk_require_log *log)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  CLERK_LOGNO(3061) "refused: %s", clerk_authz_require_log_text(log, identity, r->pool));
    clerk_verdicts_tick(&clerk_config_runtime(r)->verdicts->forbidden);
    if (clerk_site_notice_is_seen(r, HTTP_FORBIDDEN)) {
        clerk_refusal_page_show(r, identity, log);
    } else if (log->unmet_reverification && !ap_response_code_string(r, ap_index_of_response(HTTP_FORBIDDEN))) {
        ap_custom_response(r, HTTP_FORBIDDEN, reverification_json(log->unmet_reverification, r->pool));
        clerk_request_state_get(r)->json_refusal = 1;
    }
    return forbid(r, log->unmet_reverification ? "reverification-error" : "forbidden", log);
}

/* httpd sends custom responses as text/html; only a filter can change that. */
static apr_status_t json_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    ap_filter_t *next = filter->next;

    ap_set_content_type(filter->r, "application/json");
    ap_remove_output_filter(filter);
    return ap_pass_brigade(next, brigade);
}

static void insert_error_filter(request_rec *r)
{
    if (r->status == HTTP_FORBIDDEN && clerk_request_state_get(r)->json_refusal) {
        ap_add_output_filter(JSON_FILTER, NULL, r, r->connection);
    }
}

void clerk_refusal_register(apr_pool_t *pool)
{
    (void)pool;
    ap_register_output_filter(JSON_FILTER, json_filter, NULL, AP_FTYPE_CONTENT_SET);
    ap_hook_insert_error_filter(insert_error_filter, NULL, NULL, APR_HOOK_MIDDLE);
}
