/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_NOTICE_H
#define HTTPD_SITE_SITE_NOTICE_H

#include <httpd.h>

/*
 * Pages that explain an error response to people: the body of a 400, 401 or 403 of ours. An ErrorDocument of the
 * administrator takes precedence. They need no script, and nothing of the site.
 */

/**
 * Whether people will see the response with such a page: the browser shows it as a page (any method counts: the
 * response to a form is a page too), and no ErrorDocument is configured for @a status.
 */
int clerk_site_notice_is_seen(request_rec *r, int status);

/**
 * Make a page the body of the error response, unless an ErrorDocument is configured. The caller returns @a status.
 * @param title plain ASCII, as HTML
 * @param content what follows the title: HTML in ASCII
 */
void clerk_site_notice_show(request_rec *r, int status, const char *title, const char *content);

/** A text for such a page: HTML in ASCII. @param text valid UTF-8, such as a claim. @return from @a pool */
const char *clerk_site_notice_escape(const char *text, apr_pool_t *pool);

/**
 * The path and query of this request as `redirect_url` of a link: without the parameters that this module adds, and
 * without the address that this server assumes.
 * @return from the request's pool; NULL if a link cannot repeat the request: its method is not GET, or it has no URL
 */
const char *clerk_site_notice_here(request_rec *r);

/**
 * The path of one of the module's own pages, with a query.
 * @param page such as "sign-in"
 * @param back its `redirect_url`; NULL: without one
 * @return from the request's pool; NULL without ClerkPages
 */
const char *clerk_site_notice_path(request_rec *r, const char *page, const char *back);

/** A link as a button. @param kind "second" or "". @param href a URL; NULL: no button. @return HTML in ASCII */
const char *clerk_site_notice_button(request_rec *r, const char *kind, const char *href, const char *text);

#endif
