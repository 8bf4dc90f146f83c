/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_CLERK_JS_H
#define HTTPD_SITE_SITE_CLERK_JS_H

#include <httpd.h>

/** Where a page of ours loads ClerkJS and Clerk's components from. All of it is from the request's pool. */
typedef struct clerk_site_clerk_js {
    const char *script, *ui;   /**< URLs */
    const char *proxy;         /**< ClerkProxyURL, absolute; NULL: none */
    const char *frontend;      /**< the origin of the frontend API as browsers reach it; "" for this site's own */
    const char *script_origin; /**< the origins of the scripts, for a Content-Security-Policy; "" for this site's own */
    const char *ui_origin;
    const char
        *attributes; /**< HTML: the data attributes key, proxy, domain, script and ui, for the page's own script */
} clerk_site_clerk_js;

/** Find that out for the instance of this request. @return whether there is a frontend API and a publishable key */
int clerk_site_clerk_js_find(clerk_site_clerk_js *js, request_rec *r);

/** HTML: a data attribute with a space in front; "" if there is no value. */
const char *clerk_site_clerk_js_attribute(const char *name, const char *value, apr_pool_t *pool);

#endif
