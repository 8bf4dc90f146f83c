/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_REQUEST_REQUEST_BODY_H
#define HTTPD_REQUEST_REQUEST_BODY_H

#include <httpd.h>

/** What was read of a request's body, in the request's pool. */
typedef struct clerk_request_body {
    char *data; /**< NULL: it was not read; not terminated */
    apr_size_t len;
    apr_size_t room;
    int is_whole; /**< it ends here */
} clerk_request_body;

/**
 * Read the body, to its end or until more than @a most bytes are there.
 * @param body zeroed; has what was read after a failure too, so that it can be given to who reads next
 * @return APR_SUCCESS, or why not more could be read (for ap_map_http_request_error())
 */
apr_status_t clerk_request_body_read(clerk_request_body *body, request_rec *r, apr_size_t most);

#endif
