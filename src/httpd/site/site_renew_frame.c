/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_renew_frame.h"

#include <http_core.h>
#include <http_protocol.h>

#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"

int clerk_site_renew_frame(request_rec *r, const char *page)
{
    const clerk_outcome *outcome;

    (void)page;
    if (r->method_number != M_GET) {
        r->allowed |= AP_METHOD_BIT << M_GET;
        return HTTP_METHOD_NOT_ALLOWED;
    }
    outcome = clerk_judge_renewing(r);
    clerk_outcome_headers_send(r);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    if (outcome && outcome->location) {
        apr_table_setn(r->headers_out, "Location", outcome->location);
        return HTTP_TEMPORARY_REDIRECT;
    }
    apr_table_setn(r->headers_out, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'self'");
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_rputs("<!doctype html><title>renewed</title>\n", r);
    return OK;
}
