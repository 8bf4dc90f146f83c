/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/doctor_network.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_network_io.h>
#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "clerk/protocol.h"
#include "ctl/sources.h"
#include "jose/base64url.h"
#include "jose/json.h"
#include "jose/keyset.h"
#include "text/text.h"

#define ANSWER_MAX 65536
#define SECRET_MAX 65536
/* Differences of clocks: up to the first, ClerkClockSkew makes up for it; a Date has whole seconds. */
#define CLOCK_TOLERATED 4
#define CLOCK_WRONG 30
#define MODULUS_MAX 1024

/* A key set that was fetched. */
typedef struct fetched {
    int done;
    json_t *keys; /* the array, or NULL; lives as long as the pool */
} fetched;

static void check_clock(clerk_findings *doctor, const clerk_http_response *response)
{
    apr_int64_t ahead;

    if (!response->date) {
        return;
    }
    clerk_findings_looked_at(doctor, "clock");
    ahead = apr_time_sec(apr_time_now() - response->date);
    if (ahead > CLOCK_TOLERATED || ahead < -CLOCK_TOLERATED) {
        clerk_findings_add(
            doctor, ahead > CLOCK_WRONG || ahead < -CLOCK_WRONG ? CLERK_FINDINGS_ERROR : CLERK_FINDINGS_WARNING,
            "clock", "set the clock by NTP (timedatectl set-ntp true)",
            "this machine's clock is %" APR_INT64_T_FMT " s %s Clerk's: tokens are refused as %s",
            ahead < 0 ? -ahead : ahead, ahead < 0 ? "behind" : "ahead of", ahead < 0 ? "not valid yet" : "expired");
    }
}

static int is_about_tls(const char *error)
{
    return error && (strstr(error, "SSL") || strstr(error, "certificate") || strstr(error, "TLS"));
}

/* The keys of an answer, or NULL. */
static json_t *keys_of(const clerk_http_response *response, apr_pool_t *pool)
{
    jose_keyset *set;
    json_t *document, *keys;

    if (jose_keyset_parse(&set, response->body, response->body_len, pool) != JOSE_OK
        || jose_json_parse_object(&document, response->body, response->body_len, JOSE_JSON_MAX_DEPTH, pool)
               != JOSE_OK) {
        return NULL;
    }
    keys = json_object_get(document, "keys");
    return json_is_array(keys) ? keys : NULL;
}

static fetched fetch(clerk_findings *doctor, const json_t *instance, const char *url, const char *bearer,
                     const char *check)
{
    apr_pool_t *pool = doctor->setup->pool;
    const char *proxy = json_string_value(json_object_get(instance, "http_proxy"));
    apr_table_t *headers = apr_table_make(pool, 1);
    clerk_http_request request = {.method = "GET",
                                  .url = url,
                                  .bearer = bearer,
                                  .headers = headers,
                                  .proxy = proxy,
                                  .ca_file = json_string_value(json_object_get(instance, "ca_file")),
                                  .timeout = json_integer_value(json_object_get(instance, "timeout")),
                                  .max_response = ANSWER_MAX};
    const char *shown = clerk_http_url_printable(url, pool);
    clerk_http_response *response;
    fetched result = {0, NULL};

    if (bearer) {
        apr_table_setn(headers, "Clerk-API-Version", CLERK_API_VERSION);
    }
    clerk_findings_looked_at(doctor, check);
    if (doctor->setup->http->perform(doctor->setup->http->baton, &response, &request, pool) != APR_SUCCESS) {
        int tls = is_about_tls(response->error);

        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, tls ? "tls" : check,
                           tls ? "install ca-certificates; behind a proxy that opens TLS, ClerkCAFile names its "
                                 "certificate"
                               : "check the firewall, the name server, ClerkHTTPProxy and the URL",
                           "%s cannot be reached: %s", shown, response->error);
        return result;
    }
    check_clock(doctor, response);
    if (bearer && (response->status == 401 || response->status == 403)) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-key",
                           "copy the secret key from the Clerk dashboard (API keys), and restart httpd",
                           "Clerk refuses the secret key: answer %d", response->status);
        return result;
    }
    if (response->status != 200) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, check,
                           "compare the URL with the Clerk dashboard; see also "
                           "https://status.clerk.com",
                           "%s answers %d", shown, response->status);
        return result;
    }
    result.keys = keys_of(response, pool);
    result.done = result.keys != NULL;
    if (!result.done) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, check, "compare the URL with the Clerk dashboard",
                           "%s has no key set with a usable key", shown);
    }
    return result;
}

