/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_SCRUB_H
#define HTTPD_REQUEST_SCRUB_H

#include <httpd.h>

/*
 * Fields of a request that an application could take for ours (X-Clerk-*, Remote-User) are removed before any other
 * module looks at them, in every spelling that CGI or a proxied application folds together.
 */

/** Register what clerk_scrub_request() needs. */
void clerk_scrub_register(apr_pool_t *pool);

/**
 * post_read_request hook: remove such fields of the client's request, and, with MergeTrailers On, make sure that none
 * of its trailers becomes one after the body was read.
 */
int clerk_scrub_request(request_rec *r);

#endif
