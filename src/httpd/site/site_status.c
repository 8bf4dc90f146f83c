/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_status.h"

#include <stdlib.h>
#include <string.h>

#include <http_core.h>
#include <http_protocol.h>
#include <jansson.h>

#include "httpd/config/config.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"

static json_t *answer_for(const clerk_identity *identity)
{
    double now = (double)apr_time_now() / APR_USEC_PER_SEC;

    if (!identity) {
        return json_pack("{s:b,s:f}", "signedIn", 0, "now", now);
    }
    return json_pack("{s:b,s:s?,s:s?,s:s?,s:s?,s:s?,s:O?,s:f}", "signedIn", 1, "userId", identity->user_id, "sessionId",
                     identity->session_id, "orgId", identity->org_id, "orgSlug", identity->org_slug, "orgRole",
                     identity->org_role, "expiresAt", json_object_get(clerk_identity_claims(identity), "exp"), "now",
                     now);
}

int clerk_site_status(request_rec *r, const char *page)
{
    const clerk_outcome *outcome;
    json_t *answer;
    char *text;

    (void)page;
    if (r->method_number != M_GET) {
        r->allowed |= AP_METHOD_BIT << M_GET;
        return HTTP_METHOD_NOT_ALLOWED;
    }
    outcome = r->args && !strcmp(r->args, "renew") ? clerk_judge_renewing(r) : clerk_judge_request(r);
    if (outcome && outcome->status == CLERK_UNAVAILABLE) {
        apr_table_setn(r->err_headers_out, "Retry-After", "5");
        return HTTP_SERVICE_UNAVAILABLE;
    }
    clerk_outcome_headers_send(r);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Cross-Origin-Resource-Policy", "same-origin");
    ap_set_content_type(r, "application/json");
    answer = answer_for(outcome && outcome->status == CLERK_SIGNED_IN ? outcome->identity : NULL);
    text = answer ? json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(13)) : NULL;
    json_decref(answer);
    if (!text) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    ap_rputs(text, r);
    ap_rputs("\n", r);
    free(text);
    return OK;
}
