/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_frame.h"

#include <string.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "clerk/protocol.h"
#include "clerk/url/party.h"
#include "clerk/url/query.h"
#include "clerk/url/url.h"
#include "httpd/config/config.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/wire.h"
#include "httpd/site/site_clerk_js.h"
#include "text/text.h"

/* Where Clerk's bot protection and pictures come from (clerk.com/docs, Content Security Policy). */
#define CHALLENGES "https://challenges.cloudflare.com"
#define IMAGES "https://img.clerk.com"

static const struct {
    const char *page, *title;
} titles[] = {
    {"sign-in", "Sign in"},
    {"sign-up", "Sign up"},
    {"account", "Your account"},
    {"organization", "Your organization"},
    {"renew", "One moment, please"},
    {"sign-out", "Signing out"},
    {"signed-in", "You are signed in"},
};

static const char *title_of(const char *page)
{
    for (apr_size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (!strcmp(titles[i].page, page)) {
            return titles[i].title;
        }
    }
    return "";
}

static int is_party(const apr_array_header_t *parties, const char *origin)
{
    return parties && clerk_party_is_listed(parties, origin, NULL);
}

/*
 * Whether a path leads to a page for signing out, in whatever spelling. The pages' script goes to the way back as a
 * page of this site, so a link from elsewhere would sign a visitor out without a question.
 */
static int signs_out(const char *path, apr_pool_t *pool)
{
    char *decoded = apr_pstrdup(pool, path);

    (void)ap_unescape_url(decoded);
    return clerk_text_ends_with(decoded, "/sign-out");
}

const char *clerk_site_frame_way_back(request_rec *r)
{
    const apr_array_header_t *query = clerk_query_parse(r->args, r->pool);
    const char *wanted = clerk_query_get(query, "redirect_url");
    const clerk_url *here, *url;
    clerk_request request;

    if (!wanted || !*wanted) {
        return "/";
    }
    clerk_wire_read_all(&request, r);
    here = clerk_url_join(request.origin_url, "/", r->pool);
    /* As browsers read it: what looks like a path may be another host ("//host", "/\host"). */
    url = *wanted == '/' ? clerk_url_parse(
              apr_pstrcat(r->pool, wanted[1] == '/' || wanted[1] == '\\' ? "https:" : request.origin_url, wanted, NULL),
              r->pool)
                         : clerk_url_parse(wanted, r->pool);
    if (!here || !url || url->has_userinfo || signs_out(url->path, r->pool)
        || (strcmp(url->origin, here->origin) && !is_party(clerk_config_dir(r)->authorized_parties, url->origin))) {
        return "/";
    }
    return clerk_url_text(url, r->pool);
}

/* Clerk's components write style elements of their own, hence 'unsafe-inline' for styles only. */
static void set_policy(request_rec *r, const clerk_site_clerk_js *js)
{
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   apr_pstrcat(r->pool,
                               "default-src 'none'; base-uri 'none'; frame-ancestors 'self'; form-action 'self' ",
                               js->frontend, "; script-src 'self' " CHALLENGES " ", js->frontend, " ",
                               js->script_origin, " ", js->ui_origin, "; connect-src 'self' ", js->frontend,
                               "; img-src 'self' data: " IMAGES " ", js->frontend,
                               "; style-src 'self' 'unsafe-inline'; "
                               "worker-src 'self' blob:; font-src 'self' data:; frame-src 'self' " CHALLENGES,
                               NULL));
}

static void begin(request_rec *r, const char *title, const char *script)
{
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_rvputs(r,
              "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta name=\"robots\" content=\"noindex\">\n<title>",
              title, "</title>\n<link rel=\"stylesheet\" href=\"pages.css\">\n", script, "</head>\n<body>\n<main>\n",
              NULL);
}

static void end(request_rec *r)
{
    ap_rputs("</main>\n</body>\n</html>\n", r);
}

static int refuse_method(request_rec *r)
{
    r->allowed |= AP_METHOD_BIT << M_GET;
    return HTTP_METHOD_NOT_ALLOWED;
}

/* Whether a satellite that this server knows wants an answer. */
static int is_for_satellite(request_rec *r)
{
    const char *back = clerk_query_get(clerk_query_parse(r->args, r->pool), CLERK_PARAMETER_REDIRECT_URL);
    const clerk_url *url = back ? clerk_url_parse(back, r->pool) : NULL;

    return url && is_party(clerk_config_dir(r)->authorized_parties, url->origin);
}

/*
 * What has to be known before a page is shown, NULL for most. On a satellite, a handshake fetches the session after a
 * sign-in on the primary domain; the sign-in page of a development primary tells a satellite which browser this is
 * (protocol.md 9.2 and 9.3).
 */
static const clerk_outcome *judge_page(request_rec *r, const char *page)
{
    const clerk_instance *instance = clerk_config_runtime(r)->instance;
    const clerk_outcome *outcome;

    if (instance->satellite) {
        return strcmp(page, "signed-in") ? NULL : clerk_judge_request(r);
    }
    if (instance->type != CLERK_INSTANCE_DEVELOPMENT || strcmp(page, "sign-in") || !is_for_satellite(r)) {
        return NULL;
    }
    outcome = clerk_judge_request(r);
    return outcome && outcome->reason == CLERK_REASON_PRIMARY_RESPONDS_TO_SYNCING ? outcome : NULL;
}

static int redirect(request_rec *r, const char *location)
{
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Location", location);
    return HTTP_TEMPORARY_REDIRECT;
}

int clerk_site_frame(request_rec *r, const char *page)
{
    const clerk_outcome *outcome;
    clerk_site_clerk_js js;

    if (r->method_number != M_GET && strcmp(page, "sign-out")) {
        return refuse_method(r);
    }
    if (!clerk_site_clerk_js_find(&js, r)) {
        return HTTP_NOT_FOUND;
    }
    outcome = judge_page(r, page);
    if (outcome) {
        clerk_outcome_headers_send(r);
        if (outcome->location) {
            return redirect(r, outcome->location);
        }
    }
    set_policy(r, &js);
    begin(
        r, title_of(page),
        apr_pstrcat(
            r->pool, "<script src=\"pages.js\" defer", clerk_site_clerk_js_attribute("page", page, r->pool),
            js.attributes, clerk_site_clerk_js_attribute("up", clerk_config_dir(r)->policy.sign_up_url, r->pool),
            clerk_site_clerk_js_attribute("known", outcome && outcome->status == CLERK_SIGNED_IN ? "1" : NULL, r->pool),
            clerk_site_clerk_js_attribute("back", clerk_site_frame_way_back(r), r->pool), "></script>\n", NULL));
    ap_rvputs(
        r, strcmp(page, "organization") ? "" : "<div id=\"switch\"></div>\n",
        "<div id=\"clerk\" role=\"region\" aria-live=\"polite\"><p class=\"wait\">", title_of(page),
        "&hellip;</p></div>\n<p id=\"note\" role=\"alert\" hidden></p>\n"
        "<noscript><h1>This page needs JavaScript</h1><p>Signing in and out is done by Clerk's script. Please allow "
        "scripts for this site.</p></noscript>\n",
        NULL);
    end(r);
    return OK;
}

int clerk_site_frame_text(request_rec *r, const clerk_site_text *text)
{
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    begin(r, text->title, "");
    ap_rvputs(r, "<div class=\"card\">\n<h1>", text->title, "</h1>\n", text->body, "</div>\n", NULL);
    end(r);
    return OK;
}
