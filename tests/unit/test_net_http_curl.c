/* SPDX-License-Identifier: Apache-2.0 */
/* The libcurl implementation against a real server on loopback. */
#include "http_server_fixture.h"

#include <fcntl.h>
#include <poll.h>

#include <openssl/err.h>

#include "net/http.h"

#define SECRET "sk_test_canary_91ab"

typedef struct setting {
    apr_pool_t *pool;
    http_server *server;
    clerk_http *http;
    clerk_http_request request;
} setting;

static const char *url_of(setting *s, const char *path)
{
    return apr_psprintf(s->pool, "%s://127.0.0.1:%d%s", s->server->tls ? "https" : "http", s->server->port, path);
}

static setting *setting_of(void **state, SSL_CTX *tls)
{
    apr_pool_t *pool = *state;
    setting *s = apr_pcalloc(pool, sizeof(*s));

    s->pool = pool;
    s->server = http_server_start(tls, pool);
    assert_int_equal(clerk_http_curl_create(&s->http, "mod_auth_clerk/test", pool), APR_SUCCESS);
    s->request.method = "GET";
    s->request.timeout = apr_time_from_sec(5);
    s->request.max_response = 4096;
    s->request.bearer = SECRET;
    return s;
}

static apr_status_t call(setting *s, const char *path, clerk_http_response **presponse)
{
    apr_status_t rv;

    s->request.url = url_of(s, path);
    *presponse = NULL;
    rv = s->http->perform(s->http->baton, presponse, &s->request, s->pool);
    assert_non_null(*presponse);
    assert_non_null((*presponse)->body);
    if (rv == APR_SUCCESS) {
        assert_true((*presponse)->status > 0);
    } else {
        assert_int_equal((*presponse)->status, 0);
        assert_non_null((*presponse)->error);
        assert_null(strstr((*presponse)->error, SECRET));
    }
    return rv;
}

static void answers(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *type;
        const char *body;
        int retry_after;
    } cases[] = {
        {"/ok", 200, "application/json", "{\"ok\":true}", -1},
        {"/empty", 204, NULL, "", -1},
        {"/redirect", 302, NULL, "", -1},
        {"/later", 429, NULL, "{}", 7},
        {"/error", 500, "text/html", "oops", -1},
        {"/nowhere", 404, NULL, "", -1},
    };
    setting *s = setting_of(state, NULL);
    clerk_http_response *response;

    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(call(s, cases[i].path, &response), APR_SUCCESS);
        assert_int_equal(response->status, cases[i].status);
        assert_string_equal(response->body, cases[i].body);
        assert_int_equal(response->body_len, strlen(cases[i].body));
        assert_int_equal(response->retry_after, cases[i].retry_after);
        assert_string_equal(response->content_type ? response->content_type : "", cases[i].type ? cases[i].type : "");
    }
    /* No redirect was followed, and one connection was enough. */
    assert_int_equal(atomic_load(&s->server->requests), COUNT(cases));
    assert_int_equal(atomic_load(&s->server->connections), 1);
}

static void request_as_sent(void **state)
{
    setting *s = setting_of(state, NULL);
    apr_table_t *headers = apr_table_make(s->pool, 2);
    clerk_http_response *response;
    const char *head;

    apr_table_setn(headers, "Clerk-API-Version", "2026-05-12");
    apr_table_setn(headers, "Accept", "application/json");
    s->request.headers = headers;
    assert_int_equal(call(s, "/ok?a=b", &response), APR_SUCCESS);
    head = http_server_head(s->server, s->pool);
    assert_ptr_equal(strstr(head, "GET /ok?a=b HTTP/1.1\r\n"), head);
    assert_non_null(strstr(head, "\r\nAuthorization: Bearer " SECRET "\r\n"));
    assert_non_null(strstr(head, "\r\nClerk-API-Version: 2026-05-12\r\n"));
    assert_non_null(strstr(head, "\r\nAccept: application/json\r\n"));
    assert_non_null(strstr(head, "\r\nUser-Agent: mod_auth_clerk/test\r\n"));
    assert_null(strstr(head, "Cookie"));
    /* A handle that is used again keeps nothing of the earlier call. */
    s->request.method = "POST";
    s->request.bearer = NULL;
    s->request.headers = NULL;
    s->request.body = "a body\nof two lines";
    s->request.body_len = strlen(s->request.body);
    assert_int_equal(call(s, "/ok", &response), APR_SUCCESS);
    head = http_server_head(s->server, s->pool);
    assert_ptr_equal(strstr(head, "POST /ok HTTP/1.1\r\n"), head);
    assert_non_null(strstr(head, "\r\n\r\na body\nof two lines"));
    assert_null(strstr(head, "Authorization"));
    assert_null(strstr(head, "Clerk-API-Version"));
    assert_null(strstr(head, "Expect"));
    s->request.body = NULL;
    assert_int_equal(call(s, "/ok", &response), APR_SUCCESS);
    assert_non_null(strstr(http_server_head(s->server, s->pool), "\r\nContent-Length: 0\r\n"));
}

