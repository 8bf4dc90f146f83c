/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/outcome_headers.h"

#include <string.h>

#include "clerk/outcome.h"
#include "httpd/request/request_state.h"

static const char *const status_texts[] = {[CLERK_SIGNED_IN] = "signed-in",
                                           [CLERK_SIGNED_OUT] = "signed-out",
                                           [CLERK_HANDSHAKE] = "handshake",
                                           [CLERK_UNAVAILABLE] = "signed-out",
                                           [CLERK_BAD_REQUEST] = "signed-out"};

/* All headers are set in err_headers_out, because headers_out does not survive an error or an internal redirect. */

static int is_other(void *cookie, const char *name, const char *value)
{
    (void)name;
    return strcmp(cookie, value) != 0;
}

/* Add a cookie to the client's request, also from a subrequest, and only once if the request is authenticated again. */
static void add_cookie(request_rec *top, const char *cookie)
{
    if (apr_table_do(is_other, (void *)cookie, top->err_headers_out, "Set-Cookie", NULL)) {
        apr_table_add(top->err_headers_out, "Set-Cookie", cookie);
    }
}

void clerk_outcome_headers_send(request_rec *r)
{
    clerk_request_state *state = clerk_request_state_get(r);
    const clerk_outcome *outcome = state->outcome;

    if (!outcome || state->headers_sent) {
        return;
    }
    state->headers_sent = 1;
    for (int i = 0; i < outcome->set_cookies->nelts; i++) {
        add_cookie(clerk_request_state_top(r), APR_ARRAY_IDX(outcome->set_cookies, i, const char *));
    }
    if (outcome->status != CLERK_SIGNED_IN) {
        apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Status", status_texts[outcome->status]);
        apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Reason", outcome->reason_text);
    }
    /* The page may depend on the user, so no shared cache may store it. */
    apr_table_mergen(r->err_headers_out, "Cache-Control", "private");
}

/* In an ErrorDocument a redirect could loop; in a subrequest it has no effect. */
int clerk_outcome_headers_may_redirect(const request_rec *r)
{
    if (r->main) {
        return 0;
    }
    for (; r; r = r->prev) {
        if (r->prev && r->prev->status >= 400) {
            return 0;
        }
    }
    return 1;
}
