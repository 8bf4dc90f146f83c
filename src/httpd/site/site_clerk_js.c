/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_clerk_js.h"

#include <apr_strings.h>

#include "clerk/url/url.h"
#include "httpd/config/config.h"
#include "httpd/request/wire.h"

/* The base of Clerk's frontend API as browsers reach it, without a final '/'. */
static const char *frontend_base(request_rec *r, const clerk_instance *instance)
{
    clerk_request request;

    if (!instance->proxy_url) {
        return instance->frontend_url;
    }
    if (*instance->proxy_url != '/') {
        return instance->proxy_url;
    }
    clerk_wire_read_all(&request, r);
    return apr_pstrcat(r->pool, request.origin_url, instance->proxy_url, NULL);
}

static const char *origin_of(const char *url, apr_pool_t *pool)
{
    const clerk_url *parsed = *url != '/' ? clerk_url_parse(url, pool) : NULL;

    return parsed ? parsed->origin : "";
}

const char *clerk_site_clerk_js_attribute(const char *name, const char *value, apr_pool_t *pool)
{
    return value ? apr_pstrcat(pool, " data-", name, "=\"", ap_escape_html2(pool, value, 1), "\"", NULL) : "";
}

int clerk_site_clerk_js_find(clerk_site_clerk_js *js, request_rec *r)
{
    const clerk_runtime *runtime = clerk_config_runtime(r);
    const clerk_instance *instance = runtime->instance;
    const char *base = frontend_base(r, instance);

    if (!instance->publishable_key || !base) {
        return 0;
    }
    js->script = runtime->script_url ? runtime->script_url
                                     : apr_pstrcat(r->pool, base, "/npm/@clerk/clerk-js@6/dist/clerk.browser.js", NULL);
    js->ui = runtime->ui_script_url ? runtime->ui_script_url
                                    : apr_pstrcat(r->pool, base, "/npm/@clerk/ui@1/dist/ui.browser.js", NULL);
    js->proxy = instance->proxy_url ? base : NULL;
    js->frontend = origin_of(base, r->pool);
    js->script_origin = origin_of(js->script, r->pool);
    js->ui_origin = origin_of(js->ui, r->pool);
    js->attributes
        = apr_pstrcat(r->pool, clerk_site_clerk_js_attribute("key", instance->publishable_key, r->pool),
                      clerk_site_clerk_js_attribute("proxy", js->proxy, r->pool),
                      clerk_site_clerk_js_attribute("domain", instance->satellite ? instance->domain : NULL, r->pool),
                      clerk_site_clerk_js_attribute("satellite", instance->satellite ? "1" : NULL, r->pool),
                      clerk_site_clerk_js_attribute("script", js->script, r->pool),
                      clerk_site_clerk_js_attribute("ui", js->ui, r->pool), NULL);
    return 1;
}
