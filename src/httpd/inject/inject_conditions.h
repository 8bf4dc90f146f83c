/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_INJECT_INJECT_CONDITIONS_H
#define HTTPD_INJECT_INJECT_CONDITIONS_H

#include <httpd.h>

/*
 * Which responses are changed, and what becomes of the header fields that describe a response's content. A changed
 * response has a weak ETag with a mark of its own, so that a browser's copy without the script is not taken for it.
 */

/** Whether a request is for a page that a visitor sees: a script's own request is not, and neither is part of one. */
int clerk_inject_conditions_request(request_rec *r);

/**
 * Make conditional request fields mean the page without the script, which is what the application knows: a copy with
 * the mark may be confirmed, any other is sent anew. Once for a request and what it is internally redirected to.
 */
void clerk_inject_conditions_unmark(request_rec *r, const char *mark);

/** Whether a response, whose header fields are known, is a whole HTML page that can be changed. */
int clerk_inject_conditions_response(const request_rec *r);

/** Change the fields of a response that gets the script. */
void clerk_inject_conditions_changed(request_rec *r, const char *mark);

/** Mark the ETag of a response: a changed one, or 304 for one. */
void clerk_inject_conditions_mark(request_rec *r, const char *mark);

#endif
