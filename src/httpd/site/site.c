/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>

#include "httpd/config/config.h"
#include "httpd/site/site_assets.h"
#include "httpd/site/site_frame.h"
#include "httpd/site/site_proxy.h"
#include "httpd/site/site_renew_frame.h"
#include "httpd/site/site_sign_out.h"
#include "httpd/site/site_start.h"
#include "httpd/site/site_status.h"

static const struct {
    const char *name;
    int (*answer)(request_rec *r, const char *page);
} pages[] = {
    {"sign-in", clerk_site_frame},           {"sign-up", clerk_site_frame},      {"account", clerk_site_frame},
    {"organization", clerk_site_frame},      {"renew", clerk_site_frame},        {"sign-out", clerk_site_sign_out},
    {"signed-in", clerk_site_frame},         {"status.json", clerk_site_status}, {"pages.js", clerk_site_assets},
    {"form.js", clerk_site_assets},          {"pages.css", clerk_site_assets},   {"start.js", clerk_site_start},
    {"renew-frame", clerk_site_renew_frame},
};

/* Set before there are threads. */
static int has_pages;

void clerk_site_configure(const server_rec *servers)
{
    clerk_site_start_prepare();
    has_pages = 0;
    for (; servers; servers = servers->next) {
        const char *prefix = clerk_config_server(servers)->pages;

        has_pages = has_pages || (prefix && *prefix);
    }
}

/* The index of the page that a request is for, or -1. */
static int page_of(const request_rec *r)
{
    const char *prefix;
    apr_size_t len;

    if (!has_pages) {
        return -1;
    }
    prefix = clerk_config_server(r->server)->pages;
    if (!prefix || !*prefix || !r->uri || r->proxyreq == PROXYREQ_PROXY) {
        return -1;
    }
    len = strlen(prefix);
    if (strncmp(r->uri, prefix, len) || r->uri[len] != '/') {
        return -1;
    }
    for (apr_size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (!strcmp(r->uri + len + 1, pages[i].name)) {
            return (int)i;
        }
    }
    return -1;
}

int clerk_site_is_page(const request_rec *r)
{
    return page_of(r) >= 0;
}

const char *clerk_site_path(request_rec *r, const char *name)
{
    const char *prefix = clerk_config_server(r->server)->pages;

    return prefix && *prefix ? apr_pstrcat(r->pool, prefix, "/", name, NULL) : NULL;
}

int clerk_site_translate(request_rec *r)
{
    if (page_of(r) < 0) {
        return DECLINED;
    }
    /* Others look at the name; none of them finds a file. */
    r->filename = apr_pstrcat(r->pool, "clerk:", r->uri, NULL);
    return OK;
}

int clerk_site_open(request_rec *r)
{
    return page_of(r) >= 0 || (r->proxyreq == PROXYREQ_REVERSE && clerk_site_proxy_prepare(r)) ? OK : DECLINED;
}

int clerk_site_handler(request_rec *r)
{
    int page = page_of(r);

    if (page < 0) {
        return DECLINED;
    }
    if (!clerk_config_runtime(r)) {
        return HTTP_NOT_FOUND;
    }
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    return pages[page].answer(r, pages[page].name);
}
