/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

/** One outbound request. */
typedef struct clerk_http_request {
    const char *method;         /**< "GET" or "POST" */
    const char *url;            /**< https, or http to a loopback address */
    const char *bearer;         /**< secret for `Authorization: Bearer`, or NULL */
    const apr_table_t *headers; /**< further header fields, or NULL */
    const char *body;           /**< or NULL */
    apr_size_t body_len;
    const char *proxy;           /**< proxy URL, or NULL for none (the environment's proxy settings are ignored) */
    const char *ca_file;         /**< PEM file of trusted certificates, or NULL for the system's */
    apr_interval_time_t timeout; /**< the whole call, connecting included, microseconds */
    apr_size_t max_response;     /**< a longer body is a failure, bytes */
} clerk_http_request;

/** What came back. */
typedef struct clerk_http_response {
    int status;               /**< HTTP status, or 0 where there was no answer */
    const char *content_type; /**< or NULL */
    int retry_after;          /**< seconds, or -1 */
    const char *body;         /**< ends in a NUL that is not counted; "" where there is none */
    apr_size_t body_len;
    const char *error; /**< where status is 0: why, without any secret */
} clerk_http_response;

/**
 * A way to make outbound calls. TLS certificates and host names are always verified, redirects are never followed,
 * nothing but http and https is spoken. May be called from several threads at once.
 */
typedef struct clerk_http {
    void *baton;
    /** APR_SUCCESS with a response whenever a response was received, whatever its status; otherwise another status, and
     *  the response says why in `error`. APR_EINTR means that this process is stopping and says nothing about the
     *  server. The response is from @a pool and never NULL. */
    apr_status_t (*perform)(void *baton, clerk_http_response **presponse, const clerk_http_request *request,
                            apr_pool_t *pool);
} clerk_http;

/**
 * Set libcurl up for this process and those that it forks: half a millisecond that each of them is spared. Before there
 * are threads; undone with @a pool.
 */
apr_status_t clerk_http_curl_prepare(apr_pool_t *pool);

/**
 * The libcurl implementation; it lives as long as @a pool. Call once per process, before threads use it (httpd:
 * child_init).
 * @param user_agent such as "mod_auth_clerk/0.1"
 */
apr_status_t clerk_http_curl_create(clerk_http **phttp, const char *user_agent, apr_pool_t *pool);

/** Make every call under way in this process end soon, and further ones fail at once (a child is stopping). */
void clerk_http_curl_abort(clerk_http *http);

/**
 * Whether @a url is one that may be configured: https with a host, or http to a loopback address (127.0.0.0/8, ::1,
 * localhost); no credentials, no fragment, no white space or control characters, no backslash, ASCII only.
 * @return NULL if so, else what is wrong (static text that begins with "it")
 */
const char *clerk_http_url_problem(const char *url);

#endif
