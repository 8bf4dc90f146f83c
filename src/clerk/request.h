/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_REQUEST_H
#define CLERK_REQUEST_H

#include <apr_tables.h>
#include <apr_time.h>

/**
 * The part of an HTTP request that authentication uses. Header values are trimmed; NULL if absent or empty. The members
 * that only page requests need may be filled in on first use, by clerk_request_complete().
 */
typedef struct clerk_request {
    const char *method; /**< as received, such as "GET" */
    const char *target; /**< path and query as received, beginning with '/' (never joined as a URL, protocol.md 3.1) */
    const char *authorization; /**< several fields are joined with ", ", which is a malformed credential */
    const char *cookie;        /**< as httpd gives it: several fields joined with ", " (clerk_cookie_header_join()) */
    const char *sec_fetch_dest;
    const char *client_ip;
    void (*complete)(struct clerk_request *request); /**< fills in the members below; NULL: they are filled in */
    void *source;                                    /**< for `complete` only */

    /* Filled in by clerk_request_complete(). */
    const char *origin_url; /**< public origin, `scheme://host[:port]`, lower case, default port left out */
    const char *accept;
    const char *sec_fetch_mode;
    const char *x_requested_with;
    const char *hx_request;
    const char *referer;
    const char *origin;         /**< the Origin header; several fields are joined with ", " */
    const char *sec_fetch_site; /**< several fields are joined with ", " */
    const char *user_agent;
    const char *accept_language;
} clerk_request;

/** Fill in the members that are filled in on first use. @return @a request */
static inline const clerk_request *clerk_request_complete(clerk_request *request)
{
    if (request->complete) {
        request->complete(request);
        request->complete = NULL;
    }
    return request;
}

/**
 * Whether the request is a page navigation (differences.md row 27): a GET whose response the browser shows or saves, so
 * that it may be redirected to a handshake or to sign-in. `Sec-Fetch-Dest: document` or `iframe`, or `Sec-Fetch-Mode:
 * navigate`, say so. If the browser sends neither field, Accept must begin with text/html, and neither
 * `X-Requested-With: XMLHttpRequest` nor `HX-Request` may say that a script has sent the request.
 * @param request with all its members filled in
 */
int clerk_request_is_navigation(const clerk_request *request);

/** The same for any method: whether the browser shows the response as a page, as it does with that of a form. */
int clerk_request_is_shown(const clerk_request *request);

/**
 * Whether a page of this site makes the request (differences.md row 26), so that no other site can have it answered as
 * the visitor's: `Sec-Fetch-Site` is exactly `same-origin`, or absent while `Origin` is the public origin, and no other
 * site's `Origin` is there.
 * @param request with all its members filled in
 */
int clerk_request_is_same_origin(const clerk_request *request);

/** Where a session token may come from. */
#define CLERK_SOURCE_HEADER 1u
#define CLERK_SOURCE_COOKIE 2u

/** Which kinds of token are accepted: a bit for each clerk_token_type. */
#define CLERK_ACCEPT(type) (1u << (type))
#define CLERK_ACCEPT_SESSION 1u
#define CLERK_ACCEPT_API_KEY 2u
#define CLERK_ACCEPT_M2M 4u
#define CLERK_ACCEPT_OAUTH 8u
#define CLERK_ACCEPT_ANY 15u

/** Which methods an expired session may be renewed for (differences.md row 26). */
typedef enum clerk_renewal {
    CLERK_RENEWAL_ANY,
    CLERK_RENEWAL_GET
} clerk_renewal;

typedef enum clerk_pending {
    CLERK_PENDING_SIGNED_OUT,
    CLERK_PENDING_ALLOW
} clerk_pending;

/**
 * The configuration of a directory or location, as far as authentication needs it. Lists are of const char *; NULL: not
 * set. A new member that decides whether a token is accepted must be compared in is_same_policy()
 * (httpd/request/judge.c), else a subrequest inherits what a laxer place accepted.
 */
typedef struct clerk_policy {
    unsigned int accept_tokens; /**< CLERK_ACCEPT_* */
    unsigned int token_sources; /**< CLERK_SOURCE_*: where a session token may come from */
    int accept_basic;           /**< a machine token may be the password of Basic authentication */
    const apr_array_header_t *authorized_parties;
    const apr_array_header_t *audience;
    const apr_array_header_t *narrower_parties; /**< must have the authorized party too */
    const apr_array_header_t *narrower_audience;
    apr_interval_time_t clock_skew; /**< microseconds; 0 means none, not the default */
    clerk_pending pending_sessions;
    clerk_renewal renewal;
    int revocation;          /**< revocations count */
    int cross_origin_sync;   /**< protocol.md 9.4 wanted */
    const char *sign_in_url; /**< URL or path; NULL: the Account Portal */
    const char *sign_up_url;
    int pages_by_htaccess; /**< whoever writes .htaccess has named one of the two: they may lead to anybody */
    const struct clerk_organization_sync *organization_sync; /**< compiled patterns, or NULL */
} clerk_policy;

/** Whether cookies count: they can only have session tokens in them. A place without them is for programs. */
static inline int clerk_policy_takes_cookies(const clerk_policy *policy)
{
    return (policy->token_sources & CLERK_SOURCE_COOKIE) && (policy->accept_tokens & CLERK_ACCEPT_SESSION);
}

#endif
