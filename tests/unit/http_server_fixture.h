/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_SERVER_FIXTURE_H
#define HTTP_SERVER_FIXTURE_H

/* An HTTP server on a free port of 127.0.0.1. Its response depends on the path. It keeps the head of the last request.
 */

#include "jose_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/ssl.h>

typedef struct http_server {
    int listener;
    int port;
    SSL_CTX *tls; /* NULL for plain http */
    atomic_int stop;
    atomic_int requests;
    atomic_int connections;
    atomic_int running; /* threads that serve a connection */
    pthread_t thread;
    pthread_mutex_t mutex;
    char head[8192]; /* the last request, body included */
} http_server;

/* Start a server, which is stopped with the pool. @param tls NULL for plain http; else freed with the server */
http_server *http_server_start(SSL_CTX *tls, apr_pool_t *pool);

/* The head of the last request. */
char *http_server_head(http_server *server, apr_pool_t *pool);

/* A TLS context with a new self-signed certificate for the given names, such as "IP:127.0.0.1". */
SSL_CTX *http_server_tls(const char *names, const char **pcertificate, apr_pool_t *pool);

#endif
