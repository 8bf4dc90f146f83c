/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_CONFIG_SECTIONS_H
#define HTTPD_CONFIG_CHECK_CONFIG_SECTIONS_H

#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>

/*
 * The sections of the configuration files, for the check of the configuration and for DUMP_CLERK: how visitors are
 * authenticated in each, who has access, and where each applies. .htaccess files are not included.
 */

/** The directives that are noted for a section, besides Require. */
typedef enum clerk_section_directive {
    CLERK_SECTION_AUTH_TYPE,
    CLERK_SECTION_INSTANCE,      /**< ClerkInstance */
    CLERK_SECTION_TOKEN_SOURCES, /**< ClerkTokenSources */
    CLERK_SECTION_SATISFY,
    CLERK_SECTION_STATUS_PAGE, /**< SetHandler clerk-status */
    CLERK_SECTION_DIRECTIVES
} clerk_section_directive;

/**
 * A <Directory>, <Location>, <Files> or <VirtualHost> section, or the main server outside of all sections, with the
 * directives in it. <If>, <Limit>, <RequireAny> and others belong to the section around them.
 */
typedef struct clerk_config_section {
    const ap_directive_t *container; /**< the directive that opens it; NULL: the main server */
    server_rec *server;
    char kind;          /**< 'S' server, 'D' directory, 'L' location */
    int files;          /**< <Files>: applies only to some names in the section around it */
    const char *path;   /**< without trailing '/'; NULL: a pattern, or all paths */
    const char *prefix; /**< common prefix of all paths it can match; "" if unknown */
    const ap_directive_t *set[CLERK_SECTION_DIRECTIVES]; /**< the last one of each; NULL: none here */
    int clerk;                                           /**< it has an AuthType, which is Clerk */
    const ap_directive_t *require;                       /**< the first Require; NULL: none here */
    const ap_directive_t *restriction;                   /**< a Require other than `all` */
    const ap_directive_t *require_clerk;                 /**< a Require clerk-* that needs AuthType Clerk */
    const ap_directive_t *require_user;                  /**< a Require that needs a user, of any AuthType */
    int open;   /**< a Require all granted or clerk-optional, outside <RequireAll> and others */
    int always; /**< a Require outside <Limit>, <LimitExcept>, <If> and <Else> */
} clerk_config_section;

typedef struct clerk_config_sections {
    apr_array_header_t *sections; /**< of clerk_config_section *, in the order of the files */
    server_rec *main_server;
    int authorized_parties; /**< ClerkAuthorizedParties is set in some section */
    apr_pool_t *pool;
} clerk_config_sections;

/** Collect the sections. Call after the configuration was read, while ap_conftree exists. */
const clerk_config_sections *clerk_config_sections_read(server_rec *main_server, apr_pool_t *pool);

/** Whether the directives of one section apply in another. */
typedef enum clerk_section_applies {
    CLERK_APPLIES_NO,
    CLERK_APPLIES_MAYBE, /**< unknown: patterns; a directory and a URL; a virtual host and a section of the main server
                          */
    CLERK_APPLIES_YES
} clerk_section_applies;

/** Whether the directives of @a outer apply in @a inner, if @a inner has none of its own. */
clerk_section_applies clerk_config_sections_apply(const clerk_config_sections *config,
                                                  const clerk_config_section *outer, const clerk_config_section *inner);

/** Whether the section's own AuthType is Clerk. */
int clerk_config_sections_is_clerk(const clerk_config_section *section);

/** Whether the section has a Require other than `all`. */
int clerk_config_sections_has_restriction(const clerk_config_section *section);

/** Whether the section has a ClerkInstance. */
int clerk_config_sections_has_instance(const clerk_config_section *section);

/** Whether a directive has this name. */
int clerk_config_sections_directive_is(const ap_directive_t *directive, const char *name);

#endif
