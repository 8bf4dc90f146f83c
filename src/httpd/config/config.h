/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CONFIG_H
#define HTTPD_CONFIG_CONFIG_H

#include <apr_hash.h>
#include <httpd.h>
#include <http_config.h>

#include "clerk/request.h"
#include "clerk/url/organization_sync.h"
#include "httpd/process/runtime.h"

/** Where the unnamed instance's publishable key comes from if the configuration does not say. */
#define CLERK_ENV_PUBLISHABLE_KEY "CLERK_PUBLISHABLE_KEY"

/** An integer setting about which the configuration said nothing. Pointers are NULL then. */
#define CLERK_UNSET (-1)

/** What the directives of one instance said: a server's own (unnamed) instance or a <ClerkInstance NAME>. */
typedef struct clerk_instance_config {
    const char *name;  /**< NULL: the server's unnamed one */
    const char *where; /**< "line N of FILE" of the first directive, for messages; or NULL */
    /* who the instance is: inherited as a whole or not at all, so that no server pairs its key with another's secret */
    const char *publishable_key;
    const char *secret_key;
    const char *jwt_key; /**< PEM */
    const char *jwks_url;
    const char *frontend_api;
    const char *proxy_url;
    const char *domain;
    int satellite;
    int satellite_auto_sync;
    apr_array_header_t *issuers; /**< of const char * */
    /* how it is reached: inherited one by one, by named instances too */
    const char *api_url;
    const char *http_proxy;
    const char *ca_file;
    apr_interval_time_t jwks_cache_ttl;
    apr_interval_time_t jwks_max_stale;
    apr_interval_time_t http_timeout;
} clerk_instance_config;

typedef struct clerk_server_config {
    clerk_instance_config own;
    apr_hash_t *named;           /**< name -> clerk_instance_config *; NULL: none */
    clerk_instance_config *open; /**< the <ClerkInstance> being read, while its directives are */
    /* worked out in check_config */
    clerk_runtime *runtime;     /**< the server's unnamed instance, or NULL */
    apr_hash_t *named_runtimes; /**< name -> clerk_runtime * */
    /* the main server's only */
    apr_size_t shared_memory; /**< bytes, 0: as needed */
    const char *state_dir;    /**< absolute; NULL: default; "" none */
} clerk_server_config;

typedef enum clerk_unauthenticated {
    CLERK_UNAUTHENTICATED_AUTO,
    CLERK_UNAUTHENTICATED_CHALLENGE,
    CLERK_UNAUTHENTICATED_SIGN_IN
} clerk_unauthenticated;

/** What the variables of ClerkExportClaim begin with. */
#define CLERK_EXPORT_PREFIX "CLERK_CLAIM_"

/** A claim of ClerkExportClaim. */
typedef struct clerk_export {
    const char *path;
    const char *name; /**< of the variable: CLERK_CLAIM_<NAME> */
} clerk_export;

typedef struct clerk_dir_config {
    const char *instance_name;
    unsigned int token_sources;             /**< CLERK_SOURCE_*, 0: unset */
    apr_array_header_t *authorized_parties; /**< of const char * */
    apr_array_header_t *audience;           /**< of const char * */
    apr_interval_time_t clock_skew;
    int unauthenticated; /**< clerk_unauthenticated */
    const char *sign_in_url;
    const char *sign_up_url;
    int pending_sessions; /**< clerk_pending */
    int cross_origin_sync;
    const char *public_origin;
    int trust_forwarded;
    const char *remote_user;           /**< claim path; NULL: the user id */
    apr_array_header_t *export_claims; /**< of clerk_export */
    int pass_headers;
    int strip_credentials;
    apr_array_header_t *org_patterns; /**< of const char * */
    apr_array_header_t *personal_patterns;
    clerk_organization_sync *organization_sync; /**< the two above, compiled */
    clerk_policy policy;                        /**< all of it with defaults filled in; what requests read */
} clerk_dir_config;

void *clerk_config_create_server(apr_pool_t *pool, server_rec *server);
void *clerk_config_merge_server(apr_pool_t *pool, void *base, void *add);
void *clerk_config_create_dir(apr_pool_t *pool, char *dir);
void *clerk_config_merge_dir(apr_pool_t *pool, void *base, void *add);

/** Fill in `policy` from the settings. Called whenever a directive changed one of them, and by the merge. */
void clerk_config_set_policy(clerk_dir_config *dir);

/** All settings of an instance unset. */
void clerk_config_clear_instance(clerk_instance_config *instance, const char *name);

/**
 * How an instance is reached, where @a instance itself does not say, as @a defaults says
 * (directives.md "Instances and keys").
 */
void clerk_config_inherit_transport(clerk_instance_config *instance, const clerk_instance_config *defaults);

clerk_server_config *clerk_config_server(const server_rec *server);
clerk_dir_config *clerk_config_dir(const request_rec *r);

/** The instance that protects this place, or NULL where the configuration names none that exists. */
clerk_runtime *clerk_config_runtime(const request_rec *r);

extern const command_rec clerk_commands[];

/** Whether a directive of this name belongs inside <ClerkInstance>. */
int clerk_directives_is_instance(const char *name);

#endif
