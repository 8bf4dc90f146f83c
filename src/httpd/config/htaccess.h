/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_HTACCESS_H
#define HTTPD_CONFIG_HTACCESS_H

#include "httpd/config/settings.h"

/*
 * What .htaccess may do. httpd merges it before <Location>, <If> and the like, and after the server's own settings, so
 * a .htaccess in the document root would decide for every section of the server configuration that leaves a setting to
 * the server: which instance's users are let in to it, from which sites, and under which names. Therefore these
 * settings of .htaccess are kept apart from those of the server configuration:
 *
 *     narrowed  ClerkTokenSources, ClerkAuthorizedParties, ClerkAudience, ClerkClockSkew, ClerkRenewal,
 *               ClerkRevocation, ClerkKeepForms, ClerkPendingSessions, ClerkStripCredentials: what both allow is
 *               allowed
 *               ClerkAcceptTokens, ClerkAcceptBasic: the same where the server configuration says something of them,
 *               else as .htaccess says
 *     filled    ClerkRemoteUser, ClerkPublicOrigin, ClerkTrustForwarded: used only where the server configuration says
 *               nothing; and an origin only if the server knows it (clerk_wire_ignores_htaccess())
 *     replaced  ClerkSignInURL, ClerkSignUpURL: but the page is not given the session of a development instance's
 *               browser
 *     granted   ClerkInstance: only one that ClerkHtaccessInstances names, or the one that is used anyway
 *
 * A setting of a section of the server configuration that is merged after a .htaccess ends what that one says of the
 * same setting. An inner .htaccess replaces what an outer one says. All other settings can be set freely.
 *
 * This file knows no httpd, so that unit tests can use it.
 */

/** The members of clerk_dir_config of the same names, as far as .htaccess has set them. */
struct clerk_htaccess {
    const char *instance_name;
    unsigned int accept_tokens;
    int accept_basic;
    unsigned int token_sources;
    apr_array_header_t *authorized_parties;
    apr_array_header_t *audience;
    apr_interval_time_t clock_skew;
    int renewal;
    int revocation;
    apr_int64_t keep_forms;
    const char *sign_in_url;
    const char *sign_up_url;
    int pending_sessions;
    const char *public_origin;
    int trust_forwarded;
    clerk_remote_user *remote_user;
    int strip_credentials;
};

/** Where .htaccess sets the member of @a row. @return NULL: where the server configuration does */
void *clerk_htaccess_member(clerk_dir_config *dir, const clerk_settings_row *row, apr_pool_t *pool);

/**
 * Merge the settings of .htaccess, after those of the server configuration: into the policy as far as they concern it.
 * Notes a directive that has no effect. To be called if there are any.
 */
void clerk_htaccess_merge(clerk_dir_config *dir, const clerk_dir_config *base, const clerk_dir_config *add,
                          apr_pool_t *pool);

/* The settings in force. */

/** Whether .htaccess may use an instance. */
int clerk_htaccess_grants_instance(const clerk_dir_config *dir, const char *name);

/** The name of the instance, where `htaccess` is not NULL; NULL: the unnamed one; "", which none has: not granted. */
const char *clerk_htaccess_instance(const clerk_dir_config *dir);

/** Whether ClerkPublicOrigin or ClerkTrustForwarded is that of .htaccess. */
int clerk_htaccess_says_origin(const clerk_dir_config *dir);

/** @return NULL: not set */
const char *clerk_htaccess_public_origin(const clerk_dir_config *dir);
int clerk_htaccess_trusts_forwarded(const clerk_dir_config *dir);
const clerk_remote_user *clerk_htaccess_remote_user(const clerk_dir_config *dir);

static inline int clerk_htaccess_strips_credentials(const clerk_dir_config *dir)
{
    return CLERK_SETTINGS_VALUE(dir, strip_credentials) || (dir->htaccess && dir->htaccess->strip_credentials == 1);
}

/** The largest form that is kept, in bytes; 0: none is. */
static inline apr_size_t clerk_htaccess_keep_forms(const clerk_dir_config *dir)
{
    apr_int64_t most = CLERK_SETTINGS_VALUE(dir, keep_forms);
    apr_int64_t said = dir->htaccess ? dir->htaccess->keep_forms : CLERK_UNSET;

    return (apr_size_t)(said != CLERK_UNSET && said < most ? said : most);
}

#endif
