/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <curl/curl.h>
#include <openssl/crypto.h>

#include "text/text.h"

/* The most idle handles that are kept, for their open connections. */
#define IDLE_MAX 8
#define CONNECT_TIMEOUT_MS 2000

typedef struct curl_client {
    clerk_http http; /* the interface; its baton points to this struct */
    const char *user_agent;
    atomic_int aborted;
    apr_thread_mutex_t *mutex; /* guards idle and idle_count */
    CURL *idle[IDLE_MAX];
    unsigned int idle_count;
} curl_client;

/* One call under way. */
typedef struct curl_call {
    curl_client *client;
    const clerk_http_request *request;
    clerk_http_response *response;
    apr_pool_t *pool;
    char *body;
    apr_size_t len;
    apr_size_t size;
    int too_large;
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
} curl_call;

static CURL *take_handle(curl_client *client)
{
    CURL *handle = NULL;

    apr_thread_mutex_lock(client->mutex);
    if (client->idle_count) {
        handle = client->idle[--client->idle_count];
    }
    apr_thread_mutex_unlock(client->mutex);
    return handle ? handle : curl_easy_init();
}

static void return_handle(curl_client *client, CURL *handle)
{
    /* Clears all options, including the secrets; keeps connections and TLS sessions. */
    curl_easy_reset(handle);
    apr_thread_mutex_lock(client->mutex);
    if (client->idle_count < IDLE_MAX) {
        client->idle[client->idle_count++] = handle;
        handle = NULL;
    }
    apr_thread_mutex_unlock(client->mutex);
    if (handle) {
        curl_easy_cleanup(handle);
    }
}

static size_t on_body(char *data, size_t size, size_t count, void *baton)
{
    curl_call *call = baton;
    size_t len = size * count;

    if (len > call->request->max_response - call->len) {
        call->too_large = 1;
        return 0;
    }
    if (call->len + len > call->size) {
        apr_size_t grown = call->size ? call->size * 2 : 4096;
        char *body;

        while (grown < call->len + len) {
            grown *= 2;
        }
        body = apr_palloc(call->pool, grown + 1);
        if (call->len) {
            memcpy(body, call->body, call->len);
        }
        call->body = body;
        call->size = grown;
    }
    memcpy(call->body + call->len, data, len);
    call->len += len;
    return len;
}

/* The field Date says what the server's clock shows. */
static size_t on_header(char *line, size_t size, size_t count, void *baton)
{
    static const char name[] = "Date:";
    curl_call *call = baton;
    size_t len = size * count;
    time_t date;

    if (!call->response->date && len >= sizeof(name) && !strncasecmp(line, name, sizeof(name) - 1)) {
        date = curl_getdate(apr_pstrmemdup(call->pool, line + sizeof(name) - 1, len - sizeof(name) + 1), NULL);
        call->response->date = date > 0 ? apr_time_from_sec(date) : 0;
    }
    return len;
}

static int on_progress(void *baton, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
    (void)dltotal;
    (void)dlnow;
    (void)ultotal;
    (void)ulnow;
    return atomic_load(&((curl_client *)baton)->aborted);
}

static int add_line(curl_call *call, const char *line)
{
    /* libcurl sends it as it is, so it must not contain a line break. */
    struct curl_slist *longer = clerk_text_is_clean(line) ? curl_slist_append(call->headers, line) : NULL;

    if (!longer) {
        return 0;
    }
    call->headers = longer;
    return 1;
}

static int add_header(curl_call *call, const char *name, const char *value)
{
    return add_line(call, apr_pstrcat(call->pool, name, ": ", value, NULL));
}

static int add_bearer(curl_call *call, const char *secret)
{
    char *line = apr_pstrcat(call->pool, "Authorization: Bearer ", secret, NULL);
    int added = add_line(call, line);

    OPENSSL_cleanse(line, strlen(line));
    return added;
}

static int add_header_from_table(void *baton, const char *name, const char *value)
{
    return add_header(baton, name, value);
}

