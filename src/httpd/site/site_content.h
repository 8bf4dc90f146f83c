/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_CONTENT_H
#define HTTPD_SITE_SITE_CONTENT_H

/*
 * The scripts and style sheets of src/httpd/site/assets, as strings. assets/embed.awk writes site_content.c when the
 * module is built.
 */

extern const char clerk_site_pages_js[];   /**< of the pages below ClerkPages */
extern const char clerk_site_form_js[];    /**< of the page that keeps a form */
extern const char clerk_site_start_js[];   /**< of the application's pages: ClerkInjectScript */
extern const char clerk_site_pages_css[];  /**< of the pages below ClerkPages, and of the one that keeps a form */
extern const char clerk_site_notice_css[]; /**< of 401 and 403, within the page. ASCII */
extern const char clerk_site_status_css[]; /**< of the status page, within it */

#endif
