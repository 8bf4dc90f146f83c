/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_SETTINGS_H
#define HTTPD_CONFIG_SETTINGS_H

#include <apr_hash.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "clerk/instance/instance.h"
#include "clerk/request.h"
#include "clerk/url/organization_sync.h"

/* clang-format off */
/*
 * The settings: the values of the directives. settings.def has one row for each; unset values, defaults, merging,
 * inheritance, the fingerprint of an instance, the policy and the setters of the directives are derived from the rows.
 * This file knows no httpd, so that unit tests can use it.
 *
 * Groups: the struct of the member, where the directive is allowed, how it is inherited
 *
 *     IDENTITY   clerk_instance_config  which instance it is: server, virtual host, <ClerkInstance>. Inherited all
 *                                       together or not at all, so that no server combines its publishable key with
 *                                       the secret key of another instance
 *     TRANSPORT  clerk_instance_config  how to reach it: the same contexts. Inherited one by one, by named instances
 *                                       too
 *     MAIN       clerk_server_config    the main server only
 *     HOST       clerk_server_config    server and virtual host. Inherited one by one
 *     ADMIN      clerk_dir_config       everywhere but in .htaccess. Inherited one by one
 *     SECTION    clerk_dir_config       everywhere, .htaccess included. Inherited one by one. Read with
 *                                       CLERK_SETTINGS_VALUE
 *     POLICY     clerk_dir_config       the same, and copied to the member of the same name in clerk_policy
 *
 * Kinds: the type of the member, its value if the directive is not set, the argument of the directive
 *
 *     FLAG(default)                        int                  CLERK_UNSET  On or Off
 *     WORD(default, [value] = "word" ...)  int                  CLERK_UNSET  one of the words
 *     WORDS(default, [bit] = "word" ...)   unsigned int         0            some of the words, combined by OR
 *     DURATION(least, most, default)       apr_interval_time_t  CLERK_UNSET  a duration
 *     SIZE(least, most, default)           apr_int64_t          CLERK_UNSET  bytes, with K, M or G
 *     TEXT(reader)                         const char *         NULL         a text, converted by the reader
 *     SECRET(reader)                       const char *         NULL         the whole line, converted by the reader
 *     LIST(reader)                         apr_array_header_t * NULL         of const char *: several texts, each
 *                                                                            converted by the reader; lines add up
 *     POINTER(type)                        type                 NULL         needs a setter of its own
 *     OWN(kind, how, setter)               that of the kind                  handled by the setter, which httpd calls
 *                                                                            as `how` (AP_INIT_...)
 *
 * Readers and setters are declared in directives.h.
 */
/* clang-format on */

/** The value of an integer setting that is not set. (Pointers are NULL.) */
#define CLERK_UNSET (-1)

/** The environment variable for the publishable key of the unnamed instance, if the configuration has none. */
#define CLERK_ENV_PUBLISHABLE_KEY "CLERK_PUBLISHABLE_KEY"

/** The settings of one instance: the unnamed one of a server, or a <ClerkInstance NAME>. */
typedef struct clerk_instance_config {
    const char *name;  /**< NULL: the unnamed instance of the server */
    const char *where; /**< "line N of FILE" of the first directive, for messages; or NULL */
    /* IDENTITY */
    const char *publishable_key;
    const char *secret_key;
    const char *machine_secret_key;
    const char *jwt_key;         /**< PEM */
    const char *webhook_secrets; /**< one or two, separated by a space */
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
    apr_interval_time_t token_cache_ttl;
    const char *script_url;
    const char *ui_script_url;
    apr_interval_time_t user_profile_ttl;
    apr_interval_time_t revocation_check; /**< 0: off */
} clerk_instance_config;

typedef struct clerk_server_config {
    clerk_instance_config own;
    apr_hash_t *named;           /**< name -> clerk_instance_config *; NULL: none */
    clerk_instance_config *open; /**< the <ClerkInstance> whose directives are being read, else NULL */
    /* MAIN */
    apr_int64_t shared_memory; /**< 0: as needed */
    const char *socache;       /**< provider[:args]; NULL: default */
    const char *socache_key;   /**< NULL: random */
    const char *audit_log;     /**< an absolute path, or '|' and a program; NULL: none */
    int revocation_failure;    /**< clerk_revocation_failure */
    apr_interval_time_t revocation_poll;
    const char *state_dir; /**< absolute; NULL: default; "" none */
    /* HOST */
    const char *pages; /**< path of the module's own pages, without a final '/'; NULL or "": none */
    /* Set in check_config: */
    struct clerk_runtime *runtime; /**< the unnamed instance of the server, or NULL */
    apr_hash_t *named_runtimes;    /**< name -> clerk_runtime * */
} clerk_server_config;

typedef enum clerk_revocation_failure {
    CLERK_REVOCATION_FAILURE_OPEN,
    CLERK_REVOCATION_FAILURE_CLOSED
} clerk_revocation_failure;

typedef enum clerk_unauthenticated {
    CLERK_UNAUTHENTICATED_AUTO,
    CLERK_UNAUTHENTICATED_CHALLENGE,
    CLERK_UNAUTHENTICATED_SIGN_IN
} clerk_unauthenticated;

typedef enum clerk_inject {
    CLERK_INJECT_OFF,
    CLERK_INJECT_KEEP_ALIVE,
    CLERK_INJECT_ON
} clerk_inject;

/** A claim of ClerkExportClaim. */
typedef struct clerk_export {
    const char *path;  /**< of the claim; or user:FIELD */
    const char *field; /**< FIELD; NULL: it is a claim */
    const char *name;  /**< of the variable: CLERK_CLAIM_<NAME> */
    unsigned int hint; /**< the number of this place: process/hints.h; 0: of .htaccess */
} clerk_export;

