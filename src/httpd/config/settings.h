/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_SETTINGS_H
#define HTTPD_CONFIG_SETTINGS_H

#include <apr_hash.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "clerk/request.h"
#include "clerk/url/organization_sync.h"

/*
 * What the configuration says. settings.def describes each setting once; unset values, defaults, merging, inheritance,
 * the fingerprint of an instance, the policy and the directives' setters follow from its row. Nothing in here knows
 * httpd, so that a unit test can walk the rows.
 *
 * Groups: which struct has the member, where the directive may stand, and how it is inherited
 *
 *     IDENTITY   clerk_instance_config  who an instance is: server, virtual host, <ClerkInstance>; inherited as a whole
 *                                       or not at all, so that no server pairs its key with another's secret
 *     TRANSPORT  clerk_instance_config  how it is reached: the same places; inherited one by one, by named instances
 *                                       too
 *     MAIN       clerk_server_config    the main server only
 *     PLACE      clerk_dir_config       everywhere, .htaccess too; inherited one by one; read with CLERK_SETTINGS_VALUE
 *     POLICY     clerk_dir_config       the same, and copied to the member of this name in clerk_policy
 *
 * Kinds: what the member is, what stands in it where nothing was said, and what the directive takes
 *
 *     FLAG(default)                        int, CLERK_UNSET          On or Off
 *     WORD(default, [value] = "word" ...)  int, CLERK_UNSET          one of the words
 *     WORDS(default, [bit] = "word" ...)   unsigned int, 0           some of the words, their bits together
 *     DURATION(least, most, default)       apr_interval_time_t, CLERK_UNSET
 *     SIZE(least, most, default)           apr_int64_t, CLERK_UNSET  bytes, with K, M or G
 *     TEXT(reader)                         const char *, NULL        what the reader (directives.h) makes of the
 * argument SECRET(reader)                       const char *, NULL        the same, of the whole line LIST(reader)
 * apr_array_header_t * of const char *, NULL the same, of each argument; lines add up POINTER(type) type, NULL has a
 * setter of its own OWN(kind, how, setter)               as the kind says          what the setter takes, called as
 * `how` (AP_INIT_...)
 */

/** An integer setting about which the configuration said nothing. Pointers are NULL then. */
#define CLERK_UNSET (-1)

/** Where the unnamed instance's publishable key comes from if the configuration does not say. */
#define CLERK_ENV_PUBLISHABLE_KEY "CLERK_PUBLISHABLE_KEY"

/** What the directives of one instance said: a server's own (unnamed) instance or a <ClerkInstance NAME>. */
typedef struct clerk_instance_config {
    const char *name;  /**< NULL: the server's unnamed one */
    const char *where; /**< "line N of FILE" of the first directive, for messages; or NULL */
    /* IDENTITY */
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
    /* TRANSPORT */
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
    /* MAIN */
    apr_int64_t shared_memory; /**< 0: as needed */
    const char *state_dir;     /**< absolute; NULL: default; "" none */
    /* worked out in check_config */
    struct clerk_runtime *runtime; /**< the server's unnamed instance, or NULL */
    apr_hash_t *named_runtimes;    /**< name -> clerk_runtime * */
} clerk_server_config;

typedef enum clerk_unauthenticated {
    CLERK_UNAUTHENTICATED_AUTO,
    CLERK_UNAUTHENTICATED_CHALLENGE,
    CLERK_UNAUTHENTICATED_SIGN_IN
} clerk_unauthenticated;

/** A claim of ClerkExportClaim. */
typedef struct clerk_export {
    const char *path;
    const char *name; /**< of the variable: CLERK_CLAIM_<NAME> */
} clerk_export;

typedef struct clerk_dir_config {
    /* PLACE and POLICY */
    const char *instance_name;
    unsigned int token_sources;             /**< CLERK_SOURCE_* */
    apr_array_header_t *authorized_parties; /**< of const char * */
    apr_array_header_t *audience;           /**< of const char * */
    apr_interval_time_t clock_skew;
    int unauthenticated; /**< clerk_unauthenticated */
    const char *sign_in_url;
    const char *sign_up_url;
    int pending_sessions; /**< clerk_pending */
    int cross_origin_sync;
    clerk_organization_sync *organization_sync;
    const char *public_origin;
    int trust_forwarded;
    const char *remote_user;           /**< claim path; NULL: the user id */
    apr_array_header_t *export_claims; /**< of clerk_export */
    int pass_headers;
    int strip_credentials;
    /* what organization_sync was compiled from, for further lines of the section that is being read */
    apr_array_header_t *org_patterns; /**< of const char * */
    apr_array_header_t *personal_patterns;
    clerk_policy policy; /**< all of POLICY, with defaults filled in; what requests read */
} clerk_dir_config;

