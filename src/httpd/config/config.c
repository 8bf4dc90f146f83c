/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/config.h"

#include "httpd/config/htaccess.h"
#include "httpd/process/log.h"

void *clerk_config_create_server(apr_pool_t *pool, server_rec *server)
{
    clerk_server_config *conf = apr_palloc(pool, sizeof(*conf));

    (void)server;
    clerk_settings_clear_server(conf);
    return conf;
}

void *clerk_config_merge_server(apr_pool_t *pool, void *base, void *add)
{
    return clerk_settings_merge_server(pool, base, add);
}

void *clerk_config_create_dir(apr_pool_t *pool, char *path)
{
    clerk_dir_config *dir = apr_palloc(pool, sizeof(*dir));

    (void)path;
    clerk_settings_clear_dir(dir);
    return dir;
}

void *clerk_config_merge_dir(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    const clerk_dir_config *base = base_conf, *add = add_conf;
    clerk_dir_config *dir = clerk_settings_merge_dir(pool, base, add);

    if (base->htaccess || add->htaccess) {
        clerk_htaccess_merge(dir, base, add, pool);
    }
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
    const char *name = dir->htaccess ? clerk_htaccess_instance(dir) : dir->instance_name;

    if (!name) {
        return server->runtime;
    }
    return server->named_runtimes ? apr_hash_get(server->named_runtimes, name, APR_HASH_KEY_STRING) : NULL;
}
