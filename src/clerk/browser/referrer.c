/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/referrer.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "text/text.h"

/* Whether a host is the Account Portal of a development instance, of any Clerk customer. */
static int is_development_portal(const char *host)
{
    static const char *const legacy[] = {".lcl.dev", ".lclstage.dev", ".lclclerk.com"};
    static const char *const current[][2] = {{".accounts.dev", ".clerk.accounts.dev"},
                                             {".accountsstage.dev", ".clerk.accountsstage.dev"},
                                             {".accounts.lclclerk.com", ".clerk.accounts.lclclerk.com"}};

    for (apr_size_t i = 0; i < sizeof(legacy) / sizeof(legacy[0]); i++) {
        if (clerk_text_begins_with(host, "accounts.") && clerk_text_ends_with(host, legacy[i])) {
            return 1;
        }
    }
    for (apr_size_t i = 0; i < sizeof(current) / sizeof(current[0]); i++) {
        if (clerk_text_ends_with(host, current[i][0]) && !clerk_text_ends_with(host, current[i][1])) {
            return 1;
        }
    }
    return 0;
}

/* Whether a host is the frontend API's; scheme and port do not matter. */
static int is_frontend_host(const clerk_context *context, const char *host)
{
    const clerk_instance *instance = context->instance;
    const clerk_url *frontend;

    if (instance->proxy_url && instance->proxy_url[0] == '/') {
        return !strcmp(host, context->url->host);
    }
    frontend = clerk_url_parse(instance->proxy_url ? instance->proxy_url : instance->frontend_url, context->pool);
    return frontend && !strcmp(host, frontend->host);
}

/* The text after `http:` or `https:`, or NULL. */
static const char *after_our_scheme(const char *text)
{
    if (!strncasecmp(text, "http:", 5)) {
        return text + 5;
    }
    return !strncasecmp(text, "https:", 6) ? text + 6 : NULL;
}

/* The URL standard takes any number of slashes and backslashes after the scheme, also none, for the two of an http URL.
 * No browser sends a referrer so, but the SDK reads it. */
static const clerk_url *parse_http(const char *text, const char *rest, apr_pool_t *pool)
{
    const char *scheme = apr_pstrmemdup(pool, text, (apr_size_t)(rest - text));

    return clerk_url_parse(apr_pstrcat(pool, scheme, "//", rest + strspn(rest, "/\\"), NULL), pool);
}

/* Whether a text is a URL of whatever scheme: `scheme:`. */
static int has_scheme(const char *text)
{
    const char *p = text;

    while (clerk_text_is_alnum(*p) || *p == '+' || *p == '-' || *p == '.') {
        p++;
    }
    return *p == ':' && clerk_text_is_alnum(*text) && !clerk_text_is_digit(*text);
}

int clerk_referrer_is_foreign(clerk_context *context)
{
    const char *text = clerk_context_page(context)->referer;
    const clerk_instance *instance = context->instance;
    const clerk_url *referrer;
    const char *rest;

    if (!text || !clerk_context_url(context)) {
        return 0;
    }
    rest = after_our_scheme(text);
    if (!rest) {
        return has_scheme(text);
    }
    referrer = parse_http(text, rest, context->pool);
    if (!referrer) {
        return 0;
    }
    if (!strcmp(referrer->origin, context->url->origin) || is_frontend_host(context, referrer->host)) {
        return 0;
    }
    if (instance->type != CLERK_INSTANCE_PRODUCTION && is_development_portal(referrer->host)) {
        return 0;
    }
    /* With a proxy URL the SDK does not know the Account Portal and makes one more handshake (protocol.md 9.5). */
    return instance->proxy_url || strcmp(referrer->origin, instance->account_portal);
}
