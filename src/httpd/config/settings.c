/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/evp.h>

/* The struct that has the members of a group. */
#define STRUCT_IDENTITY clerk_instance_config
#define STRUCT_TRANSPORT clerk_instance_config
#define STRUCT_MAIN clerk_server_config
#define STRUCT_HOST clerk_server_config
#define STRUCT_ADMIN clerk_dir_config
#define STRUCT_SECTION clerk_dir_config
#define STRUCT_POLICY clerk_dir_config

/* The type of a kind. */
#define TYPE_FLAG(...) int
#define TYPE_WORD(...) int
#define TYPE_WORDS(...) unsigned int
#define TYPE_DURATION(...) apr_interval_time_t
#define TYPE_SIZE(...) apr_int64_t
#define TYPE_TEXT(...) const char *
#define TYPE_SECRET(...) const char *
#define TYPE_LIST(...) apr_array_header_t *
#define TYPE_POINTER(type) type
#define TYPE_OWN(kind, how, setter) TYPE_##kind

/* The value of a member that is not set. */
#define UNSET_FLAG(...) CLERK_UNSET
#define UNSET_WORD(...) CLERK_UNSET
#define UNSET_WORDS(...) 0
#define UNSET_DURATION(...) CLERK_UNSET
#define UNSET_SIZE(...) CLERK_UNSET
#define UNSET_TEXT(...) NULL
#define UNSET_SECRET(...) NULL
#define UNSET_LIST(...) NULL
#define UNSET_POINTER(...) NULL
#define UNSET_OWN(kind, how, setter) UNSET_##kind

/* The default. */
#define DEFAULT_FLAG(fallback) (fallback)
#define DEFAULT_WORD(fallback, ...) (fallback)
#define DEFAULT_WORDS(fallback, ...) (fallback)
#define DEFAULT_DURATION(least, most, fallback) (fallback)
#define DEFAULT_SIZE(least, most, fallback) (fallback)
#define DEFAULT_TEXT(...) NULL
#define DEFAULT_SECRET(...) NULL
#define DEFAULT_LIST(...) NULL
#define DEFAULT_POINTER(...) NULL
#define DEFAULT_OWN(kind, how, setter) DEFAULT_##kind

