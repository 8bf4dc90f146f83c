/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/config.h"

#include "httpd/process/log.h"

/* Every default is stated here and nowhere else. */
#define DEFAULT_TOKEN_SOURCES (CLERK_SOURCE_HEADER | CLERK_SOURCE_COOKIE)
#define DEFAULT_CLOCK_SKEW apr_time_from_sec(5)
#define DEFAULT_PENDING_SESSIONS CLERK_PENDING_SIGNED_OUT
#define DEFAULT_CROSS_ORIGIN_SYNC 1

#define PICK_PTR(add, base, member) ((add)->member ? (add)->member : (base)->member)
#define PICK_INT(add, base, member) ((add)->member != CLERK_UNSET ? (add)->member : (base)->member)

void clerk_config_clear_instance(clerk_instance_config *instance, const char *name)
{
    memset(instance, 0, sizeof(*instance));
    instance->name = name;
    instance->satellite = CLERK_UNSET;
    instance->satellite_auto_sync = CLERK_UNSET;
    instance->jwks_cache_ttl = CLERK_UNSET;
    instance->jwks_max_stale = CLERK_UNSET;
    instance->http_timeout = CLERK_UNSET;
}

void clerk_config_inherit_transport(clerk_instance_config *instance, const clerk_instance_config *defaults)
{
    instance->api_url = PICK_PTR(instance, defaults, api_url);
    instance->http_proxy = PICK_PTR(instance, defaults, http_proxy);
    instance->ca_file = PICK_PTR(instance, defaults, ca_file);
    instance->jwks_cache_ttl = PICK_INT(instance, defaults, jwks_cache_ttl);
    instance->jwks_max_stale = PICK_INT(instance, defaults, jwks_max_stale);
    instance->http_timeout = PICK_INT(instance, defaults, http_timeout);
}

/** Who the instance is comes from one place: a server that names a key of its own takes nothing of the outer server's
 *  secret, PEM key, JWKS URL, hosts and issuers, which belong to another instance. */
static void merge_identity(clerk_instance_config *conf, const clerk_instance_config *base,
                           const clerk_instance_config *add)
{
    /* The environment's defaults are filled in later, but whose key is in force out there matters now. */
    const char *outer = base->publishable_key ? base->publishable_key : getenv(CLERK_ENV_PUBLISHABLE_KEY);
    int other = add->publishable_key && outer && *outer && strcmp(add->publishable_key, outer);

    *conf = *add;
    if (other) {
        return;
    }
    conf->where = PICK_PTR(add, base, where);
    conf->publishable_key = PICK_PTR(add, base, publishable_key);
    conf->secret_key = PICK_PTR(add, base, secret_key);
    conf->jwt_key = PICK_PTR(add, base, jwt_key);
    conf->jwks_url = PICK_PTR(add, base, jwks_url);
    conf->frontend_api = PICK_PTR(add, base, frontend_api);
    conf->proxy_url = PICK_PTR(add, base, proxy_url);
    conf->domain = PICK_PTR(add, base, domain);
    conf->satellite = PICK_INT(add, base, satellite);
    conf->satellite_auto_sync = PICK_INT(add, base, satellite_auto_sync);
    conf->issuers = PICK_PTR(add, base, issuers);
}

void *clerk_config_create_server(apr_pool_t *pool, server_rec *server)
{
    clerk_server_config *conf = apr_pcalloc(pool, sizeof(*conf));

    (void)server;
    clerk_config_clear_instance(&conf->own, NULL);
    return conf;
}

void *clerk_config_merge_server(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    const clerk_server_config *base = base_conf, *add = add_conf;
    clerk_server_config *conf = apr_pcalloc(pool, sizeof(*conf));

    merge_identity(&conf->own, &base->own, &add->own);
    clerk_config_inherit_transport(&conf->own, &base->own);
    conf->named = !add->named    ? base->named
                  : !base->named ? add->named
                                 : apr_hash_overlay(pool, add->named, base->named);
    conf->shared_memory = base->shared_memory;
    conf->state_dir = base->state_dir;
    return conf;
}

