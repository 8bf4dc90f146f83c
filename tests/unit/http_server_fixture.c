/* SPDX-License-Identifier: Apache-2.0 */
#include "http_server_fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

typedef struct http_connection {
    http_server *server;
    int fd;
    SSL *ssl;
} http_connection;

static ssize_t connection_read(http_connection *c, char *data, size_t len)
{
    return c->ssl ? SSL_read(c->ssl, data, (int)len) : recv(c->fd, data, len, 0);
}

static int connection_write(http_connection *c, const char *data, size_t len)
{
    ssize_t sent = c->ssl ? SSL_write(c->ssl, data, (int)len) : send(c->fd, data, len, MSG_NOSIGNAL);

    return sent == (ssize_t)len;
}

/* Wait for bytes from the peer; 0 where there will be none. */
static int connection_wait(http_connection *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};

    while (!atomic_load(&c->server->stop)) {
        int ready = poll(&p, 1, 20);

        if (ready != 0) {
            return ready > 0;
        }
    }
    return 0;
}

static int serve_path(http_connection *c, const char *path)
{
    char chunk[1024];

    memset(chunk, 'b', sizeof(chunk));
#define ANSWER(text) connection_write(c, text, strlen(text))
    if (!strncmp(path, "/ok", 3)) {
        return ANSWER("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}");
    }
    if (!strncmp(path, "/empty", 6)) {
        return ANSWER("HTTP/1.1 204 No Content\r\n\r\n");
    }
    if (!strncmp(path, "/redirect", 9)) {
        return ANSWER("HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    }
    if (!strncmp(path, "/later", 6)) {
        return ANSWER("HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}");
    }
    if (!strncmp(path, "/error", 6)) {
        return ANSWER("HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\noops");
    }
    if (!strncmp(path, "/declared", 9)) {
        return ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nx");
    }
    if (!strncmp(path, "/endless", 8)) {
        ANSWER("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while (!atomic_load(&c->server->stop) && connection_write(c, chunk, sizeof(chunk))) {
        }
        return 0;
    }
    if (!strncmp(path, "/10000", 6)) {
        ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
        for (int i = 0; i < 100; i++) {
            connection_write(c, chunk, 100);
        }
        return 1;
    }
    if (!strncmp(path, "/broken", 7)) {
        ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        return 0;
    }
    if (!strncmp(path, "/drip", 5)) {
        ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while (!atomic_load(&c->server->stop) && connection_write(c, "d", 1)) {
            poll(NULL, 0, 5);
        }
        return 0;
    }
    if (!strncmp(path, "/silent", 7)) {
        connection_wait(c);
        return 0;
    }
    return ANSWER("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
#undef ANSWER
}

static int serve_request(http_connection *c)
{
    char head[8192], *end = NULL, *path, *length;
    size_t len = 0, wanted = 0;

    while (len < sizeof(head) - 1 && (!end || len < wanted)) {
        ssize_t got = (c->ssl && SSL_pending(c->ssl)) || connection_wait(c)
                          ? connection_read(c, head + len, sizeof(head) - 1 - len)
                          : 0;

        if (got <= 0) {
            return 0;
        }
        len += (size_t)got;
        head[len] = '\0';
        if (!end && (end = strstr(head, "\r\n\r\n"))) {
            length = strstr(head, "Content-Length: ");
            wanted = (size_t)(end + 4 - head) + (length ? (size_t)atoi(length + 16) : 0);
        }
    }
    pthread_mutex_lock(&c->server->mutex);
    memcpy(c->server->head, head, len + 1);
    pthread_mutex_unlock(&c->server->mutex);
    atomic_fetch_add(&c->server->requests, 1);
    path = strchr(head, ' ');
    return path && serve_path(c, path + 1);
}

static void *serve_connection(void *baton)
{
    http_connection *c = baton;

    if (c->server->tls) {
        c->ssl = SSL_new(c->server->tls);
        SSL_set_fd(c->ssl, c->fd);
    }
    if (!c->ssl || SSL_accept(c->ssl) == 1) {
        while (serve_request(c)) {
        }
    }
    SSL_free(c->ssl);
    close(c->fd);
    atomic_fetch_sub(&c->server->running, 1);
    free(c);
    return NULL;
}

static void *serve(void *baton)
{
    http_server *server = baton;
    struct pollfd p = {.fd = server->listener, .events = POLLIN};

    while (!atomic_load(&server->stop)) {
        http_connection *c;
        pthread_t thread;

        if (poll(&p, 1, 20) <= 0 || !(c = calloc(1, sizeof(*c)))) {
            continue;
        }
        c->server = server;
        c->fd = accept(server->listener, NULL, NULL);
        atomic_fetch_add(&server->connections, 1);
        atomic_fetch_add(&server->running, 1);
        if (c->fd < 0 || pthread_create(&thread, NULL, serve_connection, c) != 0) {
            abort();
        }
        pthread_detach(thread);
    }
    return NULL;
}

static apr_status_t http_server_stop(void *baton)
{
    http_server *server = baton;

    atomic_store(&server->stop, 1);
    pthread_join(server->thread, NULL);
    while (atomic_load(&server->running)) {
        poll(NULL, 0, 1);
    }
    close(server->listener);
    SSL_CTX_free(server->tls);
    pthread_mutex_destroy(&server->mutex);
    return APR_SUCCESS;
}

http_server *http_server_start(SSL_CTX *tls, apr_pool_t *pool)
{
    http_server *server = apr_pcalloc(pool, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);

    signal(SIGPIPE, SIG_IGN);
    server->tls = tls;
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    pthread_mutex_init(&server->mutex, NULL);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    apr_pool_cleanup_register(pool, server, http_server_stop, apr_pool_cleanup_null);
    return server;
}

char *http_server_head(http_server *server, apr_pool_t *pool)
{
    char *head;

    pthread_mutex_lock(&server->mutex);
    head = apr_pstrdup(pool, server->head);
    pthread_mutex_unlock(&server->mutex);
    return head;
}

SSL_CTX *http_server_tls(const char *names, const char **pcertificate, apr_pool_t *pool)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *pkey = make_ec("P-256", pool);
    X509 *x509 = X509_new();
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(extension);
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, pkey);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC, (const unsigned char *)"t", -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(x509, pkey, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(tls, x509), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(tls, pkey), 1);
    assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
    X509_free(x509);
    *pcertificate = bio_text(bio, pool);
    return tls;
}
