/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_CONFIG_SECTIONS_H
#define HTTPD_CONFIG_CHECK_CONFIG_SECTIONS_H

#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>

/*
 * The sections of the configuration files, for the check of the configuration and for DUMP_CLERK: how visitors are
 * authenticated in each, and who has access. section_reach.h says where each applies, section_access.h what that means
 * for a visitor. .htaccess files are not included.
 */

/** The directives that are noted for a section, besides Require. */
typedef enum clerk_section_directive {
    CLERK_SECTION_AUTH_TYPE,
    CLERK_SECTION_INSTANCE,      /**< ClerkInstance */
    CLERK_SECTION_ACCEPT_TOKENS, /**< ClerkAcceptTokens */
    CLERK_SECTION_ACCEPT_BASIC,  /**< ClerkAcceptBasic */
    CLERK_SECTION_TOKEN_SOURCES, /**< ClerkTokenSources */
    CLERK_SECTION_REMOTE_USER,   /**< ClerkRemoteUser */
    CLERK_SECTION_KEEP_FORMS,    /**< ClerkKeepForms */
    CLERK_SECTION_INJECT_SCRIPT, /**< ClerkInjectScript */
    CLERK_SECTION_SATISFY,
    CLERK_SECTION_AUTH_MERGING,
    CLERK_SECTION_STATUS_PAGE,   /**< SetHandler clerk-status */
    CLERK_SECTION_PUBLIC_ORIGIN, /**< ClerkPublicOrigin, or ClerkTrustForwarded */
    CLERK_SECTION_SIGN_IN_URL,   /**< ClerkSignInURL */
    CLERK_SECTION_TLS,           /**< SSLEngine */
    CLERK_SECTION_TO_HTTPS,      /**< a Redirect or RewriteRule of a server to an https:// URL */
    CLERK_SECTION_REDIRECTOR,    /**< hands requests to another URL inside httpd: a RewriteRule, FallbackResource,
                                      Action */
    CLERK_SECTION_DIRECTIVES
} clerk_section_directive;

/** What a section is, in the order in which httpd merges sections of different kinds. */
typedef enum clerk_section_kind {
    CLERK_SECTION_SERVER,
    CLERK_SECTION_DIRECTORY,
    CLERK_SECTION_FILES,
    CLERK_SECTION_PROXY,
    CLERK_SECTION_LOCATION,
    CLERK_SECTION_IF,     /**< <If>, <ElseIf> or <Else> */
    CLERK_SECTION_MAPPING /**< no section, but a directive that sends URLs to another server: ProxyPass,
                               ProxyPassMatch, RewriteRule with the flag P; `container` is that directive */
} clerk_section_kind;

/**
 * A section, or the main server outside of all sections, with the directives in it. <Limit>, <RequireAny> and others
 * belong to the section around them.
 */
typedef struct clerk_config_section {
    const ap_directive_t *container;           /**< the directive that opens it; NULL: the main server */
    const struct clerk_config_section *around; /**< NULL: it is the main server */
    server_rec *server;
    clerk_section_kind kind;
    int number;         /**< its place in the list */
    int pattern;        /**< <DirectoryMatch> and <Directory ~>, which are merged after other directories */
    const char *path;   /**< without trailing '/'; NULL: a pattern, or all paths */
    const char *prefix; /**< common prefix of all paths it can match; "" if unknown */
    int excludes;       /**< a mapping that keeps URLs here: ProxyPass ... ! */
    const ap_directive_t *set[CLERK_SECTION_DIRECTIVES]; /**< the last one of each; NULL: none here */
    int clerk;                                           /**< it has an AuthType, which is Clerk */
    const ap_directive_t *require;                       /**< the first Require; NULL: none here */
    const ap_directive_t *restriction;                   /**< a Require other than `all` */
    const ap_directive_t *require_clerk;                 /**< a Require clerk-* that needs AuthType Clerk */
} clerk_config_section;

/** A directive that gives files outside of the document root a URL, such as Alias. */
typedef struct clerk_config_alias {
    server_rec *server;
    const char *prefix; /**< of the URLs that it can change; "" if unknown */
    const char *url;    /**< without trailing '/'; NULL: a pattern */
    const char *path;   /**< the files, without trailing '/'; NULL: unknown */
} clerk_config_alias;

typedef struct clerk_config_sections {
    apr_array_header_t *sections; /**< of clerk_config_section *, in the order of the files */
    apr_array_header_t *aliases;  /**< of clerk_config_alias */
    server_rec *main_server;
    int authorized_parties; /**< ClerkAuthorizedParties is set in some section */
    apr_pool_t *pool;
} clerk_config_sections;

/** Collect the sections. Call after the configuration was read, while ap_conftree exists. */
const clerk_config_sections *clerk_config_sections_read(server_rec *main_server, apr_pool_t *pool);

/** The section with a number. */
const clerk_config_section *clerk_config_sections_get(const clerk_config_sections *config, int number);

/** Whether the section's own AuthType is Clerk. */
int clerk_config_sections_is_clerk(const clerk_config_section *section);

/** Whether the section has an AuthType. */
int clerk_config_sections_has_auth_type(const clerk_config_section *section);

/** Whether the section has a Require. */
int clerk_config_sections_has_require(const clerk_config_section *section);

/** Whether the section has a Require other than `all`. */
int clerk_config_sections_has_restriction(const clerk_config_section *section);

/** Whether the section has a ClerkInstance. */
int clerk_config_sections_has_instance(const clerk_config_section *section);

/** The directives inside a section. */
const ap_directive_t *clerk_config_sections_content(const clerk_config_section *section);

/** Whether a directive opens a section of its own. */
int clerk_config_sections_opens(const ap_directive_t *directive);

/** Whether a directive has this name. */
int clerk_config_sections_directive_is(const ap_directive_t *directive, const char *name);

#endif
