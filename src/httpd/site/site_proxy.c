/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_proxy.h"

#include <string.h>

#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <mod_proxy.h>
#include <util_filter.h>

#include "clerk/url/origin.h"
#include "clerk/url/url.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/request/wire.h"
#include "text/text.h"

/* Clerk's frontend API for those who forward it below a path of their own (protocol.md 15). */
#define CLERKS_UPSTREAM "https://frontend-api.clerk.dev"
#define SECRET_KEY "Clerk-Secret-Key"
#define FILTER "CLERK_PROXY_SECRET"

/* Whether a URL is below an origin, or a path below another. */
static int is_below(const char *text, const char *base)
{
    const size_t len = strlen(base);

    return !strncmp(text, base, len) && (!text[len] || text[len] == '/');
}

/* The URL of ClerkProxyURL if the request is below its path; else NULL. */
static const char *proxy_url_of(request_rec *r, const clerk_instance *instance)
{
    const char *proxy_url = instance->proxy_url;
    const clerk_url *url;
    clerk_request request;

    if (!proxy_url || !r->uri) {
        return NULL;
    }
    if (*proxy_url == '/') {
        if (!is_below(r->uri, proxy_url)) {
            return NULL;
        }
        clerk_wire_read_all(&request, r);
        return apr_pstrcat(r->pool, request.origin_url, proxy_url, NULL);
    }
    url = clerk_url_parse(proxy_url, r->pool);
    return url && is_below(r->uri, url->path) ? proxy_url : NULL;
}

/* Where mod_proxy sends the request, if the secret key may go there; else NULL. */
static const char *upstream_of(const request_rec *r, const clerk_instance *instance)
{
    static const char proxied[] = "proxy:";
    const char *url
        = r->filename && clerk_text_begins_with(r->filename, proxied) ? r->filename + sizeof(proxied) - 1 : "";

    if (is_below(url, CLERKS_UPSTREAM)) {
        return CLERKS_UPSTREAM;
    }
    return instance->frontend_url && is_below(url, instance->frontend_url) ? instance->frontend_url : NULL;
}

/* Whether a section of the configuration is in force for a request to @a upstream. */
static int is_in_force(const ap_directive_t *section, const request_rec *r, const char *upstream)
{
    const server_rec *server = r->server;
    const char *args, *url;

    if (!strcasecmp(section->directive, "<VirtualHost")) {
        return server->defn_name && !strcmp(section->filename, server->defn_name)
               && section->line_num == (int)server->defn_line_number;
    }
    if (strcasecmp(section->directive, "<Proxy")) {
        return 0;
    }
    args = apr_pstrndup(r->pool, section->args, strcspn(section->args, ">"));
    url = ap_getword_conf(r->pool, &args);
    return *url && clerk_text_begins_with(upstream, url);
}

/* Whether mod_ssl verifies the certificate of @a upstream: by default it does not. The last SSLProxyVerify counts. */
static int is_verified(const ap_directive_t *at, const request_rec *r, const char *upstream, int inherited)
{
    int verified = inherited;

    for (const ap_directive_t *next = at; next; next = next->next) {
        if (!strcasecmp(next->directive, "SSLProxyVerify")) {
            verified = !strcasecmp(next->args, "require");
        }
    }
    /* What a section says takes precedence over what is around it. */
    for (const ap_directive_t *next = at; next; next = next->next) {
        if (next->first_child && is_in_force(next, r, upstream)) {
            verified = is_verified(next->first_child, r, upstream, verified);
        }
    }
    return verified;
}

static int may_have_secret(const request_rec *r, const char *upstream)
{
    const clerk_url *url = clerk_url_parse(upstream, r->pool);
    int level;

    if (r->method_number == M_TRACE || !url) {
        return 0;
    }
    if (clerk_origin_is_loopback(url) || is_verified(ap_conftree, r, upstream, 0)) {
        return 1;
    }
    level = clerk_httpd_log_message_level(3220);
    ap_log_rerror(
        APLOG_MARK, level, 0, r,
        CLERK_LOGNO(3220) "the secret key is not sent to %s, because mod_ssl would not verify its certificate: "
                          "write SSLProxyVerify require and SSLProxyCACertificateFile there, as "
                          "docs/recipes/frontend-api.conf does",
                    upstream);
    return 0;
}

static void set_headers(request_rec *r, const char *proxy_url)
{
    const clerk_url *url = clerk_url_parse(proxy_url, r->pool);

    apr_table_unset(r->headers_in, SECRET_KEY);
    apr_table_setn(r->headers_in, "Clerk-Proxy-Url", proxy_url);
    apr_table_setn(r->headers_in, "Accept-Encoding", "identity");
    /* mod_proxy appends the address and the host that it sees to what a client has sent. */
    apr_table_unset(r->headers_in, "X-Forwarded-For");
    apr_table_unset(r->headers_in, "X-Forwarded-Host");
    if (url) {
        apr_table_setn(r->headers_in, "X-Forwarded-Proto", url->scheme);
    }
}

int clerk_site_proxy_prepare(request_rec *r)
{
    const clerk_runtime *runtime = r->main ? NULL : clerk_config_runtime(r);
    const char *proxy_url = runtime ? proxy_url_of(r, runtime->instance) : NULL;
    const char *upstream = proxy_url ? upstream_of(r, runtime->instance) : NULL;

    if (!upstream) {
        return 0;
    }
    set_headers(r, proxy_url);
    return 1;
}

/*
 * A hook of mod_proxy, which runs it with a copy of the header fields, sends that and drops it. So the key is not in
 * the request itself, where the program of an ErrorDocument, mod_cache's files and logs would find it.
 */
static int add_secret(request_rec *r)
{
    const clerk_runtime *runtime = r->main || r->proxyreq != PROXYREQ_REVERSE ? NULL : clerk_config_runtime(r);
    const clerk_instance *instance = runtime ? runtime->instance : NULL;
    const char *upstream
        = instance && instance->secret_key && proxy_url_of(r, instance) ? upstream_of(r, instance) : NULL;

    if (!upstream || !may_have_secret(r, upstream)) {
        return DECLINED;
    }
    apr_table_setn(r->headers_in, SECRET_KEY, instance->secret_key);
    ap_add_output_filter(FILTER, NULL, r, r->connection);
    return OK;
}

/* Early releases of httpd 2.4 copy the fields only after that hook: when the response begins, they have been sent. */
static apr_status_t forget_secret(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    ap_filter_t *next = filter->next;

    apr_table_unset(filter->r->headers_in, SECRET_KEY);
    ap_remove_output_filter(filter);
    return ap_pass_brigade(next, brigade);
}

/* A hook of mod_proxy, when it is done: an error has no response that goes through the filter. */
static int forget_secret_at_end(int *status, request_rec *r)
{
    const clerk_runtime *runtime = clerk_config_runtime(r);

    if (runtime && proxy_url_of(r, runtime->instance)) {
        apr_table_unset(r->headers_in, SECRET_KEY);
    }
    (void)status;
    return DECLINED;
}

void clerk_site_proxy_register(void)
{
    /* Of this type, so that it is before mod_cache's. */
    ap_register_output_filter(FILTER, forget_secret, NULL, AP_FTYPE_RESOURCE);
    APR_OPTIONAL_HOOK(proxy, fixups, add_secret, NULL, NULL, APR_HOOK_REALLY_LAST);
    APR_OPTIONAL_HOOK(proxy, request_status, forget_secret_at_end, NULL, NULL, APR_HOOK_MIDDLE);
}