static int add_headers(curl_call *call)
{
    const clerk_http_request *request = call->request;
    /* Without this, libcurl waits up to a second for "100 Continue" before it sends a larger body. */
    struct curl_slist *first = curl_slist_append(NULL, "Expect:");

    if (!first) {
        return 0;
    }
    call->headers = first;
    if (request->headers && !apr_table_do(add_header_from_table, call, request->headers, NULL)) {
        return 0;
    }
    return !request->bearer || add_bearer(call, request->bearer);
}

/* Overwrite them first: one may hold a secret. libcurl's own copies are out of reach. */
static void free_headers(curl_call *call)
{
    for (const struct curl_slist *at = call->headers; at; at = at->next) {
        OPENSSL_cleanse(at->data, strlen(at->data));
    }
    curl_slist_free_all(call->headers);
}

static CURLcode set_method(CURL *handle, const clerk_http_request *request)
{
    CURLcode code;

    if (!strcmp(request->method, "GET")) {
        return curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    }
    if (strcmp(request->method, "POST")) {
        return CURLE_UNSUPPORTED_PROTOCOL;
    }
    code = curl_easy_setopt(handle, CURLOPT_POST, 1L);
    if (code == CURLE_OK) {
        curl_off_t len = request->body ? (curl_off_t)request->body_len : 0;

        code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, len);
    }
    if (code == CURLE_OK) {
        code = curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    return code;
}

/* Return at the first option that libcurl does not accept: no call may be made without it. */
#define SET(option, value)                                                                                             \
    do {                                                                                                               \
        CURLcode set_code = curl_easy_setopt(handle, option, value);                                                   \
        if (set_code != CURLE_OK) {                                                                                    \
            return set_code;                                                                                           \
        }                                                                                                              \
    } while (0)

static CURLcode set_trust(CURL *handle, const clerk_http_request *request, int tls)
{
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (request->ca_file) {
        SET(CURLOPT_CAINFO, request->ca_file);
        SET(CURLOPT_PROXY_CAINFO, request->ca_file);
    }
    SET(CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
#else
    SET(CURLOPT_PROTOCOLS, tls ? (long)CURLPROTO_HTTPS : (long)CURLPROTO_HTTP);
#endif
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    /* "" overrides the environment. Unencrypted calls to a loopback address must not go through a proxy. */
    SET(CURLOPT_PROXY, request->proxy && tls ? request->proxy : "");
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    return CURLE_OK;
}

static CURLcode set_options(CURL *handle, curl_call *call)
{
    const clerk_http_request *request = call->request;
    long timeout = (long)(request->timeout / 1000);

    if (timeout < 1) {
        timeout = 1;
    }
    SET(CURLOPT_ERRORBUFFER, call->error);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, timeout);
    SET(CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_TIMEOUT_MS ? timeout : (long)CONNECT_TIMEOUT_MS);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, call->client);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, call);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, call);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_response);
    SET(CURLOPT_USERAGENT, call->client->user_agent);
    SET(CURLOPT_HTTPHEADER, call->headers);
    SET(CURLOPT_URL, request->url);
    return CURLE_OK;
}

static apr_status_t fail(clerk_http_response *response, apr_status_t rv, const char *error)
{
    response->status = 0;
    response->error = error;
    return rv;
}

static apr_status_t explain(curl_call *call, CURLcode code)
{
    const clerk_http_request *request = call->request;
    /* libcurl's own message may name the proxy: an internal address, or a URL with a password. */
    const char *error = call->error[0] && !request->proxy ? call->error : curl_easy_strerror(code);

    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return fail(call->response, APR_EINTR, "aborted, the process is stopping");
    }
    if (call->too_large || code == CURLE_FILESIZE_EXCEEDED) {
        error = apr_psprintf(call->pool, "the answer is longer than %" APR_SIZE_T_FMT " bytes", request->max_response);
        return fail(call->response, APR_ENOSPC, error);
    }
    error = apr_pstrdup(call->pool, error);
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return fail(call->response, APR_TIMEUP, error);
    }
    return fail(call->response, code == CURLE_COULDNT_CONNECT ? APR_ECONNREFUSED : APR_EGENERAL, error);
}

