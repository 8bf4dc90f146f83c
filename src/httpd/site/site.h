/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_H
#define HTTPD_SITE_SITE_H

#include <httpd.h>

/*
 * The module's own pages below ClerkPages (directives.md "Pages"): open to everybody, whatever protects the rest of the
 * site, and answered without any file.
 */

/** Find out whether any server has pages; where none has, the hooks cost next to nothing. In check_config. */
void clerk_site_configure(const server_rec *servers);

/** translate_name and map_to_storage hook: a page of ours has no file, and no other module maps it to one. */
int clerk_site_translate(request_rec *r);

/** access_checker_ex hook: a page of ours is open, and so is the frontend API below ClerkProxyURL. */
int clerk_site_open(request_rec *r);

/** The handler. */
int clerk_site_handler(request_rec *r);

/** Whether a request is for a page of ours. */
int clerk_site_is_page(const request_rec *r);

/**
 * The URL path of a page, such as "/clerk/sign-in", for links.
 * @param name such as "sign-in"
 * @return from the request's pool; NULL without ClerkPages
 */
const char *clerk_site_path(request_rec *r, const char *name);

#endif
