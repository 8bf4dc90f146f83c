/* SPDX-License-Identifier: Apache-2.0 */
/* First, so that APR's ring macros use offsetof() and not their own, which clang refuses. */
#include <stddef.h>

#include "httpd/site/site_form.h"

#include <string.h>

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "clerk/browser/sign_in.h"
#include "httpd/config/config.h"
#include "httpd/config/htaccess.h"
#include "httpd/process/log.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/request_body.h"
#include "httpd/request/request_state.h"
#include "httpd/request/wire.h"
#include "httpd/site/site.h"
#include "httpd/site/site_clerk_js.h"
#include "text/form_inputs.h"

#define FILTER "CLERK_FORM_PAGE"

/* What the page says where it does not have the form: an index of reasons. */
typedef enum lost_reason {
    LOST_NOT, /* it has the form */
    LOST_FILE,
    LOST_LARGE,
    LOST_OTHER
} lost_reason;

static const struct {
    const char *log;
    const char *html;
} lost_texts[] = {
    [LOST_NOT] = {"", ""},
    [LOST_FILE] = {"there is a file in it", "There are files in it, which this site cannot keep."},
    [LOST_LARGE] = {"it is larger than ClerkKeepForms allows", "It is larger than this site can keep."},
    [LOST_OTHER] = {"a browser would not send the same bytes again", "It is not of a kind that this site can keep."},
};

/* Whether the length that the request announces is more than is kept; then its body need not be read. */
static int is_announced_larger(const request_rec *r, apr_size_t most)
{
    const char *field = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t announced;

    return field && ap_parse_strict_length(&announced, field) && announced > (apr_off_t)most;
}

/* Read the fields. @return OK, or the HTTP status of a failure */
static int read_fields(lost_reason *plost, clerk_form_fields *fields, request_rec *r, apr_size_t most)
{
    clerk_request_body body = {0};
    apr_status_t rv;

    if (is_announced_larger(r, most)) {
        *plost = LOST_LARGE;
        return OK;
    }
    rv = clerk_request_body_read(&body, r, most);
    if (rv != APR_SUCCESS) {
        return ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    }
    if (body.len > most) {
        *plost = LOST_LARGE;
        return OK;
    }
    /* The filter that would decode it is not there yet. Browsers do not encode forms. */
    if (apr_table_get(r->headers_in, "Content-Encoding")) {
        *plost = LOST_OTHER;
        return OK;
    }
    switch (
        clerk_form_fields_read(fields, apr_table_get(r->headers_in, "Content-Type"), body.data, body.len, r->pool)) {
    case CLERK_FORM_FIELDS_OK:
        *plost = LOST_NOT;
        break;
    case CLERK_FORM_FIELDS_FILE:
        *plost = LOST_FILE;
        break;
    default:
        *plost = LOST_OTHER;
        break;
    }
    return OK;
}

/* Whether the pages below ClerkPages are of the instance of this request, so that they can renew its session. */
static int have_pages_this_instance(request_rec *r)
{
    request_rec *page = ap_sub_req_lookup_uri(clerk_site_path(r, "status.json"), r, NULL);
    int same = clerk_config_runtime(page) == clerk_config_runtime(r);

    ap_destroy_sub_req(page);
    return same;
}

/* Whether to answer with the page. */
static int is_due(request_rec *r, const clerk_outcome *outcome)
{
    clerk_request request;

    if (r->method_number != M_POST || !outcome->lapsed_user || !clerk_outcome_headers_may_redirect(r)
        || !clerk_site_path(r, "status.json") || !clerk_htaccess_keep_forms(clerk_config_dir(r))) {
        return 0;
    }
    clerk_wire_read_all(&request, r);
    return clerk_request_is_shown(&request) && clerk_request_is_same_origin(&request) && have_pages_this_instance(r);
}

/* The page for signing in, in another tab, which leads to one that says so in the end. */
static const char *sign_in_url(request_rec *r, const clerk_outcome *outcome)
{
    const clerk_instance *instance = clerk_config_runtime(r)->instance;
    const clerk_policy *policy = &clerk_config_dir(r)->policy;
    const char *location = NULL, *end = clerk_site_path(r, "signed-in");
    clerk_request request;

    if (policy->sign_in_url || instance->satellite) {
        clerk_wire_read_all(&request, r);
        request.target = end;
        location = clerk_sign_in_location(&request, instance, policy, outcome, r->pool);
    }
    return location ? location : apr_pstrcat(r->pool, clerk_site_path(r, "sign-in"), "?redirect_url=", end, NULL);
}

static void set_headers(request_rec *r, const clerk_site_clerk_js *js)
{
    const char *dest = apr_table_get(r->headers_in, "Sec-Fetch-Dest");

    /*
     * The form has no address of its own: it goes to the one of the page. `form-action 'self'` would also stop Chromium
     * from following the application's redirect to another site, such as a payment service's, after the form has
     * arrived.
     */
    apr_table_setn(
        r->err_headers_out, "Content-Security-Policy",
        apr_pstrcat(r->pool, "default-src 'none'; base-uri 'none'; form-action http: https:; frame-ancestors ",
                    /* A form in a frame of this site comes back in that frame. */
                    dest && (!strcmp(dest, "iframe") || !strcmp(dest, "frame")) ? "'self'" : "'none'",
                    "; script-src 'self' ", js->frontend, " ", js->script_origin, "; connect-src 'self' ", js->frontend,
                    "; frame-src 'self' ", js->frontend, "; style-src 'self'; worker-src 'self' blob:", NULL));
    /* Applications compare the Origin and the Referer of a form with their own. */
    apr_table_setn(r->err_headers_out, "Referrer-Policy", "same-origin");
    apr_table_setn(r->err_headers_out, "X-Content-Type-Options", "nosniff");
}

