/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/inject/inject_tag.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/site/site.h"
#include "httpd/site/site_clerk_js.h"
#include "httpd/site/site_start.h"

const clerk_inject_tag *clerk_inject_tag_of(request_rec *r)
{
    const clerk_instance *instance = clerk_config_runtime(r)->instance;
    const char *path = clerk_site_path(r, "start.js");
    const char *button = clerk_config_dir(r)->user_button;
    int is_on = clerk_config_dir(r)->inject_script == CLERK_INJECT_ON;
    clerk_inject_tag *tag;
    clerk_site_clerk_js js = {0};
    apr_ssize_t len = APR_HASH_KEY_STRING;
    int level;

    if (!path) {
        level = clerk_httpd_log_message_level(3180);
        ap_log_rerror(
            APLOG_MARK, level, 0, r,
            CLERK_LOGNO(3180) "ClerkInjectScript has no effect without ClerkPages, below which the script is; "
                              "write for example ClerkPages /clerk in the server configuration");
        return NULL;
    }
    if (!instance->publishable_key || ((is_on || instance->proxy_url) && !clerk_site_clerk_js_find(&js, r))) {
        return NULL;
    }
    tag = apr_pcalloc(r->pool, sizeof(*tag));
    tag->attributes = apr_pstrcat(
        r->pool, " src=\"", path, "?", clerk_site_start_version(), "\"",
        clerk_site_clerk_js_attribute("clerk", instance->cookie_suffix, r->pool),
        clerk_site_clerk_js_attribute("renewal", instance->secret_key ? NULL : "frame", r->pool),
        is_on ? js.attributes : clerk_site_clerk_js_attribute("proxy", js.proxy, r->pool),
        clerk_site_clerk_js_attribute("button", is_on && button && *button ? button : NULL, r->pool), NULL);
    apr_snprintf(tag->mark, sizeof(tag->mark), "-clerk%08x", apr_hashfunc_default(tag->attributes, &len));
    return tag;
}

const char *clerk_inject_tag_text(request_rec *r, const clerk_inject_tag *tag, const char *nonce)
{
    return apr_pstrcat(r->pool, "<script", tag->attributes, nonce ? " nonce=\"" : "",
                       nonce ? ap_escape_html2(r->pool, nonce, 1) : "", nonce ? "\"" : "", "></script>", NULL);
}