static void requests_that_are_not_made(void **state)
{
    setting *s = setting_of(state, NULL);
    apr_table_t *headers = apr_table_make(s->pool, 1);
    clerk_http_response *response;

    s->request.bearer = "a\r\nX-Injected: b";
    assert_int_equal(call(s, "/ok", &response), APR_EINVAL);
    s->request.bearer = NULL;
    apr_table_setn(headers, "X-Test", "a\nb");
    s->request.headers = headers;
    assert_int_equal(call(s, "/ok", &response), APR_EINVAL);
    s->request.headers = NULL;
    s->request.method = "DELETE";
    assert_true(call(s, "/ok", &response) != APR_SUCCESS);
    s->request.method = "GET";
    s->request.url = "http://192.0.2.1/";
    assert_int_equal(s->http->perform(s->http->baton, &response, &s->request, s->pool), APR_EINVAL);
    assert_non_null(strstr(response->error, "loopback"));
    s->request.url = "file:///etc/passwd";
    assert_int_equal(s->http->perform(s->http->baton, &response, &s->request, s->pool), APR_EINVAL);
    assert_int_equal(atomic_load(&s->server->requests), 0);
}

static void size_is_bounded(void **state)
{
    static const char *const paths[] = {"/declared", "/endless", "/10000"};
    setting *s = setting_of(state, NULL);
    clerk_http_response *response;

    for (size_t i = 0; i < COUNT(paths); i++) {
        assert_int_equal(call(s, paths[i], &response), APR_ENOSPC);
        assert_string_equal(response->error, "the answer is longer than 4096 bytes");
    }
    s->request.max_response = 10000;
    assert_int_equal(call(s, "/10000", &response), APR_SUCCESS);
    assert_int_equal(response->body_len, 10000);
    assert_int_equal(strspn(response->body, "b"), 10000);
    s->request.max_response = 9999;
    assert_int_equal(call(s, "/10000", &response), APR_ENOSPC);
    assert_int_equal(call(s, "/broken", &response), APR_EGENERAL);
}

static void time_is_bounded(void **state)
{
    static const char *const paths[] = {"/silent", "/drip"};
    setting *s = setting_of(state, NULL);
    clerk_http_response *response;

    s->request.timeout = apr_time_from_msec(200);
    s->request.max_response = 1000000;
    for (size_t i = 0; i < COUNT(paths); i++) {
        apr_time_t begin = apr_time_now();

        assert_int_equal(call(s, paths[i], &response), APR_TIMEUP);
        assert_in_range(apr_time_now() - begin, apr_time_from_msec(150), apr_time_from_msec(2000));
    }
}

static void nobody_listens(void **state)
{
    setting *s = setting_of(state, NULL);
    clerk_http_response *response;
    apr_pool_t *other;
    int port;

    apr_pool_create(&other, s->pool);
    port = http_server_start(NULL, other)->port;
    apr_pool_destroy(other);
    s->request.url = apr_psprintf(s->pool, "http://127.0.0.1:%d/", port);
    assert_int_equal(s->http->perform(s->http->baton, &response, &s->request, s->pool), APR_ECONNREFUSED);
    assert_non_null(strstr(response->error, apr_psprintf(s->pool, "%d", port)));
}

typedef struct late_abort {
    setting *s;
    int requests;
} late_abort;

static void *abort_when_called(void *baton)
{
    late_abort *late = baton;

    while (atomic_load(&late->s->server->requests) < late->requests) {
        poll(NULL, 0, 1);
    }
    clerk_http_curl_abort(late->s->http);
    return NULL;
}

static void abort_ends_a_call(void **state)
{
    setting *s = setting_of(state, NULL);
    late_abort late = {s, 1};
    clerk_http_response *response;
    apr_time_t begin = apr_time_now();
    pthread_t thread;

    s->request.timeout = apr_time_from_sec(60);
    assert_int_equal(pthread_create(&thread, NULL, abort_when_called, &late), 0);
    assert_int_equal(call(s, "/silent", &response), APR_EINTR);
    assert_true(apr_time_now() - begin < apr_time_from_sec(10));
    pthread_join(thread, NULL);
    assert_int_equal(call(s, "/ok", &response), APR_EINTR);
    assert_int_equal(atomic_load(&s->server->requests), 1);
}