void clerk_config_set_policy(clerk_dir_config *dir)
{
    clerk_policy *policy = &dir->policy;

    policy->token_sources = dir->token_sources ? dir->token_sources : DEFAULT_TOKEN_SOURCES;
    policy->authorized_parties = dir->authorized_parties;
    policy->audience = dir->audience;
    policy->clock_skew = dir->clock_skew != CLERK_UNSET ? dir->clock_skew : DEFAULT_CLOCK_SKEW;
    policy->pending_sessions
        = dir->pending_sessions != CLERK_UNSET ? (clerk_pending)dir->pending_sessions : DEFAULT_PENDING_SESSIONS;
    policy->cross_origin_sync
        = dir->cross_origin_sync != CLERK_UNSET ? dir->cross_origin_sync : DEFAULT_CROSS_ORIGIN_SYNC;
    policy->sign_in_url = dir->sign_in_url;
    policy->sign_up_url = dir->sign_up_url;
    policy->organization_sync = dir->organization_sync;
}

void *clerk_config_create_dir(apr_pool_t *pool, char *path)
{
    clerk_dir_config *dir = apr_pcalloc(pool, sizeof(*dir));

    (void)path;
    dir->clock_skew = CLERK_UNSET;
    dir->unauthenticated = CLERK_UNSET;
    dir->pending_sessions = CLERK_UNSET;
    dir->cross_origin_sync = CLERK_UNSET;
    dir->trust_forwarded = CLERK_UNSET;
    dir->pass_headers = CLERK_UNSET;
    dir->strip_credentials = CLERK_UNSET;
    clerk_config_set_policy(dir);
    return dir;
}

void *clerk_config_merge_dir(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    const clerk_dir_config *base = base_conf, *add = add_conf;
    clerk_dir_config *dir = apr_palloc(pool, sizeof(*dir));

    dir->instance_name = PICK_PTR(add, base, instance_name);
    dir->token_sources = PICK_PTR(add, base, token_sources);
    dir->authorized_parties = PICK_PTR(add, base, authorized_parties);
    dir->audience = PICK_PTR(add, base, audience);
    dir->clock_skew = PICK_INT(add, base, clock_skew);
    dir->unauthenticated = PICK_INT(add, base, unauthenticated);
    dir->sign_in_url = PICK_PTR(add, base, sign_in_url);
    dir->sign_up_url = PICK_PTR(add, base, sign_up_url);
    dir->pending_sessions = PICK_INT(add, base, pending_sessions);
    dir->cross_origin_sync = PICK_INT(add, base, cross_origin_sync);
    dir->remote_user = PICK_PTR(add, base, remote_user);
    dir->export_claims = PICK_PTR(add, base, export_claims);
    dir->pass_headers = PICK_INT(add, base, pass_headers);
    dir->strip_credentials = PICK_INT(add, base, strip_credentials);
    /* The two ways to know the public origin exclude each other, so the inner section's choice ends the outer one's. */
    if (add->public_origin || add->trust_forwarded != CLERK_UNSET) {
        dir->public_origin = add->public_origin;
        dir->trust_forwarded = add->trust_forwarded;
        if (!add->public_origin && add->trust_forwarded == 0) {
            dir->public_origin = base->public_origin;
        }
    } else {
        dir->public_origin = base->public_origin;
        dir->trust_forwarded = base->trust_forwarded;
    }
    /* The lines of one section add up; an inner section that has any starts its own list. */
    const clerk_dir_config *sync = add->organization_sync ? add : base;
    dir->org_patterns = sync->org_patterns;
    dir->personal_patterns = sync->personal_patterns;
    dir->organization_sync = sync->organization_sync;
    clerk_config_set_policy(dir);
    return dir;
}

clerk_server_config *clerk_config_server(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &auth_clerk_module);
}

clerk_dir_config *clerk_config_dir(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &auth_clerk_module);
}

clerk_runtime *clerk_config_runtime(const request_rec *r)
{
    const clerk_server_config *server = clerk_config_server(r->server);
    const clerk_dir_config *dir = clerk_config_dir(r);

    if (!dir->instance_name) {
        return server->runtime;
    }
    return server->named_runtimes ? apr_hash_get(server->named_runtimes, dir->instance_name, APR_HASH_KEY_STRING)
                                  : NULL;
}