/* What a browser without scripts shows; the script writes its own texts over it. */
static const char *kept_html(request_rec *r, const clerk_form_fields *fields)
{
    return apr_pstrcat(
        r->pool,
        "<h1 id=\"title\">Your form has not been sent yet</h1>\n"
        "<p id=\"text\" role=\"status\">Your session expired while you filled it in. What you entered is kept in this "
        "page, and only here: leave it open.</p>\n"
        "<noscript><ol>\n<li><a href=\"\" target=\"_blank\" rel=\"noopener\">Open this address in another tab</a>, and "
        "sign in there if you are asked to.</li>\n<li>Come back to this tab, and send the "
        "form.</li>\n</ol></noscript>\n"
        "<form id=\"form\" method=\"post\" autocomplete=\"off\"",
        clerk_form_inputs_attributes(fields), ">\n", clerk_form_inputs_html(fields, r->pool),
        "<button id=\"send\" type=\"submit\">Send the form</button>\n</form>\n", NULL);
}

static const char *lost_html(request_rec *r, lost_reason lost)
{
    return apr_pstrcat(r->pool,
                       "<h1 id=\"title\">Your form has not been sent</h1>\n"
                       "<p>Your session expired while you filled it in, and the form could not be kept for you. ",
                       lost_texts[lost].html,
                       "</p>\n<p>Your browser still has it: go back, and it shows the form as you left it.",
                       lost == LOST_FILE ? " Files have to be chosen again." : "",
                       "</p>\n<p id=\"text\" role=\"status\">Before you send it again, "
                       "<a href=\"\" target=\"_blank\" rel=\"noopener\">open this address in another tab</a>, and sign "
                       "in there if you are asked to.</p>\n",
                       NULL);
}

/* @param content the heading, the text and the form */
static const char *page_html(request_rec *r, const clerk_site_clerk_js *js, const clerk_outcome *outcome,
                             const char *content)
{
    return apr_pstrcat(r->pool,
                       "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<meta name=\"robots\" content=\"noindex\">\n<title>Your form has not been sent yet</title>\n"
                       "<link rel=\"stylesheet\" href=\"",
                       clerk_site_path(r, "pages.css"), "\">\n<script src=\"", clerk_site_path(r, "form.js"),
                       "\" defer", js->attributes, clerk_site_clerk_js_attribute("user", outcome->lapsed_user, r->pool),
                       clerk_site_clerk_js_attribute("sign-in", sign_in_url(r, outcome), r->pool),
                       "></script>\n</head>\n<body>\n<main>\n<div class=\"card\">\n", content,
                       "<div id=\"more\" hidden></div>\n</div>\n</main>\n</body>\n</html>\n", NULL);
}

int clerk_site_form_keep(request_rec *r, int status, const clerk_outcome *outcome)
{
    clerk_site_clerk_js js;
    clerk_form_fields fields;
    lost_reason lost = LOST_OTHER;
    int rc;

    if (!is_due(r, outcome) || !clerk_site_clerk_js_find(&js, r)) {
        return status;
    }
    rc = read_fields(&lost, &fields, r, clerk_htaccess_keep_forms(clerk_config_dir(r)));
    if (rc != OK) {
        return rc;
    }
    if (lost == LOST_NOT) {
        clerk_verdicts_tick(&clerk_config_runtime(r)->verdicts->forms_kept);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      CLERK_LOGNO(3170) "the session has lapsed (%s): the form is kept in its page until it is renewed",
                                  outcome->reason_text);
    } else {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      CLERK_LOGNO(3171) "the session has lapsed (%s), and the form is not kept: %s",
                                  outcome->reason_text, lost_texts[lost].log);
    }
    ap_custom_response(r, status,
                       page_html(r, &js, outcome, lost == LOST_NOT ? kept_html(r, &fields) : lost_html(r, lost)));
    set_headers(r, &js);
    clerk_request_state_get(r)->form_page = 1;
    return status;
}

/* httpd sends custom responses in ISO 8859-1; only a filter can change that. */
static apr_status_t encoding_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    ap_filter_t *next = filter->next;

    ap_set_content_type(filter->r, "text/html; charset=utf-8");
    ap_remove_output_filter(filter);
    return ap_pass_brigade(next, brigade);
}

static void insert_error_filter(request_rec *r)
{
    const clerk_request_state *state = clerk_request_state_if_any(r);

    if (state && state->form_page) {
        ap_add_output_filter(FILTER, NULL, r, r->connection);
    }
}

void clerk_site_form_register(void)
{
    ap_register_output_filter(FILTER, encoding_filter, NULL, AP_FTYPE_CONTENT_SET);
    ap_hook_insert_error_filter(insert_error_filter, NULL, NULL, APR_HOOK_MIDDLE);
}