static void environment_and_proxy(void **state)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    setting *s = setting_of(state, NULL);
    const char *proxy = url_of(s, ""), *head;
    clerk_http_response *response;

    for (size_t i = 0; i < COUNT(names); i++) {
        setenv(names[i], "http://127.0.0.1:1", 1);
    }
    setenv("no_proxy", "*", 1);
    assert_int_equal(call(s, "/ok", &response), APR_SUCCESS);
    /* Calls with http never use a proxy. */
    s->request.proxy = "http://127.0.0.1:1";
    assert_int_equal(call(s, "/ok", &response), APR_SUCCESS);
    /* Calls with https use it, even if no_proxy is set; the secret is sent inside the tunnel only. */
    s->request.proxy = proxy;
    s->request.url = "https://api.example/ok";
    assert_true(s->http->perform(s->http->baton, &response, &s->request, s->pool) != APR_SUCCESS);
    assert_int_equal(response->status, 0);
    head = http_server_head(s->server, s->pool);
    assert_ptr_equal(strstr(head, "CONNECT api.example:443 HTTP/1.1\r\n"), head);
    assert_null(strstr(head, SECRET));
    assert_null(strstr(response->error, SECRET));
    s->request.proxy = "gopher://user:canary@127.0.0.1:1";
    assert_true(s->http->perform(s->http->baton, &response, &s->request, s->pool) != APR_SUCCESS);
    assert_null(strstr(response->error, "canary"));
    for (size_t i = 0; i < COUNT(names); i++) {
        unsetenv(names[i]);
    }
    unsetenv("no_proxy");
}

static char *write_file(const char *text, apr_pool_t *pool)
{
    char *path = apr_pstrdup(pool, "/tmp/test_shared_http_curl.XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void certificates_are_verified(void **state)
{
    static const struct {
        const char *names;
        int trusted;
        int good;
    } cases[] = {
        {"IP:127.0.0.1", 1, 1},
        {"IP:127.0.0.1", 0, 0},
        {"DNS:api.example", 1, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *certificate;
        SSL_CTX *tls = http_server_tls(cases[i].names, &certificate, *state);
        setting *s = setting_of(state, tls);
        char *path = write_file(certificate, s->pool);
        clerk_http_response *response;

        s->request.ca_file = cases[i].trusted ? path : NULL;
        assert_int_equal(call(s, "/ok", &response) == APR_SUCCESS, cases[i].good);
        /* Trusted certificates are those of the call, not those of an earlier call with the same handle or connection.
         */
        s->request.ca_file = NULL;
        assert_true(call(s, "/empty", &response) != APR_SUCCESS);
        s->request.ca_file = "/nonexistent/ca.pem";
        assert_true(call(s, "/empty", &response) != APR_SUCCESS);
        assert_int_equal(atomic_load(&s->server->requests), cases[i].good);
        unlink(path);
    }
}

static void old_tls_is_refused(void **state)
{
    const char *certificate;
    SSL_CTX *tls = http_server_tls("IP:127.0.0.1", &certificate, *state);
    clerk_http_response *response;
    setting *s;
    char *path;

    SSL_CTX_set_security_level(tls, 0);
    SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(tls, TLS1_1_VERSION);
    s = setting_of(state, tls);
    path = write_file(certificate, s->pool);
    s->request.ca_file = path;
    assert_true(call(s, "/ok", &response) != APR_SUCCESS);
    assert_int_equal(atomic_load(&s->server->requests), 0);
    unlink(path);
}

static void *call_often(void *baton)
{
    setting *s = baton, mine = *s;
    clerk_http_response *response;

    apr_pool_create_unmanaged_ex(&mine.pool, NULL, NULL);
    mine.request.url = apr_psprintf(mine.pool, "http://127.0.0.1:%d/ok", s->server->port);
    for (int i = 0; i < 50; i++) {
        if (mine.http->perform(mine.http->baton, &response, &mine.request, mine.pool) != APR_SUCCESS
            || response->status != 200) {
            abort();
        }
    }
    apr_pool_destroy(mine.pool);
    return NULL;
}

static void many_threads(void **state)
{
    setting *s = setting_of(state, NULL);
    pthread_t threads[12];

    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, s), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&s->server->requests), 50 * COUNT(threads));
}

/* In this test, OpenSSL's error queue of the thread may have errors of libcurl and of the server. */
static int teardown(void **state)
{
    apr_pool_destroy(*state);
    ERR_clear_error();
    return 0;
}

#define http_test(function) cmocka_unit_test_setup_teardown(function, jose_fixture_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        http_test(answers),
        http_test(request_as_sent),
        http_test(requests_that_are_not_made),
        http_test(size_is_bounded),
        http_test(time_is_bounded),
        http_test(nobody_listens),
        http_test(abort_ends_a_call),
        http_test(environment_and_proxy),
        http_test(certificates_are_verified),
        http_test(old_tls_is_refused),
        http_test(many_threads),
    };

    return cmocka_run_group_tests_name("shared/http_curl", tests, jose_fixture_group_setup,
                                       jose_fixture_group_teardown);
}
