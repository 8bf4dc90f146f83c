/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/instances.h"

#include <apr_strings.h>
#include <openssl/evp.h>

#include "clerk/protocol.h"
#include "clerk/webhook/webhook.h"
#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "text/secret_text.h"

static const char *from_environment(const char *set, const char *name, apr_pool_t *pool)
{
    const char *value = set ? NULL : getenv(name);

    return set ? set : value && *value ? clerk_secret_text_keep(pool, value, strlen(value)) : NULL;
}

/*
 * The publishable key that the secrets in the environment belong to:
 *   1. CLERK_PUBLISHABLE_KEY in the environment; else
 *   2. the key of the main server; else
 *   3. the key of the virtual hosts, if all that have one have the same.
 * NULL if there is none: then no server with a publishable key gets a secret from the environment.
 */
static const char *environment_key(const server_rec *main_server)
{
    const char *key = getenv(CLERK_ENV_PUBLISHABLE_KEY), *own;

    if (key && *key) {
        return key;
    }
    key = clerk_config_server(main_server)->own.publishable_key;
    for (const server_rec *server = main_server->next; server && !clerk_config_server(main_server)->own.publishable_key;
         server = server->next) {
        own = clerk_config_server(server)->own.publishable_key;
        if (own && key && strcmp(own, key)) {
            return NULL;
        }
        key = own ? own : key;
    }
    return key;
}

/* Fill in settings of an unnamed instance from the environment, if they are not set (directives.md "Instances and
 * keys"). */
static void environment_defaults(clerk_instance_config *own, const char *environment_key, apr_pool_t *pool)
{
    own->publishable_key = from_environment(own->publishable_key, CLERK_ENV_PUBLISHABLE_KEY, pool);
    own->api_url = from_environment(own->api_url, "CLERK_API_URL", pool);
    if (!own->publishable_key || (environment_key && !strcmp(own->publishable_key, environment_key))) {
        own->secret_key = from_environment(own->secret_key, "CLERK_SECRET_KEY", pool);
        own->jwt_key = from_environment(own->jwt_key, "CLERK_JWT_KEY", pool);
        own->webhook_secrets = from_environment(own->webhook_secrets, "CLERK_WEBHOOK_SIGNING_SECRET", pool);
    }
}

static void digest_text(EVP_MD_CTX *digest, const char *text)
{
    /* With the NUL at the end, and with NULL different from "", so that the digest is unambiguous. */
    EVP_DigestUpdate(digest, text ? "+" : "-", 1);
    if (text) {
        EVP_DigestUpdate(digest, text, strlen(text) + 1);
    }
}

/* The id of a key source: names the persisted file; instances with the same id share a slot. The way to the source is
 * part of it: an instance must not get keys that were fetched with another's trust. */
static int source_id(unsigned char id[32], const clerk_instance *instance, const clerk_instance_config *conf)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;

    if (ok) {
        digest_text(digest, instance->jwks_url);
        digest_text(digest, instance->jwks_needs_secret ? instance->secret_key : NULL);
        digest_text(digest, instance->frontend_host);
        digest_text(digest, conf->http_proxy);
        digest_text(digest, conf->ca_file);
        ok = EVP_DigestFinal_ex(digest, id, NULL) == 1;
    }
    EVP_MD_CTX_free(digest);
    return ok;
}

/* What tells the values of an instance in a shared store from those of another one. The way to the API is part of it,
 * as for keys. A secret key can be replaced, and the servers of a fleet may have different ones, so it counts only
 * where there is no publishable key. */
static int scope_of(unsigned char scope[32], const clerk_instance *instance, const clerk_instance_config *conf)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;

    if (ok) {
        digest_text(digest, instance->api_url);
        digest_text(digest, instance->publishable_key);
        digest_text(digest, instance->publishable_key ? NULL : instance->secret_key);
        digest_text(digest, conf->http_proxy);
        digest_text(digest, conf->ca_file);
        ok = EVP_DigestFinal_ex(digest, scope, NULL) == 1;
    }
    EVP_MD_CTX_free(digest);
    return ok;
}

/* What tells the revocations of a Clerk instance from those of another one: servers and virtual hosts that say the same
 * of who Clerk's instance is share them, whatever way they take to it. */