/* The only directive of that name, or NULL; so its value is known to be the instance's. */
static const char *only_args(const clerk_findings *doctor, const char *name)
{
    const char *args = NULL;
    const json_t *directive;
    size_t i;

    json_array_foreach(json_object_get(doctor->dump, "directives"), i, directive)
    {
        if (!strcasecmp(clerk_findings_text(directive, "name"), name)) {
            if (args) {
                return NULL;
            }
            args = clerk_findings_text(directive, "args");
        }
    }
    return args;
}

/* The value of a secret, if it is certain which one the instance has, and if it can be read without running anything.
 */
static const char *value_of(const clerk_findings *doctor, const char *name)
{
    const char *args = only_args(doctor, name), *value, *problem;
    clerk_sources_fault fault;

    if (!args || json_array_size(json_object_get(doctor->dump, "instances")) != 1
        || !(clerk_text_begins_with(args, "file:") || clerk_text_begins_with(args, "env:"))) {
        return NULL;
    }
    problem = clerk_sources_read(&value, &fault, name, args, SECRET_MAX, doctor->setup->pool);
    if (problem) {
        return NULL;
    }
    clerk_output_secret(doctor->setup->out, value);
    return value;
}

static int has_member(const json_t *keys, const char *name, const char *value)
{
    const json_t *key;
    size_t i;

    json_array_foreach(keys, i, key)
    {
        const char *text = json_string_value(json_object_get(key, name));

        if (text && !strcmp(text, value)) {
            return 1;
        }
    }
    return 0;
}

static int have_one_in_common(const json_t *one, const json_t *other)
{
    const json_t *key;
    size_t i;

    json_array_foreach(one, i, key)
    {
        const char *kid = json_string_value(json_object_get(key, "kid"));

        if (kid && has_member(other, "kid", kid)) {
            return 1;
        }
    }
    return 0;
}

/* The modulus of a PEM key as a JWK has it, or NULL. */
static const char *modulus_of(const char *pem, apr_pool_t *pool)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)strlen(pem));
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    unsigned char bytes[MODULUS_MAX];
    const char *text = NULL;
    BIGNUM *n = NULL;

    if (key && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 && BN_num_bytes(n) <= MODULUS_MAX) {
        int size = BN_bn2bin(n, bytes);

        text = jose_base64url_encode(bytes, (apr_size_t)size, pool);
    }
    BN_free(n);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return text;
}

