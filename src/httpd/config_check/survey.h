/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_SURVEY_H
#define HTTPD_CONFIG_CHECK_SURVEY_H

#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>

/*
 * The configuration files as they were read, seen as places: what says how to find out who is asking, who is let in,
 * and which of it reaches where. .htaccess files are not part of it.
 */

/** What a place can say, apart from Require. */
typedef enum clerk_setting {
    CLERK_SETTING_AUTH_TYPE,
    CLERK_SETTING_INSTANCE,      /**< ClerkInstance */
    CLERK_SETTING_TOKEN_SOURCES, /**< ClerkTokenSources */
    CLERK_SETTING_SATISFY,
    CLERK_SETTING_STATUS_PAGE, /**< SetHandler clerk-status */
    CLERK_SETTINGS
} clerk_setting;

/**
 * A section of the configuration, or a server's top level, with what stands in it. <If>, <Limit>, <RequireAny> and the
 * like are no places.
 */
typedef struct clerk_place {
    const ap_directive_t *section; /**< NULL: the main server's top level */
    server_rec *server;
    char kind;          /**< 'S' server, 'D' directory, 'L' location */
    int files;          /**< <Files>: only for some names in the place */
    const char *path;   /**< without trailing '/'; NULL: a pattern, or everywhere */
    const char *prefix; /**< what the paths it can match begin with; "" where that is not known */
    const ap_directive_t *set[CLERK_SETTINGS]; /**< the last one of each; NULL: not said here */
    int clerk;                                 /**< AuthType is said, and is Clerk */
    const ap_directive_t *require;             /**< the first Require; NULL: none here */
    const ap_directive_t *restriction;         /**< a Require other than `all` */
    const ap_directive_t *require_clerk;       /**< a Require clerk-* that needs AuthType Clerk */
    const ap_directive_t *require_user;        /**< a Require that needs to know who is asking, whatever the AuthType */
    int open;   /**< a Require all granted or clerk-optional, outside <RequireAll> and the like */
    int always; /**< some Require stands outside <Limit>, <LimitExcept>, <If> and <Else> */
} clerk_place;

typedef struct clerk_survey {
    apr_array_header_t *places; /**< of clerk_place *, in the order of the files */
    server_rec *main_server;
    int authorized_parties; /**< ClerkAuthorizedParties stands somewhere */
    apr_pool_t *pool;
} clerk_survey;

/** Look the configuration over, after it was read and while ap_conftree is there. */
const clerk_survey *clerk_survey_make(server_rec *main_server, apr_pool_t *pool);

typedef enum clerk_reach {
    CLERK_REACH_NO,
    CLERK_REACH_MAYBE, /**< patterns; a directory and a URL; a virtual host and a main section */
    CLERK_REACH_YES
} clerk_reach;

/** Whether what @a outer says applies at @a inner, where @a inner itself does not say otherwise. */
clerk_reach clerk_survey_reaches(const clerk_survey *survey, const clerk_place *outer, const clerk_place *inner);

/** Whether AuthType is Clerk where this place says what it is. */
int clerk_place_is_clerk(const clerk_place *place);

/** Whether a directive has this name. */
int clerk_config_sections_directive_is(const ap_directive_t *directive, const char *name);

#endif
