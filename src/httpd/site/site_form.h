/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_FORM_H
#define HTTPD_SITE_SITE_FORM_H

#include <httpd.h>

#include "clerk/outcome.h"

/*
 * Forms that outlive the session (ClerkKeepForms): the response to a form whose session has expired is a page that has
 * the fields in it. It renews the session by ClerkJS, and then the browser sends the same form to the same address
 * again. Where the form cannot be kept, the page says so.
 *
 * A form that another site has sent gets no such page: it would come back from this site, with the cookies that
 * SameSite withheld. The fields are nowhere but in that page: not in a file, a cache, a log line, or script.
 */

/**
 * If this request is such a form, make the page the body of the error response @a status. Reads the body of the
 * request, so the request must be answered with an error.
 * @param outcome signed out, or undecided
 * @return @a status; another one if the body cannot be read
 */
int clerk_site_form_keep(request_rec *r, int status, const clerk_outcome *outcome);

/** Register the filter that gives the page its character encoding. */
void clerk_site_form_register(void);

#endif
