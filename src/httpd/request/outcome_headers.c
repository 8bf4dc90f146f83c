/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/outcome_headers.h"

#include <string.h>

#include <apr_strings.h>

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

void clerk_outcome_headers_restrict_caching(request_rec *r, const char *directive)
{
    const char *found = apr_table_get(r->err_headers_out, "Cache-Control");

    if (!found || !strcmp(directive, "no-store")) {
        apr_table_setn(r->err_headers_out, "Cache-Control", directive);
    } else if (!ap_find_token(r->pool, found, "no-store") && !ap_find_token(r->pool, found, directive)) {
        apr_table_mergen(r->err_headers_out, "Cache-Control", directive);
    }
}

/* Several Cache-Control fields as one text. */
typedef struct caching {
    apr_pool_t *pool;
    const char *text; /* NULL: none yet */
} caching;

static int add_directives(void *baton, const char *name, const char *value)
{
    caching *to = baton;

    (void)name;
    if (!to->text || !ap_find_token(to->pool, to->text, value)) {
        to->text = to->text ? apr_pstrcat(to->pool, to->text, ", ", value, NULL) : value;
    }
    return 1;
}

void clerk_outcome_headers_unify(request_rec *r)
{
    static const char *const single[] = {"X-Clerk-Auth-Status", "X-Clerk-Auth-Reason"};
    caching all = {r->pool, NULL};

    for (apr_size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        const char *first = apr_table_get(r->err_headers_out, single[i]);

        if (first) {
            apr_table_setn(r->err_headers_out, single[i], first);
        }
    }
    apr_table_do(add_directives, &all, r->err_headers_out, "Cache-Control", NULL);
    if (all.text) {
        apr_table_setn(r->err_headers_out, "Cache-Control",
                       ap_find_token(r->pool, all.text, "no-store") ? "no-store" : all.text);
    }
}

void clerk_outcome_headers_insert_error_filter(request_rec *r)
{
    if (apr_table_get(r->err_headers_out, "X-Clerk-Auth-Status")) {
        clerk_outcome_headers_unify(r);
    }
}

/* Add a cookie to the response, also from a subrequest, and only once if the request is authenticated again. An
 * internal redirect takes the headers along. */
static void add_cookie(request_rec *r, const char *cookie)
{
    while (r->main) {
        r = r->main;
    }
    if (apr_table_do(is_other, (void *)cookie, r->err_headers_out, "Set-Cookie", NULL)) {
        apr_table_add(r->err_headers_out, "Set-Cookie", cookie);
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
        add_cookie(r, APR_ARRAY_IDX(outcome->set_cookies, i, const char *));
    }
    if (outcome->status != CLERK_SIGNED_IN) {
        apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Status", status_texts[outcome->status]);
        apr_table_setn(r->err_headers_out, "X-Clerk-Auth-Reason", outcome->reason_text);
    }
    /* The page may depend on the user, so no shared cache may store it. */
    clerk_outcome_headers_restrict_caching(r, "private");
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