/** The rows' numbers, by member: CLERK_SETTINGS_AT_jwks_max_stale. */
typedef enum clerk_settings_index {
#define SETTING(directive, group, member, kind, help) CLERK_SETTINGS_AT_##member,
#include "httpd/config/settings.def"
    CLERK_SETTINGS_COUNT
} clerk_settings_index;

typedef enum clerk_settings_group {
    CLERK_SETTINGS_IDENTITY,
    CLERK_SETTINGS_TRANSPORT,
    CLERK_SETTINGS_MAIN,
    CLERK_SETTINGS_PLACE,
    CLERK_SETTINGS_POLICY
} clerk_settings_group;

typedef enum clerk_settings_kind {
    CLERK_SETTINGS_FLAG,
    CLERK_SETTINGS_WORD,
    CLERK_SETTINGS_WORDS,
    CLERK_SETTINGS_DURATION,
    CLERK_SETTINGS_SIZE,
    CLERK_SETTINGS_TEXT,
    CLERK_SETTINGS_SECRET,
    CLERK_SETTINGS_LIST,
    CLERK_SETTINGS_POINTER
} clerk_settings_kind;

/** A row of settings.def. */
typedef struct clerk_settings_row {
    const char *directive;
    clerk_settings_group group;
    clerk_settings_kind kind;
    apr_size_t offset;        /**< of the member in the group's struct */
    apr_int64_t least, most;  /**< of a duration (microseconds) or a size */
    apr_int64_t fallback;     /**< the default; 0 for pointers: NULL */
    const char *const *words; /**< by value, NULL where a value has none */
    int word_count;
    const char *help;
} clerk_settings_row;

extern const clerk_settings_row clerk_settings_table[CLERK_SETTINGS_COUNT];

/** An integer setting of a place or of the main server, with its default where nothing was said. */
#define CLERK_SETTINGS_VALUE(conf, member)                                                                             \
    ((conf)->member != CLERK_UNSET ? (conf)->member : clerk_settings_table[CLERK_SETTINGS_AT_##member].fallback)

/** The row of a directive, whatever its case. @return NULL where there is none */
const clerk_settings_row *clerk_settings_find(const char *directive);

/** Whether it says something about an instance, and may stand inside <ClerkInstance>. */
int clerk_settings_is_of_instance(const clerk_settings_row *row);

/** Nothing said, everything else zero. */
void clerk_settings_clear_instance(clerk_instance_config *instance, const char *name);
void clerk_settings_clear_server(clerk_server_config *server);

/** Nothing said, and the policy that follows from it. */
void clerk_settings_clear_dir(clerk_dir_config *dir);

/** How an instance is reached, where @a instance itself does not say, as @a defaults says. */
void clerk_settings_inherit_transport(clerk_instance_config *instance, const clerk_instance_config *defaults);

/** The defaults of the integer settings where @a instance does not say. */
void clerk_settings_fill_defaults(clerk_instance_config *instance);

/** What a virtual host @a add says, and the main server @a base where it does not. Named instances add up. */
clerk_server_config *clerk_settings_merge_server(apr_pool_t *pool, const clerk_server_config *base,
                                                 const clerk_server_config *add);

/** What an inner section @a add says, and the outer @a base where it does not. */
clerk_dir_config *clerk_settings_merge_dir(apr_pool_t *pool, const clerk_dir_config *base, const clerk_dir_config *add);

/** Fill in `policy` from the settings. Called whenever a directive has changed one of them; merging does it itself. */
void clerk_settings_set_policy(clerk_dir_config *dir);

/** All that was said about an instance in one text: instances with equal texts are the same. */
const char *clerk_settings_fingerprint(const clerk_instance_config *instance, apr_pool_t *pool);

#endif
