/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_FORM_SCRIPT_H
#define HTTPD_SITE_SITE_FORM_SCRIPT_H

/** form.js: the script of the page that keeps a form. */
extern const char clerk_site_form_script[];

/** The name of the BroadcastChannel by which the page `signed-in` tells it of a sign-in. JavaScript. */
#define CLERK_SITE_FORM_CHANNEL "'clerk-signed-in'"

#endif
