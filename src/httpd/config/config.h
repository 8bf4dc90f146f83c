/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CONFIG_H
#define HTTPD_CONFIG_CONFIG_H

#include <httpd.h>
#include <http_config.h>

#include "httpd/config/settings.h"
#include "httpd/process/runtime.h"

/** The prefix of the variables of ClerkExportClaim. */
#define CLERK_EXPORT_PREFIX "CLERK_CLAIM_"

/**
 * The FIELD of `user:FIELD`, which ClerkRemoteUser and ClerkExportClaim take in place of a claim path.
 * @return NULL if it is a claim path
 */
static inline const char *clerk_config_profile_field(const char *path)
{
    return !strncmp(path, "user:", 5) ? path + 5 : NULL;
}

void *clerk_config_create_server(apr_pool_t *pool, server_rec *server);
void *clerk_config_merge_server(apr_pool_t *pool, void *base, void *add);
void *clerk_config_create_dir(apr_pool_t *pool, char *dir);
void *clerk_config_merge_dir(apr_pool_t *pool, void *base, void *add);

clerk_server_config *clerk_config_server(const server_rec *server);
clerk_dir_config *clerk_config_dir(const request_rec *r);

/** Whether a directive stands in .htaccess. */
static inline int clerk_config_in_htaccess(const cmd_parms *cmd)
{
    return cmd->pool == cmd->temp_pool;
}

/** The instance for this request, or NULL if the configuration names none that exists. */
clerk_runtime *clerk_config_runtime(const request_rec *r);

#endif