static int revocation_key_of(unsigned char key[CLERK_REVOKED_KEY], const clerk_instance *instance,
                             const clerk_instance_config *conf)
{
    unsigned char bytes[32];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;

    if (ok) {
        digest_text(digest, instance->publishable_key);
        digest_text(digest, instance->publishable_key ? NULL : instance->secret_key);
        digest_text(digest, instance->publishable_key || instance->secret_key ? NULL : instance->jwks_url);
        digest_text(digest, instance->publishable_key || instance->secret_key ? NULL : conf->jwt_key);
        ok = EVP_DigestFinal_ex(digest, bytes, NULL) == 1;
        memcpy(key, bytes, CLERK_REVOKED_KEY);
    }
    EVP_MD_CTX_free(digest);
    return ok;
}

typedef struct resolving {
    apr_array_header_t *runtimes;
    apr_hash_t *by_fingerprint;
    const char *environment_key;
    apr_pool_t *pool;
} resolving;

static int is_taken(const resolving *all, const char *name)
{
    for (int i = 0; i < all->runtimes->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(all->runtimes, i, const clerk_runtime *)->instance->name, name)) {
            return 1;
        }
    }
    return 0;
}

/* What log messages and the status page call an instance. No two are called the same. One without a name is "default"
 * if it is the main server's, else it is called as its frontend API. */
static const char *distinct_name(const resolving *all, const char *said, const clerk_instance *instance,
                                 const server_rec *server)
{
    const char *base = said                                            ? said
                       : server->is_virtual && instance->frontend_host ? instance->frontend_host
                                                                       : "default";
    const char *name = base;

    for (int number = 2; is_taken(all, name); number++) {
        name = apr_psprintf(all->pool, "%s-%d", base, number);
    }
    return name;
}

/* @param secrets one or two, separated by a space */
static const char *read_webhook_keys(clerk_runtime *runtime, const char *secrets, apr_pool_t *pool)
{
    apr_array_header_t *keys = apr_array_make(pool, 2, sizeof(clerk_webhook_key));

    runtime->webhook_keys = keys;
    for (; *secrets; secrets += strspn(secrets, " ")) {
        jose_slice secret = {secrets, strcspn(secrets, " ")};
        const char *problem = clerk_webhook_read_key(apr_array_push(keys), secret, pool);

        secrets += secret.len;
        if (problem) {
            return apr_pstrcat(
                pool, "ClerkWebhookSecret (or CLERK_WEBHOOK_SIGNING_SECRET in the environment): ", problem, NULL);
        }
    }
    return NULL;
}

static const char *make_runtime(clerk_runtime **pruntime, const clerk_instance_config *said, const resolving *all,
                                const server_rec *server)
{
    apr_pool_t *pool = all->pool;
    clerk_instance_config filled = *said, *conf = &filled;
    clerk_runtime *runtime = apr_pcalloc(pool, sizeof(*runtime));
    clerk_instance_options options;
    clerk_instance *instance;
    const char *error, *why;

    clerk_settings_fill_defaults(conf);
    clerk_settings_instance_options(&options, conf);
    if ((error = clerk_instance_create(&instance, &options, pool))) {
        return error;
    }
    instance->name = distinct_name(all, conf->name, instance, server);
    runtime->instance = instance;
    runtime->slot = -1;
    if (conf->jwt_key) {
        jose_keyset *keys;

        if (jose_pem_keyset(&keys, conf->jwt_key, strlen(conf->jwt_key), &why, pool) != JOSE_OK) {
            return apr_pstrcat(
                pool, "the PEM public key (ClerkJWTKey, or CLERK_JWT_KEY in the environment) is not usable: ", why,
                NULL);
        }
        runtime->static_keys = keys;
    } else if (!instance->jwks_url) {
        return "there is nothing to verify tokens with; write ClerkPublishableKey, or ClerkSecretKey, ClerkJWTKey or "
               "ClerkJWKSURL";
    }
    runtime->source.name = instance->name;
    runtime->source.url = instance->jwks_url;
    runtime->source.bearer = instance->jwks_needs_secret ? instance->secret_key : NULL;
    runtime->source.api_version = CLERK_API_VERSION;
    runtime->source.proxy = conf->http_proxy;
    runtime->source.ca_file = conf->ca_file;
    runtime->source.ttl = conf->jwks_cache_ttl;
    runtime->source.max_stale = conf->jwks_max_stale;
    runtime->source.timeout = conf->http_timeout;
    if (runtime->source.max_stale < runtime->source.ttl) {
        return "ClerkJWKSMaxStale is shorter than ClerkJWKSCacheTTL; keys would lapse before they are refreshed";
    }
    runtime->profile_ttl = conf->user_profile_ttl;
    runtime->check_interval = conf->revocation_check;
    if (runtime->check_interval && !instance->secret_key) {
        return "ClerkRevocationCheck asks the Backend API, and there is no ClerkSecretKey; write it, or "
               "ClerkRevocationCheck Off";
    }
    if (!source_id(runtime->source.id, instance, conf) || !scope_of(runtime->scope, instance, conf)
        || !revocation_key_of(runtime->revocation_key, instance, conf)) {
        return "OpenSSL failed to compute a digest";
    }
    if (conf->webhook_secrets && (error = read_webhook_keys(runtime, conf->webhook_secrets, pool))) {
        return error;
    }
    runtime->token_cache_ttl = conf->token_cache_ttl;
    runtime->script_url = conf->script_url;
    runtime->ui_script_url = conf->ui_script_url;
    runtime->backend.name = instance->name;
    runtime->backend.api_url = instance->api_url;
    runtime->backend.secret_key = instance->secret_key;
    runtime->backend.machine_secret_key = instance->machine_secret_key;
    runtime->backend.http_proxy = conf->http_proxy;
    runtime->backend.ca_file = conf->ca_file;
    runtime->backend.timeout = runtime->source.timeout;
    *pruntime = runtime;
    return NULL;
}

