/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authn/pages.h"

#include <string.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "clerk/browser/loop_cause.h"
#include "clerk/browser/rounds.h"
#include "clerk/protocol.h"
#include "httpd/config/config.h"
#include "httpd/config/htaccess.h"
#include "httpd/process/log.h"
#include "httpd/request/instance_services.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/wire.h"
#include "httpd/site/site.h"
#include "httpd/site/site_notice.h"

/* The cookie of a browser that was sent to `renew`, for so many seconds: less than a session token lives, so that the
 * next expiry leads there again. */
#define RENEWED CLERK_COOKIE_REDIRECT_COUNT "_renew"
#define RENEWED_SECONDS "30"

/* The texts of a page, as HTML. Nothing in them comes from the request. */
typedef struct page_text {
    const char *what;     /* what happened */
    const char *visitor;  /* what the visitor can do */
    const char *operator; /* what the administrator of the server can do */
} page_text;

static const char loop_title[] = "Signing in goes round in circles";

static const page_text loop_pages[] = {
    [CLERK_LOOP_UNKNOWN]
    = {"This site and its sign-in service sent your browser back and forth several times, and it still could not be "
       "told whether you are signed in. It was stopped here.",
       "Delete the cookies of this site, or use a private window, and try again.",
       "None of the known causes shows in this request. The reason below and the error log (AC3100) say what was "
       "missing; compare the publishable key, the secret key and the domain with those in the Clerk Dashboard."},
    [CLERK_LOOP_WRONG_ORIGIN]
    = {"Your browser knows this site by another address (scheme, host name or port) than its server does, so it was "
       "sent back and forth until it was stopped here.",
       "There is nothing wrong with your browser or your account. Please tell whoever runs this site.",
       "The server derives its own address from <code>ServerName</code> and from how it was reached; behind a proxy "
       "that ends TLS that is not what browsers use. Write the origin that browsers see, such as "
       "<code>ClerkPublicOrigin https://www.example.com</code>, or <code>ClerkTrustForwarded On</code> where a proxy "
       "of yours sets <code>X-Forwarded-Proto</code> and <code>X-Forwarded-Host</code>, or <code>Forwarded</code>."},
    [CLERK_LOOP_CLOCK]
    = {"The sign-in service keeps issuing sessions that this server takes for expired or not yet valid: their clocks "
       "differ.",
       "There is nothing wrong with your browser or your account. Please tell whoever runs this site.",
       "Set the clock of this server (NTP). <code>ClerkClockSkew</code> allows for a few seconds; it is no cure for "
       "minutes."},
    [CLERK_LOOP_TWO_CLIENT_UATS]
    = {"Your browser holds several <code>__client_uat</code> cookies for this site that contradict each other, so it "
       "cannot be told which session is the current one.",
       "Delete the cookies of this site and of its parent domain, and try again.",
       "Two sites below one domain use different Clerk instances or different domain settings, or a cookie of an "
       "earlier set-up is left over. Use one instance for sites that share a domain, and the same publishable key, "
       "letter for letter, in the pages and in the server."},
    [CLERK_LOOP_WRONG_KEY]
    = {"The sign-in service sends sessions that this server cannot use: it is set up with keys of another Clerk "
       "instance.",
       "There is nothing wrong with your account. If the site has changed its sign-in lately, delete its cookies and "
       "try again; otherwise please tell whoever runs it.",
       "<code>ClerkPublishableKey</code> and <code>ClerkSecretKey</code> (and <code>ClerkJWTKey</code> or "
       "<code>ClerkJWKSURL</code>, where they are used) must belong to the same instance, and to the one that the "
       "pages use. If they do, see whether this server reaches Clerk's API: the error log and the status page tell."},
    [CLERK_LOOP_COOKIES]
    = {"Your browser does not send back the cookies that this site needs in order to know that you are signed in.",
       "Allow cookies for this site, and try again.",
       "If it happens to everybody: cookies marked <code>Secure</code> need https, a session cookie of more than 4 KB "
       "is dropped by browsers (too many custom claims), and a proxy must pass <code>Cookie</code> and "
       "<code>Set-Cookie</code> on."},
    [CLERK_LOOP_ANSWER_TOO_LARGE]
    = {"Your browser returned from the sign-in service without its answer.",
       "There is nothing wrong with your browser or your account. Please tell whoever runs this site.",
       "This server has no <code>ClerkSecretKey</code>, so the answer of a handshake is itself a cookie. It contains "
       "the "
       "session token twice, and browsers drop a cookie above 4,096 bytes. Write <code>ClerkSecretKey</code>: then the "
       "cookie is only a short name of the answer. Or take custom claims (such as name, e-mail address, metadata) out "
       "of the session token, in the Clerk Dashboard."}};

static const page_text bad_handshake_page
    = {"The address carries a message from the sign-in service that this server cannot verify. Either the link is an "
       "old one, or the site has been given other keys since.",
       "Go on without it: you will be asked to sign in again if need be.",
       "If it happens again, the keys differ: <code>ClerkPublishableKey</code>, <code>ClerkSecretKey</code> and, "
       "where they are used, <code>ClerkJWTKey</code> or <code>ClerkJWKSURL</code> must belong to the same Clerk "
       "instance."};