static void read_response(CURL *handle, curl_call *call)
{
    clerk_http_response *response = call->response;
    const char *type = NULL;
    curl_off_t retry_after = 0;
    long status = 0;

    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
    response->status = (int)status;
    response->content_type = type ? apr_pstrdup(call->pool, type) : NULL;
    if (retry_after > 0) {
        response->retry_after = retry_after > 86400 ? 86400 : (int)retry_after;
    }
    if (call->len) {
        call->body[call->len] = '\0';
        response->body = call->body;
        response->body_len = call->len;
    }
}

static apr_status_t curl_perform(void *baton, clerk_http_response **presponse, const clerk_http_request *request,
                                 apr_pool_t *pool)
{
    curl_call call = {.client = baton, .request = request, .pool = pool};
    const char *problem = clerk_http_url_problem(request->url);
    apr_status_t rv = APR_SUCCESS;
    CURL *handle;
    CURLcode code;

    call.response = *presponse = apr_pcalloc(pool, sizeof(**presponse));
    call.response->body = "";
    call.response->retry_after = -1;
    if (problem) {
        return fail(call.response, APR_EINVAL, apr_pstrcat(pool, "the URL cannot be used: ", problem, NULL));
    }
    if (atomic_load(&call.client->aborted)) {
        return fail(call.response, APR_EINTR, "aborted, the process is stopping");
    }
    if (!add_headers(&call)) {
        free_headers(&call);
        return fail(call.response, APR_EINVAL, "a header field or the secret contains a control character");
    }
    if (!(handle = take_handle(call.client))) {
        free_headers(&call);
        return fail(call.response, APR_ENOMEM, "libcurl gave no handle");
    }
    code = set_method(handle, request);
    if (code == CURLE_OK) {
        code = set_trust(handle, request, !strncasecmp(request->url, "https:", 6));
    }
    if (code == CURLE_OK) {
        code = set_options(handle, &call);
    }
    if (code == CURLE_OK) {
        code = curl_easy_perform(handle);
    }
    if (code == CURLE_OK) {
        read_response(handle, &call);
    } else {
        rv = explain(&call, code);
    }
    return_handle(call.client, handle);
    free_headers(&call);
    return rv;
}

/* Clean up in the process that called clerk_http_curl_prepare() only: in a child that is ending, libraries that libcurl
 * would clean up may be gone already. */
static apr_status_t global_cleanup(void *data)
{
    const pid_t *owner = data;

    if (*owner == getpid()) {
        curl_global_cleanup();
    }
    return APR_SUCCESS;
}

apr_status_t clerk_http_curl_prepare(apr_pool_t *pool)
{
    pid_t *owner;

    /* libcurl counts these calls, so other modules may use it in the same process. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return APR_EGENERAL;
    }
    owner = apr_palloc(pool, sizeof(*owner));
    *owner = getpid();
    apr_pool_cleanup_register(pool, owner, global_cleanup, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static apr_status_t client_cleanup(void *data)
{
    curl_client *client = data;

    while (client->idle_count) {
        curl_easy_cleanup(client->idle[--client->idle_count]);
    }
    return APR_SUCCESS;
}

apr_status_t clerk_http_curl_create(clerk_http **phttp, const char *user_agent, apr_pool_t *pool)
{
    curl_client *client = apr_pcalloc(pool, sizeof(*client));
    apr_status_t rv = apr_thread_mutex_create(&client->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    *phttp = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = clerk_http_curl_prepare(pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    client->http.baton = client;
    client->http.perform = curl_perform;
    client->user_agent = apr_pstrdup(pool, user_agent);
    atomic_init(&client->aborted, 0);
    apr_pool_cleanup_register(pool, client, client_cleanup, apr_pool_cleanup_null);
    *phttp = &client->http;
    return APR_SUCCESS;
}

void clerk_http_curl_abort(clerk_http *http)
{
    atomic_store(&((curl_client *)http->baton)->aborted, 1);
}