static int resolve_one(clerk_runtime **pruntime, resolving *all, const clerk_instance_config *conf, server_rec *server)
{
    const char *key = clerk_settings_fingerprint(conf, all->pool), *error = NULL;
    clerk_runtime *runtime = apr_hash_get(all->by_fingerprint, key, APR_HASH_KEY_STRING);

    *pruntime = runtime;
    if (runtime) {
        return OK;
    }
    error = make_runtime(&runtime, conf, all, server);
    if (error || !runtime) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
                     CLERK_LOGNO(3010) "Clerk instance %s (%s): %s", conf->name ? conf->name : "of the server",
                                 conf->where ? conf->where : "from the environment", error);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (runtime->instance->type == CLERK_INSTANCE_DEVELOPMENT) {
        clerk_httpd_log_warn(
            server,
            CLERK_LOGNO(3012) "Clerk instance %s (%s) is a development instance (pk_test_ or sk_test_): "
                              "for tests only, with limits and less strict cookies; a public site needs the production "
                              "instance's pk_live_ key",
                        conf->name ? conf->name : "of the server", conf->where ? conf->where : "from the environment");
    }
    if (runtime->instance->warning) {
        clerk_httpd_log_warn(
            server, CLERK_LOGNO(3011) "Clerk instance %s (%s): %s", conf->name ? conf->name : "of the server",
                                conf->where ? conf->where : "from the environment", runtime->instance->warning);
    }
    runtime->number = (unsigned int)all->runtimes->nelts;
    runtime->backend.number = runtime->number;
    APR_ARRAY_PUSH(all->runtimes, clerk_runtime *) = runtime;
    apr_hash_set(all->by_fingerprint, key, APR_HASH_KEY_STRING, runtime);
    *pruntime = runtime;
    return OK;
}

static int resolve_server(resolving *all, server_rec *server)
{
    clerk_server_config *conf = clerk_config_server(server);
    int rc;

    environment_defaults(&conf->own, all->environment_key, all->pool);
    if (conf->own.publishable_key || conf->own.secret_key || conf->own.jwt_key || conf->own.jwks_url
        || conf->own.frontend_api) {
        if ((rc = resolve_one(&conf->runtime, all, &conf->own, server)) != OK) {
            return rc;
        }
    }
    if (!conf->named) {
        return OK;
    }
    conf->named_runtimes = apr_hash_make(all->pool);
    for (apr_hash_index_t *at = apr_hash_first(all->pool, conf->named); at; at = apr_hash_next(at)) {
        clerk_instance_config named = *(clerk_instance_config *)apr_hash_this_val(at);
        clerk_runtime *runtime;

        clerk_settings_inherit_transport(&named, &conf->own);
        if ((rc = resolve_one(&runtime, all, &named, server)) != OK) {
            return rc;
        }
        apr_hash_set(conf->named_runtimes, named.name, APR_HASH_KEY_STRING, runtime);
    }
    return OK;
}

int clerk_instances_resolve(apr_array_header_t **pruntimes, server_rec *main_server, apr_pool_t *pool)
{
    resolving all
        = {apr_array_make(pool, 4, sizeof(clerk_runtime *)), apr_hash_make(pool), environment_key(main_server), pool};
    int rc;

    for (server_rec *server = main_server; server; server = server->next) {
        if ((rc = resolve_server(&all, server)) != OK) {
            return rc;
        }
    }
    *pruntimes = all.runtimes;
    return OK;
}
