/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_start.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/site/site_content.h"

/* Set before there are threads. */
static char version[sizeof("v=00000000")];

void clerk_site_start_prepare(void)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;

    apr_snprintf(version, sizeof(version), "v=%08x", apr_hashfunc_default(clerk_site_start_js, &len));
}

const char *clerk_site_start_version(void)
{
    return version;
}

int clerk_site_start(request_rec *r, const char *page)
{
    int is_current = r->args && !strcmp(r->args, version);

    (void)page;
    if (r->method_number != M_GET) {
        r->allowed |= AP_METHOD_BIT << M_GET;
        return HTTP_METHOD_NOT_ALLOWED;
    }
    /* Pages name the version, so a browser may keep it for good. */
    apr_table_setn(r->headers_out, "Cache-Control",
                   is_current ? "public, max-age=31536000, immutable" : "public, max-age=300");
    apr_table_setn(r->headers_out, "Cross-Origin-Resource-Policy", "same-origin");
    ap_set_content_type(r, "text/javascript; charset=utf-8");
    ap_rputs(clerk_site_start_js, r);
    return OK;
}