static void check_instance(clerk_findings *doctor, const json_t *instance)
{
    apr_pool_t *pool = doctor->setup->pool;
    const char *frontend = clerk_findings_text(instance, "frontend_url"),
               *api = clerk_findings_text(instance, "api_url");
    const char *jwks_url = clerk_findings_text(instance, "jwks_url"), *secret = value_of(doctor, "ClerkSecretKey");
    const char *api_keys = apr_pstrcat(pool, api, "/v1/jwks", NULL), *pem = value_of(doctor, "ClerkJWTKey"), *modulus;
    const char *public_keys = apr_pstrcat(pool, frontend, "/.well-known/jwks.json", NULL);
    int has_secret = json_is_true(json_object_get(instance, "secret_key"));
    fetched by_api = {0, NULL}, by_frontend = {0, NULL};

    if (has_secret && secret) {
        by_api = fetch(doctor, instance, api_keys, secret, "keys");
    }
    if (*jwks_url && strcmp(jwks_url, api_keys) && strcmp(jwks_url, public_keys)) {
        /* ClerkJWKSURL takes the place of the others: browsers alone use the frontend API then. */
        by_frontend = fetch(doctor, instance, jwks_url, NULL, "keys");
    } else if (*frontend) {
        by_frontend = fetch(doctor, instance, public_keys, NULL, "frontend-api");
    }
    if (by_api.done && by_frontend.done && !have_one_in_common(by_api.keys, by_frontend.keys)) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "instances-differ",
                           "copy both keys from the same instance in the Clerk dashboard",
                           "the publishable key and the secret key are of different instances: they have no key in "
                           "common");
    }
    modulus = pem && by_frontend.done ? modulus_of(pem, pool) : NULL;
    if (modulus) {
        clerk_findings_looked_at(doctor, "pem");
        if (!has_member(by_frontend.keys, "n", modulus)) {
            clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "pem",
                               "copy the PEM public key from the Clerk dashboard, or leave ClerkJWTKey out",
                               "the key of ClerkJWTKey is none of those that Clerk publishes for this instance");
        }
    }
}

/* Say PING to a redis. @return NULL, or what is wrong */
static const char *ping(const char *host, apr_port_t port, apr_pool_t *pool)
{
    apr_sockaddr_t *address;
    apr_socket_t *socket;
    char answer[8] = "", message[120];
    apr_size_t len = 6, got = sizeof(answer) - 1;
    apr_status_t rv = apr_sockaddr_info_get(&address, host, APR_UNSPEC, port, 0, pool);

    if (rv == APR_SUCCESS
        && (rv = apr_socket_create(&socket, address->family, SOCK_STREAM, APR_PROTO_TCP, pool)) == APR_SUCCESS) {
        (void)apr_socket_timeout_set(socket, apr_time_from_sec(5));
        rv = apr_socket_connect(socket, address);
        rv = rv == APR_SUCCESS ? apr_socket_send(socket, "PING\r\n", &len) : rv;
        rv = rv == APR_SUCCESS ? apr_socket_recv(socket, answer, &got) : rv;
        (void)apr_socket_close(socket);
    }
    if (rv != APR_SUCCESS) {
        return apr_pstrdup(pool, apr_strerror(rv, message, sizeof(message)));
    }
    return *answer == '+' || *answer == '-' ? NULL : "what answers is no redis";
}

/* ClerkSOCache redis:host:port,host:port */
static void check_redis(clerk_findings *doctor)
{
    const char *socache = clerk_findings_text(doctor->dump, "socache");
    apr_pool_t *pool = doctor->setup->pool;
    char *state = NULL, *list;

    if (!clerk_text_begins_with(socache, "redis:")) {
        return;
    }
    list = apr_pstrdup(pool, socache + strlen("redis:"));
    for (char *one = apr_strtok(list, ", ", &state); one; one = apr_strtok(NULL, ", ", &state)) {
        char *host = NULL, *scope = NULL;
        apr_port_t port = 0;
        const char *problem = "this is no host and port";

        clerk_findings_looked_at(doctor, "redis");
        if (apr_parse_addr_port(&host, &scope, &port, one, pool) == APR_SUCCESS && host) {
            problem = ping(host, port ? port : 6379, pool);
        }
        if (problem) {
            clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "redis", "start it, or change ClerkSOCache",
                               "ClerkSOCache: the redis at %s cannot be used: %s", one, problem);
        }
    }
}

void clerk_doctor_network(clerk_findings *doctor)
{
    const json_t *instance;
    size_t i;

    json_array_foreach(json_object_get(doctor->dump, "instances"), i, instance)
    {
        check_instance(doctor, instance);
    }
    check_redis(doctor);
}
