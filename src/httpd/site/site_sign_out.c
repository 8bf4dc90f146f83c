/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_sign_out.h"

#include <string.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>

#include "clerk/protocol.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/request/instance_services.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/wire.h"
#include "httpd/site/site_frame.h"
#include "text/text.h"

/* Longer than any session id; what is longer or has other characters does not go into a URL. */
#define SESSION_ID_MAX 64

static const clerk_site_text question
    = {"Sign out?",
       "<p>You are about to be signed out of this site.</p>\n"
       "<form method=\"post\"><button type=\"submit\">Sign out</button> <a href=\"/\">Stay signed in</a></form>\n"};

/*
 * Whether what asks is a picture, a script, a preloaded or pinged link or another part of a page, which people may have
 * written into it (a forum, a wiki): whoever looks at the page has not been told to sign out. Pages, in frames too, and
 * fetch() are none.
 */
static int is_part_of_page(const request_rec *r)
{
    static const char *const wholes[] = {"document", "iframe", "frame", "empty"};
    const char *dest = apr_table_get(r->headers_in, "Sec-Fetch-Dest");
    const char *mode = apr_table_get(r->headers_in, "Sec-Fetch-Mode");
    int is_whole = !dest;

    for (apr_size_t i = 0; !is_whole && i < sizeof(wholes) / sizeof(wholes[0]); i++) {
        is_whole = !strcmp(dest, wholes[i]);
    }
    return !is_whole || (mode && !strcmp(mode, "no-cors"));
}

/*
 * Whether a page of this site asks. A browser sends Sec-Fetch-Site itself, and no script can change it; one that does
 * not know it sends the Origin of a form.
 */
static int asks_own_page(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    clerk_request request;

    /* A browser that fetches the page of a link in advance has not been told to sign out. */
    if (apr_table_get(r->headers_in, "Sec-Purpose") || is_part_of_page(r)) {
        return 0;
    }
    if (site) {
        return !strcmp(site, "same-origin");
    }
    if (!origin || r->method_number != M_POST) {
        return 0;
    }
    clerk_wire_read_all(&request, r);
    return request.origin_url && !strcmp(origin, request.origin_url);
}

static int is_session_id(const char *text)
{
    apr_size_t len = 0;

    while (clerk_text_is_alnum(text[len]) || text[len] == '_') {
        len++;
    }
    return len > 0 && len <= SESSION_ID_MAX && !text[len];
}

/* End the session at Clerk. @return whether it is over */
static int end_session(request_rec *r, const clerk_identity *identity)
{
    clerk_backend_call call = {.cause = CLERK_BACKEND_FOR_SESSION, .method = "POST"};
    clerk_backend_reply reply = {0};
    clerk_services services;

    if (!identity->session_id || !is_session_id(identity->session_id)) {
        return 0;
    }
    clerk_instance_services_bind(&services, clerk_config_runtime(r), r, r->request_time);
    if (!services.backend) {
        return 0;
    }
    call.path = apr_pstrcat(r->pool, "/v1/sessions/", identity->session_id, "/revoke", NULL);
    call.client_ip = r->useragent_ip;
    call.user_id = identity->user_id;
    services.backend(services.baton, &reply, &call, r->pool);
    if ((reply.status >= 200 && reply.status <= 299) || reply.status == HTTP_NOT_FOUND) {
        return 1;
    }
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  CLERK_LOGNO(3160) "sign-out: the Backend API did not end session %s (%d); ClerkJS is asked to",
                              identity->session_id, reply.status);
    return 0;
}

static void delete_cookie(request_rec *r, const char *name, const char *suffix)
{
    static const char over[] = "=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax";

    apr_table_add(r->err_headers_out, "Set-Cookie",
                  *suffix ? apr_pstrcat(r->pool, name, "_", suffix, over, NULL)
                          : apr_pstrcat(r->pool, name, over, NULL));
}

/*
 * The cookies of this host. `__client_uat` belongs to a domain that is not known here; Clerk sets it to 0 with the
 * handshake that its value causes.
 */
static void delete_cookies(request_rec *r, const clerk_instance *instance)
{
    apr_table_unset(r->err_headers_out, "Set-Cookie");
    delete_cookie(r, CLERK_COOKIE_SESSION, "");
    if (instance->cookie_suffix[0]) {
        delete_cookie(r, CLERK_COOKIE_SESSION, instance->cookie_suffix);
        delete_cookie(r, CLERK_COOKIE_REFRESH, instance->cookie_suffix);
    }
}

int clerk_site_sign_out(request_rec *r, const char *page)
{
    const clerk_instance *instance = clerk_config_runtime(r)->instance;
    const clerk_outcome *outcome;
    int over = 0;

    if (r->method_number != M_GET && r->method_number != M_POST) {
        r->allowed |= (AP_METHOD_BIT << M_GET) | (AP_METHOD_BIT << M_POST);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    /* The body of the form says nothing. */
    ap_discard_request_body(r);
    if (!asks_own_page(r)) {
        return clerk_site_frame_text(r, &question);
    }
    outcome = clerk_judge_request(r);
    if (outcome && outcome->identity) {
        over = end_session(r, outcome->identity);
    }
    delete_cookies(r, instance);
    if (!over && instance->publishable_key && instance->frontend_url) {
        return clerk_site_frame(r, page);
    }
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Location", clerk_site_frame_way_back(r));
    return HTTP_SEE_OTHER;
}
