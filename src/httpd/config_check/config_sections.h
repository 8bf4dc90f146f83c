/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_CONFIG_SECTIONS_H
#define HTTPD_CONFIG_CHECK_CONFIG_SECTIONS_H

#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>

/*
 * The sections of the configuration files as they were read: which of them say how visitors are authenticated and who
 * is let in, and where each of them applies. .htaccess files are not part of it.
 */

/** The directives that are looked for in a section, apart from Require. */
typedef enum clerk_section_directive {
    CLERK_SECTION_AUTH_TYPE,
    CLERK_SECTION_INSTANCE,      /**< ClerkInstance */
    CLERK_SECTION_TOKEN_SOURCES, /**< ClerkTokenSources */
    CLERK_SECTION_SATISFY,
    CLERK_SECTION_STATUS_PAGE, /**< SetHandler clerk-status */
    CLERK_SECTION_DIRECTIVES
} clerk_section_directive;

/**
 * A <Directory>, <Location>, <Files> or <VirtualHost> section, or the main server's top level, with the directives in
 * it. <If>, <Limit>, <RequireAny> and the like are part of the section around them.
 */
typedef struct clerk_config_section {
    const ap_directive_t *container; /**< the directive that opens it; NULL: the main server's top level */
    server_rec *server;
    char kind;          /**< 'S' server, 'D' directory, 'L' location */
    int files;          /**< <Files>: only for some names of what the section around it covers */
    const char *path;   /**< without trailing '/'; NULL: a pattern, or everywhere */
    const char *prefix; /**< what the paths it can match begin with; "" where that is not known */
    const ap_directive_t *set[CLERK_SECTION_DIRECTIVES]; /**< the last one of each; NULL: not said here */
    int clerk;                                           /**< AuthType is said, and is Clerk */
    const ap_directive_t *require;                       /**< the first Require; NULL: none here */
    const ap_directive_t *restriction;                   /**< a Require other than `all` */
    const ap_directive_t *require_clerk;                 /**< a Require clerk-* that needs AuthType Clerk */
    const ap_directive_t *require_user; /**< a Require that needs to know who is asking, whatever the AuthType */
    int open;   /**< a Require all granted or clerk-optional, outside <RequireAll> and the like */
    int always; /**< some Require stands outside <Limit>, <LimitExcept>, <If> and <Else> */
} clerk_config_section;

typedef struct clerk_config_sections {
    apr_array_header_t *sections; /**< of clerk_config_section *, in the order of the files */
    server_rec *main_server;
    int authorized_parties; /**< ClerkAuthorizedParties stands somewhere */
    apr_pool_t *pool;
} clerk_config_sections;

/** Collect the sections, after the configuration was read and while ap_conftree is there. */
const clerk_config_sections *clerk_config_sections_read(server_rec *main_server, apr_pool_t *pool);

/** Whether a section applies at a place. */
typedef enum clerk_section_applies {
    CLERK_APPLIES_NO,
    CLERK_APPLIES_MAYBE, /**< patterns; a directory and a URL; a virtual host and a main section */
    CLERK_APPLIES_YES
} clerk_section_applies;

/** Whether the directives of @a outer apply at @a inner, where @a inner has none of its own. */
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