/** The value of ClerkRemoteUser. */
typedef struct clerk_remote_user {
    const char *path;        /**< of the claim; or user:FIELD */
    const char *field;       /**< FIELD; NULL: it is a claim */
    const char *pattern;     /**< as written; NULL: the value is used as it is */
    const char *replacement; /**< what the value becomes, with $1 for what a part of the pattern matched */
    const void *regex;       /**< ap_regex_t * of the pattern, for the whole value */
} clerk_remote_user;

typedef struct clerk_dir_config {
    /* SECTION and POLICY */
    const char *instance_name;
    apr_array_header_t *htaccess_instances; /**< of const char * */
    unsigned int accept_tokens;             /**< CLERK_ACCEPT_* */
    int accept_basic;
    unsigned int token_sources;             /**< CLERK_SOURCE_* */
    apr_array_header_t *authorized_parties; /**< of const char * */
    apr_array_header_t *audience;           /**< of const char * */
    apr_interval_time_t clock_skew;
    int unauthenticated; /**< clerk_unauthenticated */
    const char *sign_in_url;
    const char *sign_up_url;
    int pending_sessions; /**< clerk_pending */
    int renewal;          /**< clerk_renewal */
    int revocation;
    apr_int64_t keep_forms; /**< bytes; 0: no form is kept */
    int cross_origin_sync;
    const char *cache_control; /**< NULL: default; "": nothing is added */
    int inject_script;         /**< clerk_inject */
    const char *user_button;   /**< NULL or "": none */
    clerk_organization_sync *organization_sync;
    const char *public_origin;
    int trust_forwarded;
    int user_profile;
    clerk_remote_user *remote_user;    /**< NULL: the user id */
    apr_array_header_t *export_claims; /**< of clerk_export */
    int pass_headers;
    int strip_credentials;
    /* The patterns of organization_sync, to which further lines of the same section add. */
    apr_array_header_t *org_patterns; /**< of const char * */
    apr_array_header_t *personal_patterns;
    struct clerk_htaccess *htaccess; /**< what .htaccess says of these settings: htaccess.h; NULL: nothing */
    const char *htaccess_ignored;    /**< a directive of .htaccess that would allow more, and has no effect; or NULL */
    /* Of httpd's own directives: open_sections.c */
    const struct ap_directive_t *open_auth_type; /**< AuthType Clerk, if no Require is beside it or further in */
    int has_require;                             /**< there is one in this section */
    clerk_policy policy;                         /**< the settings of POLICY with defaults filled in, for requests */
} clerk_dir_config;

/** The index of each row, by the name of its member: CLERK_SETTINGS_AT_jwks_max_stale. */
typedef enum clerk_settings_index {
#define SETTING(directive, group, member, kind, help) CLERK_SETTINGS_AT_##member,
#include "httpd/config/settings.def"
    CLERK_SETTINGS_COUNT
} clerk_settings_index;

typedef enum clerk_settings_group {
    CLERK_SETTINGS_IDENTITY,
    CLERK_SETTINGS_TRANSPORT,
    CLERK_SETTINGS_MAIN,
    CLERK_SETTINGS_HOST,
    CLERK_SETTINGS_ADMIN,
    CLERK_SETTINGS_SECTION,
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
    const char *const *words; /**< indexed by value; NULL for values without a word */
    int word_count;
    const char *help;
} clerk_settings_row;

extern const clerk_settings_row clerk_settings_table[CLERK_SETTINGS_COUNT];

/** An integer setting of a section or of the main server; its default if it is not set. */
#define CLERK_SETTINGS_VALUE(conf, member)                                                                             \
    ((conf)->member != CLERK_UNSET ? (conf)->member : clerk_settings_table[CLERK_SETTINGS_AT_##member].fallback)

/** The row of a directive, in upper or lower case. @return NULL if there is none */
const clerk_settings_row *clerk_settings_find(const char *directive);

/** Whether a setting is one of an instance, allowed inside <ClerkInstance>. */
int clerk_settings_is_of_instance(const clerk_settings_row *row);

/** Make all settings unset, and all other members zero. */
void clerk_settings_clear_instance(clerk_instance_config *instance, const char *name);
void clerk_settings_clear_server(clerk_server_config *server);

/** Make all settings unset, and fill in the policy. */
void clerk_settings_clear_dir(clerk_dir_config *dir);

/** Take the TRANSPORT settings that are not set in @a instance from @a defaults. */
void clerk_settings_inherit_transport(clerk_instance_config *instance, const clerk_instance_config *defaults);

/** Fill in the defaults of integer settings that are not set in @a instance. */
void clerk_settings_fill_defaults(clerk_instance_config *instance);

/** What clerk_instance_create() takes, from settings with their defaults filled in. */
void clerk_settings_instance_options(clerk_instance_options *options, const clerk_instance_config *instance);

/** Merge the settings of the main server @a base into those of a virtual host @a add. Named instances add up. */
clerk_server_config *clerk_settings_merge_server(apr_pool_t *pool, const clerk_server_config *base,
                                                 const clerk_server_config *add);

/** Merge the settings of an outer section @a base into those of an inner one, @a add. */
clerk_dir_config *clerk_settings_merge_dir(apr_pool_t *pool, const clerk_dir_config *base, const clerk_dir_config *add);

/** Fill in `policy` from the settings. Call after a directive has changed one of them; merging does it itself. */
void clerk_settings_set_policy(clerk_dir_config *dir);

/** All settings of an instance as one text: instances with equal texts are the same. */
const char *clerk_settings_fingerprint(const clerk_instance_config *instance, apr_pool_t *pool);

#endif
