/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/outcome_headers.h"

#include <string.h>

#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "clerk/outcome.h"
#include "httpd/config/config.h"
#include "httpd/request/request_state.h"
#include "text/cache_control.h"
#include "text/text.h"

#define CACHE_CONTROL "Cache-Control"
#define CACHE_CONTROL_FILTER "CLERK_CACHE_CONTROL"

static const char *const status_texts[] = {[CLERK_SIGNED_IN] = "signed-in",
                                           [CLERK_SIGNED_OUT] = "signed-out",
                                           [CLERK_HANDSHAKE] = "handshake",
                                           [CLERK_UNAVAILABLE] = "unknown",
                                           [CLERK_BAD_REQUEST] = "signed-out"};

/* All headers are set in err_headers_out, because headers_out does not survive an error or an internal redirect. */

static int is_other(void *cookie, const char *name, const char *value)
{
    (void)name;
    return strcmp(cookie, value) != 0;
}

void clerk_outcome_headers_restrict_caching(request_rec *r, const char *directive)
{
    const char *found = apr_table_get(r->err_headers_out, CACHE_CONTROL);

    apr_table_setn(r->err_headers_out, CACHE_CONTROL,
                   found ? clerk_cache_control_strictest(found, directive, r->pool) : directive);
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
    to->text = to->text ? clerk_cache_control_strictest(to->text, value, to->pool) : value;
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
    apr_table_do(add_directives, &all, r->err_headers_out, CACHE_CONTROL, NULL);
    if (all.text) {
        apr_table_setn(r->err_headers_out, CACHE_CONTROL, all.text);
    }
}

/*
 * Make one Cache-Control field of ours, of what the application says, and of what mod_expires and mod_headers have made
 * of both: `Header always set` replaces ours.
 * @param filter its context is what the field said before the application and those modules
 */
static apr_status_t cache_control_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    request_rec *r = filter->r;
    ap_filter_t *next = filter->next;
    caching all = {r->pool, filter->ctx};

    apr_table_do(add_directives, &all, r->err_headers_out, CACHE_CONTROL, NULL);
    apr_table_do(add_directives, &all, r->headers_out, CACHE_CONTROL, NULL);
    apr_table_unset(r->headers_out, CACHE_CONTROL);
    apr_table_setn(r->err_headers_out, CACHE_CONTROL, all.text);
    ap_remove_output_filter(filter);
    return ap_pass_brigade(next, brigade);
}

/* Whether something else may say Cache-Control: a handler other than httpd's own for files, mod_headers or mod_expires.
 */
static int others_may_speak(const request_rec *r)
{
    if (r->handler || r->proxyreq || r->status >= HTTP_BAD_REQUEST
        || (r->content_type && *r->content_type == 'a'
            && clerk_text_begins_with(r->content_type, "application/x-httpd-"))) {
        return 1;
    }
    /* Filters are in the order of their types, and these two are not behind those that change contents. */
    for (const ap_filter_t *filter = r->output_filters; filter && filter->frec->ftype <= AP_FTYPE_CONTENT_SET;
         filter = filter->next) {
        const char *name = filter->frec->name;

        /* httpd keeps these names in lower case. The first letter is enough for nearly all of them. */
        if ((*name == 'f' && clerk_text_begins_with(name, "fixup_headers_"))
            || (*name == 'm' && !strcmp(name, "mod_expires"))) {
            return 1;
        }
    }
    return 0;
}

static int has_sent(const request_rec *r)
{
    const clerk_request_state *state = clerk_request_state_if_any(r);

    return state && state->headers_sent;
}

void clerk_outcome_headers_insert_filter(request_rec *r)
{
    const char *ours;

    if (r->main || !(has_sent(r) || has_sent(clerk_request_state_top(r)))) {
        return;
    }
    ours = others_may_speak(r) ? apr_table_get(r->err_headers_out, CACHE_CONTROL) : NULL;
    if (ours) {
        ap_add_output_filter(CACHE_CONTROL_FILTER, (void *)ours, r, r->connection);
    }
}

void clerk_outcome_headers_register(void)
{
    static const char *const before[] = {"mod_headers.c", "mod_expires.c", NULL};

    /* The last of those that change headers, and before mod_cache stores the response. */
    ap_register_output_filter(CACHE_CONTROL_FILTER, cache_control_filter, NULL, AP_FTYPE_CONTENT_SET);
    ap_hook_insert_filter(clerk_outcome_headers_insert_filter, before, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_insert_error_filter(clerk_outcome_headers_insert_filter, before, NULL, APR_HOOK_REALLY_LAST);
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

/* The page may depend on the user, so no shared cache may store it; a browser's cache may outlive the session, or have
 * the page of nobody when somebody has signed in. */
static const char *wanted_caching(request_rec *r, int is_signed_in)
{
    const char *wanted = clerk_config_dir(r)->cache_control;

    if (!wanted) {
        return "private, no-cache";
    }
    return *wanted || is_signed_in ? wanted : "private";
}

void clerk_outcome_headers_send(request_rec *r)
{
    clerk_request_state *state = clerk_request_state_get(r);
    const clerk_outcome *outcome = state->outcome;
    const char *directives;

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
    directives = wanted_caching(r, outcome->status == CLERK_SIGNED_IN);
    if (*directives) {
        clerk_outcome_headers_restrict_caching(r, directives);
    }
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
