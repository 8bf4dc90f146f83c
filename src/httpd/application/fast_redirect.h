/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_FAST_REDIRECT_H
#define HTTPD_APPLICATION_FAST_REDIRECT_H

#include <httpd.h>

#include "httpd/request/request_state.h"

/*
 * DirectoryIndex and MultiViews look a file up by a subrequest, and httpd then continues the request itself with the
 * file and the configuration of the subrequest ("fast internal redirect"), but with the user and the request headers
 * that it had before. That user may be another instance's, and a file may be protected where its directory is not. So
 * the identity of the subrequest is taken over, and what the application gets is set anew.
 */

/** fixups, before anything else: if a subrequest was allowed that may have replaced this request's configuration, as
 * MultiViews does before fixups, take over its identity. */
void clerk_fast_redirect_take_over(request_rec *r);

/** Tell the parent request that this subrequest was allowed. */
void clerk_fast_redirect_note_part(request_rec *r);

/** fixups, under AuthType Clerk: this request was allowed under its configuration. */
static inline void clerk_fast_redirect_note(request_rec *r)
{
    clerk_request_state_get(r)->allowed_for = r->per_dir_config;
    if (r->main) {
        clerk_fast_redirect_note_part(r);
    }
}

/** Take over the identity, and set what the application gets anew. */
void clerk_fast_redirect_set_again(request_rec *r);

/** insert_filter: do so if the configuration has changed since fixups, or may have. */
static inline void clerk_fast_redirect_settle(request_rec *r, const clerk_request_state *state)
{
    if (state->part || (state->allowed_for && state->allowed_for != r->per_dir_config)) {
        clerk_fast_redirect_set_again(r);
    }
}

#endif