/* The members of a row that depend on its kind. */
#define ROW_WORDS_OF(...)                                                                                              \
    .words = (const char *const[]){__VA_ARGS__},                                                                       \
    .word_count = (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
#define ROW_FLAG(fallback_) .kind = CLERK_SETTINGS_FLAG, .fallback = (fallback_)
#define ROW_WORD(fallback_, ...) .kind = CLERK_SETTINGS_WORD, .fallback = (fallback_), ROW_WORDS_OF(__VA_ARGS__)
#define ROW_WORDS(fallback_, ...) .kind = CLERK_SETTINGS_WORDS, .fallback = (fallback_), ROW_WORDS_OF(__VA_ARGS__)
#define ROW_DURATION(least_, most_, fallback_)                                                                         \
    .kind = CLERK_SETTINGS_DURATION, .least = (least_), .most = (most_), .fallback = (fallback_)
#define ROW_SIZE(least_, most_, fallback_)                                                                             \
    .kind = CLERK_SETTINGS_SIZE, .least = (least_), .most = (most_), .fallback = (fallback_)
#define ROW_TEXT(...) .kind = CLERK_SETTINGS_TEXT
#define ROW_SECRET(...) .kind = CLERK_SETTINGS_SECRET
#define ROW_LIST(...) .kind = CLERK_SETTINGS_LIST
#define ROW_POINTER(...) .kind = CLERK_SETTINGS_POINTER
#define ROW_OWN(kind, how, setter) ROW_##kind

const clerk_settings_row clerk_settings_table[CLERK_SETTINGS_COUNT] = {
#define SETTING(directive_, group_, member_, kind_, help_)                                                             \
    {.directive = #directive_,                                                                                         \
     .group = CLERK_SETTINGS_##group_,                                                                                 \
     .offset = offsetof(STRUCT_##group_, member_),                                                                     \
     ROW_##kind_,                                                                                                      \
     .help = (help_)},
#include "httpd/config/settings.def"
};

#define SETTING(directive, group, member, kind, help)                                                                  \
    _Static_assert(_Generic(((STRUCT_##group *)0)->member, TYPE_##kind : 1, default : 0),                              \
                   #directive " is of another kind than its member");
#include "httpd/config/settings.def"

const clerk_settings_row *clerk_settings_find(const char *directive)
{
    for (int i = 0; i < CLERK_SETTINGS_COUNT; i++) {
        if (!strcasecmp(clerk_settings_table[i].directive, directive)) {
            return &clerk_settings_table[i];
        }
    }
    return NULL;
}

int clerk_settings_is_of_instance(const clerk_settings_row *row)
{
    return row->group == CLERK_SETTINGS_IDENTITY || row->group == CLERK_SETTINGS_TRANSPORT;
}

/*
 * The functions below are generated: one statement for each setting. httpd merges sections for every request, and a
 * loop over the table would take several times as long.
 */

/* The member of @a add if it is set, else @a other. */
#define SET_OR(add, member, kind, other) ((add)->member != UNSET_##kind ? (add)->member : (other))

void clerk_settings_clear_instance(clerk_instance_config *instance, const char *name)
{
    memset(instance, 0, sizeof(*instance));
    instance->name = name;
#define IDENTITY_SETTING(member, kind) instance->member = UNSET_##kind;
#define TRANSPORT_SETTING(member, kind) instance->member = UNSET_##kind;
#include "httpd/config/settings.def"
}

void clerk_settings_clear_server(clerk_server_config *server)
{
    memset(server, 0, sizeof(*server));
    clerk_settings_clear_instance(&server->own, NULL);
#define MAIN_SETTING(member, kind) server->member = UNSET_##kind;
#define HOST_SETTING(member, kind) server->member = UNSET_##kind;
#include "httpd/config/settings.def"
}

/* Inline, because it is part of every merge. */
static inline void fill_policy(clerk_dir_config *dir)
{
#define POLICY_SETTING(member, kind) dir->policy.member = SET_OR(dir, member, kind, DEFAULT_##kind);
#include "httpd/config/settings.def"
    dir->policy.narrower_parties = NULL;
    dir->policy.narrower_audience = NULL;
}

void clerk_settings_set_policy(clerk_dir_config *dir)
{
    fill_policy(dir);
}

void clerk_settings_clear_dir(clerk_dir_config *dir)
{
    memset(dir, 0, sizeof(*dir));
#define ADMIN_SETTING(member, kind) dir->member = UNSET_##kind;
#define SECTION_SETTING(member, kind) dir->member = UNSET_##kind;
#define POLICY_SETTING(member, kind) dir->member = UNSET_##kind;
#include "httpd/config/settings.def"
    fill_policy(dir);
}

void clerk_settings_inherit_transport(clerk_instance_config *instance, const clerk_instance_config *defaults)
{
#define TRANSPORT_SETTING(member, kind) instance->member = SET_OR(instance, member, kind, defaults->member);
#include "httpd/config/settings.def"
}

void clerk_settings_fill_defaults(clerk_instance_config *instance)
{
#define IDENTITY_SETTING(member, kind) instance->member = SET_OR(instance, member, kind, DEFAULT_##kind);
#define TRANSPORT_SETTING(member, kind) instance->member = SET_OR(instance, member, kind, DEFAULT_##kind);
#include "httpd/config/settings.def"
}

void clerk_settings_instance_options(clerk_instance_options *options, const clerk_instance_config *instance)
{
    *options = (clerk_instance_options){.publishable_key = instance->publishable_key,
                                        .secret_key = instance->secret_key,
                                        .machine_secret_key = instance->machine_secret_key,
                                        .frontend_api = instance->frontend_api,
                                        .proxy_url = instance->proxy_url,
                                        .domain = instance->domain,
                                        .satellite = instance->satellite,
                                        .satellite_auto_sync = instance->satellite_auto_sync,
                                        .api_url = instance->api_url,
                                        .jwks_url = instance->jwks_url,
                                        .issuers = instance->issuers};
}

/*
 * Inherit the IDENTITY settings all together or not at all: a server with another publishable key inherits none of the
 * outer server's secret key, PEM key, JWKS URL, hosts and issuers, because they belong to another instance.
 */
static void inherit_identity(clerk_instance_config *instance, const clerk_instance_config *base)
{
    /* Defaults from the environment are filled in later, but the outer publishable key is needed now. */
    const char *outer = base->publishable_key ? base->publishable_key : getenv(CLERK_ENV_PUBLISHABLE_KEY);

    if (instance->publishable_key && outer && *outer && strcmp(instance->publishable_key, outer)) {
        return;
    }
    instance->where = instance->where ? instance->where : base->where;
#define IDENTITY_SETTING(member, kind) instance->member = SET_OR(instance, member, kind, base->member);
#include "httpd/config/settings.def"
}

clerk_server_config *clerk_settings_merge_server(apr_pool_t *pool, const clerk_server_config *base,
                                                 const clerk_server_config *add)
{
    clerk_server_config *server = apr_pcalloc(pool, sizeof(*server));

    server->own = add->own;
    inherit_identity(&server->own, &base->own);
    clerk_settings_inherit_transport(&server->own, &base->own);
    server->named = !add->named    ? base->named
                    : !base->named ? add->named
                                   : apr_hash_overlay(pool, add->named, base->named);
#define MAIN_SETTING(member, kind) server->member = base->member;
#define HOST_SETTING(member, kind) server->member = SET_OR(add, member, kind, base->member);
#include "httpd/config/settings.def"
    return server;
}

clerk_dir_config *clerk_settings_merge_dir(apr_pool_t *pool, const clerk_dir_config *base, const clerk_dir_config *add)
{
    clerk_dir_config *dir = apr_palloc(pool, sizeof(*dir));

#define ADMIN_SETTING(member, kind) dir->member = SET_OR(add, member, kind, base->member);
#define SECTION_SETTING(member, kind) dir->member = SET_OR(add, member, kind, base->member);
#define POLICY_SETTING(member, kind) dir->member = SET_OR(add, member, kind, base->member);
#include "httpd/config/settings.def"
    /* ClerkPublicOrigin and ClerkTrustForwarded exclude each other: the one of the inner section is used. */
    if (add->public_origin) {
        dir->trust_forwarded = add->trust_forwarded;
    } else if (add->trust_forwarded == 1) {
        dir->public_origin = NULL;
    }
    /* Lines of the same section add up; those of an inner section replace those of the outer one. */
    dir->org_patterns = NULL;
    dir->personal_patterns = NULL;
    dir->open_auth_type = add->open_auth_type || add->has_require ? add->open_auth_type : base->open_auth_type;
    dir->has_require = !add->open_auth_type && (add->has_require || base->has_require);
    /* Merged by htaccess.c, on top of this. */
    dir->htaccess = NULL;
    dir->htaccess_ignored = NULL;
    fill_policy(dir);
    return dir;
}

/* A fingerprint has "length:text" for each setting and "-" for an absent one, so that it is unambiguous. */

static const char *print_text(const char *text, apr_pool_t *pool)
{
    return text ? apr_psprintf(pool, "%" APR_SIZE_T_FMT ":%s", strlen(text), text) : "-";
}

/* The fingerprint is kept as long as the configuration, in memory that is not the secret's own. */
static const char *print_secret(const char *text, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len;

    if (!text || EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL) != 1) {
        return print_text(text, pool);
    }
    return print_text(apr_pescape_hex(pool, digest, len, 0), pool);
}

static const char *print_number(apr_int64_t number, apr_pool_t *pool)
{
    return print_text(apr_psprintf(pool, "%" APR_INT64_T_FMT, number), pool);
}

static const char *print_list(const apr_array_header_t *list, apr_pool_t *pool)
{
    const char *all = list ? "" : NULL;

    for (int i = 0; list && i < list->nelts; i++) {
        all = apr_pstrcat(pool, all, print_text(APR_ARRAY_IDX(list, i, const char *), pool), NULL);
    }
    return print_text(all, pool);
}

/* None for POINTER, whose value cannot be compared: no setting of an instance can be of that kind. */
#define PRINT_FLAG(...) print_number
#define PRINT_WORD(...) print_number
#define PRINT_WORDS(...) print_number
#define PRINT_DURATION(...) print_number
#define PRINT_SIZE(...) print_number
#define PRINT_TEXT(...) print_text
#define PRINT_SECRET(...) print_secret
#define PRINT_LIST(...) print_list
#define PRINT_OWN(kind, how, setter) PRINT_##kind

const char *clerk_settings_fingerprint(const clerk_instance_config *instance, apr_pool_t *pool)
{
    const char *all = "";

#define IDENTITY_SETTING(member, kind) all = apr_pstrcat(pool, all, PRINT_##kind(instance->member, pool), NULL);
#define TRANSPORT_SETTING(member, kind) all = apr_pstrcat(pool, all, PRINT_##kind(instance->member, pool), NULL);
#include "httpd/config/settings.def"
    return all;
}
