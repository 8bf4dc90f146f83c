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
    const char *proxy;           /**< proxy URL, or NULL (proxy settings in the environment are always ignored) */
    const char *ca_file;         /**< PEM file of trusted certificates, or NULL for the system's */
    apr_interval_time_t timeout; /**< the whole call, connecting included, microseconds */
    apr_size_t max_response;     /**< a longer body is a failure, bytes */
} clerk_http_request;

/** The response. */
typedef struct clerk_http_response {
    int status;               /**< HTTP status, or 0 if there was no response */
    const char *content_type; /**< or NULL */
    int retry_after;          /**< seconds, or -1 */
    apr_time_t date;          /**< the server's clock, by its Date field, whole seconds; 0: not known */
    const char *body;         /**< ends in a NUL that is not counted; "" if there is none */
    apr_size_t body_len;
    const char *error; /**< if status is 0: the reason, without any secret */
} clerk_http_response;

/**
 * An HTTP client. TLS certificates and host names are always verified, redirects are never followed, only http and
 * https are used. May be called from several threads at once.
 */
typedef struct clerk_http {
    void *baton;
    /**
     * Make a call.
     * @param presponse from @a pool; never NULL
     * @return APR_SUCCESS if a response was received, whatever its status; else the reason is in the response's
     * `error`. APR_EINTR means that this process is stopping and says nothing about the server
     */
    apr_status_t (*perform)(void *baton, clerk_http_response **presponse, const clerk_http_request *request,
                            apr_pool_t *pool);
} clerk_http;

/**
 * Initialize libcurl in the parent process, which saves each child half a millisecond. Call before threads start;
 * undone when @a pool is cleared.
 */
apr_status_t clerk_http_curl_prepare(apr_pool_t *pool);

/**
 * Create the client, which uses libcurl and lives as long as @a pool. Call once in each process, before threads use it
 * (httpd: child_init).
 * @param user_agent such as "mod_auth_clerk/0.1"
 */
apr_status_t clerk_http_curl_create(clerk_http **phttp, const char *user_agent, apr_pool_t *pool);

/** Abort all calls under way in this process, and let further ones fail at once, because the child is stopping. */
void clerk_http_curl_abort(clerk_http *http);

/**
 * Whether @a url may be configured and called: https with a host, or http to a loopback address; no credentials, no
 * fragment, no white space or control characters, no backslash, ASCII only; and libcurl reads it as it is written.
 * @return NULL if so, else what is wrong (static text that begins with "it")
 */
const char *clerk_http_url_problem(const char *url);

/** Whether @a url is one of a proxy: http or https with a host; credentials are allowed. @return as above */
const char *clerk_http_url_proxy_problem(const char *url);

/**
 * Whether a call to this host stays on this machine: an address in 127.0.0.0/8 in its four decimal numbers, `[::1]`, or
 * `localhost`, which libcurl or the hosts file resolve. Names below `localhost` may be asked of a name server.
 */
int clerk_http_url_is_loopback(const char *host);

/** A URL as libcurl reads it, without user, password, query and fragment, for logs; from @a pool, never NULL. */
const char *clerk_http_url_printable(const char *url, apr_pool_t *pool);

#endif
