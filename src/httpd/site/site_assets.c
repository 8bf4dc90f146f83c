/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_assets.h"

#include <string.h>

#include <http_protocol.h>

#include "httpd/site/site_content.h"

static const struct {
    const char *name;
    const char *type;
    const char *content;
} assets[] = {
    {"pages.js", "text/javascript; charset=utf-8", clerk_site_pages_js},
    {"form.js", "text/javascript; charset=utf-8", clerk_site_form_js},
    {"pages.css", "text/css; charset=utf-8", clerk_site_pages_css},
};

int clerk_site_assets(request_rec *r, const char *page)
{
    if (r->method_number != M_GET) {
        r->allowed |= AP_METHOD_BIT << M_GET;
        return HTTP_METHOD_NOT_ALLOWED;
    }
    /* The address stays the same when the module is updated. */
    apr_table_setn(r->headers_out, "Cache-Control", "public, max-age=300");
    for (apr_size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++) {
        if (!strcmp(assets[i].name, page)) {
            ap_set_content_type(r, assets[i].type);
            ap_rputs(assets[i].content, r);
        }
    }
    return OK;
}