static const char *render(const page_text *text, const char *link, const char *link_text, const char *reason,
                          apr_pool_t *pool)
{
    return apr_pstrcat(pool, "<p>", text->what, "</p>\n<h2>What you can do</h2>\n<p>", text->visitor,
                       "</p>\n<p><a href=\"", ap_escape_html2(pool, link, 1), "\">", link_text,
                       "</a></p>\n<h2>For the administrator</h2>\n<p>", text->operator, "</p>\n<footer>Reason: <code>",
                       ap_escape_html2(pool, reason, 1), "</code></footer>\n", NULL);
}

/* The query of this request for the link "Try again", without the parameters that this module has added. */
static const char *same_page(request_rec *r)
{
    const char *query = clerk_rounds_clean_query(r->parsed_uri.query, r->pool);

    return apr_pstrcat(r->pool, "?", query, NULL);
}

/* Whether ClerkJS can renew the session where the handshake could not: not if what it writes is refused here too. */
static int is_renewable(clerk_loop_cause cause)
{
    return cause == CLERK_LOOP_ANSWER_TOO_LARGE || cause == CLERK_LOOP_COOKIES || cause == CLERK_LOOP_UNKNOWN;
}

/*
 * Send the browser to `renew`, once in a while: its cookie says that it was there a moment ago. A browser that has sent
 * no cookie that counts handshakes would not keep this one either, and go round between the pages.
 */
static const char *begin_renewal(request_rec *r, const clerk_request *request, const char *renewal)
{
    if (!clerk_outcome_headers_may_redirect(r) || !request->cookie
        || !strstr(request->cookie, CLERK_COOKIE_REDIRECT_COUNT) || strstr(request->cookie, RENEWED)) {
        return NULL;
    }
    apr_table_add(r->err_headers_out, "Set-Cookie",
                  RENEWED "=1; Path=/; SameSite=Lax; HttpOnly; Max-Age=" RENEWED_SECONDS);
    return renewal;
}

const char *clerk_pages_explain_loop(request_rec *r, const clerk_outcome *outcome)
{
    const char *renewal = NULL, *location = NULL;
    const clerk_dir_config *dir = clerk_config_dir(r);
    clerk_runtime *runtime = clerk_config_runtime(r);
    clerk_address_hints hints;
    clerk_forwarded said;
    clerk_services services;
    clerk_loop_cause cause;
    clerk_request request;
    int level;

    clerk_wire_read_all(&request, r);
    clerk_instance_services_bind(&services, runtime, r, apr_time_now());
    said = clerk_wire_forwarded(r);
    hints.forwarded_proto = said.proto;
    hints.forwarded_host = said.host;
    hints.host = clerk_htaccess_public_origin(dir) ? NULL : clerk_wire_first_value(r, "Host");
    cause = clerk_loop_cause_find(&request, &hints, runtime->instance, outcome, &services, r->pool);
    /* Not in the macro, which evaluates its level twice. */
    level = clerk_httpd_log_message_level(3100);
    ap_log_rerror(
        APLOG_MARK, level, 0, r,
        CLERK_LOGNO(3100) "a redirect loop was ended (%s). Most likely %s%s; clerkctl explain shows each step",
                    outcome->reason_text, clerk_loop_cause_text(cause),
                    clerk_loop_cause_detail(cause, &request, runtime->instance, &services, r->pool));
    if (!clerk_request_is_navigation(&request)) {
        return NULL;
    }
    if (is_renewable(cause) && runtime->instance->publishable_key && !runtime->instance->satellite) {
        renewal = clerk_site_notice_path(r, "renew", clerk_site_notice_here(r));
        location = renewal ? begin_renewal(r, &request, renewal) : NULL;
    }
    if (!location) {
        clerk_site_notice_show(r, HTTP_UNAUTHORIZED, loop_title,
                               render(&loop_pages[cause], renewal ? renewal : same_page(r),
                                      renewal ? "Renew the session" : "Try again", outcome->reason_text, r->pool));
    }
    return location;
}

void clerk_pages_explain_bad_handshake(request_rec *r, const clerk_outcome *outcome)
{
    int level = clerk_httpd_log_message_level(3101);

    ap_log_rerror(APLOG_MARK, level, 0, r,
                  CLERK_LOGNO(3101) "a handshake token in the URL cannot be used (%s): an old link, or keys of another "
                                    "Clerk instance; clerkctl token decodes it",
                              outcome->reason_text);
    clerk_site_notice_show(r, HTTP_BAD_REQUEST, "This sign-in link cannot be used here",
                           render(&bad_handshake_page, "?", "Go on", outcome->reason_text, r->pool));
}

void clerk_pages_offer_sign_in(request_rec *r, const char *sign_in, const char *sign_up)
{
    clerk_site_notice_show(
        r, HTTP_UNAUTHORIZED, "Please sign in",
        apr_pstrcat(r->pool, "<p>This page is for people who are signed in, and you are not.</p>\n<p>",
                    clerk_site_notice_button(r, "", sign_in, "Sign in"),
                    clerk_site_notice_button(r, "second", sign_up, "Create an account"), "</p>\n", NULL));
}
