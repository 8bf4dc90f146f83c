/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_DIRECTIVES_H
#define HTTPD_CONFIG_DIRECTIVES_H

#include "httpd/config/config.h"

/** The table of directives for httpd: <ClerkInstance>, and one for each row of settings.def. */
extern const command_rec clerk_directives_commands[];

/* The readers and setters that settings.def names. */

/**
 * Converts the argument of a TEXT or SECRET setting, or one argument of a LIST.
 * @param text the argument, or the whole line for SECRET, from the configuration's pool
 * @param pvalue the value of the setting, from that pool
 * @return NULL, or what is wrong and what to write instead
 */
typedef const char *clerk_directives_reader(const char **pvalue, cmd_parms *cmd, const char *text);

/** A setter as httpd calls it, with one argument at a time or with the whole line. @return as a reader */
typedef const char *clerk_directives_setter(cmd_parms *cmd, void *conf, const char *text);
typedef const char *clerk_directives_flag_setter(cmd_parms *cmd, void *conf, int on);

/* Instances and keys: directives_instance.c */
clerk_directives_setter clerk_directives_instance_section;
clerk_directives_reader clerk_directives_instance_publishable_key;
clerk_directives_reader clerk_directives_instance_jwt_key;
clerk_directives_reader clerk_directives_instance_webhook_secret;
clerk_directives_reader clerk_directives_instance_frontend_api;
clerk_directives_reader clerk_directives_instance_proxy_url;
clerk_directives_setter clerk_directives_instance_issuer;
clerk_directives_reader clerk_directives_instance_http_proxy;
clerk_directives_reader clerk_directives_instance_ca_file;
clerk_directives_setter clerk_directives_instance_revocation_check;
clerk_directives_reader clerk_directives_instance_socache;
clerk_directives_reader clerk_directives_instance_socache_key;
clerk_directives_reader clerk_directives_instance_audit_log;
clerk_directives_reader clerk_directives_instance_state_dir;
clerk_directives_reader clerk_directives_instance_pages;

/** The instance that a directive applies to: that of the <ClerkInstance> around it, or the server's unnamed one. */
clerk_instance_config *clerk_directives_instance_of(cmd_parms *cmd);

/* Authentication: directives_auth.c */
clerk_directives_reader clerk_directives_auth_instance;
clerk_directives_reader clerk_directives_auth_authorized_party;
clerk_directives_reader clerk_directives_auth_audience;
clerk_directives_reader clerk_directives_auth_cache_control;
clerk_directives_setter clerk_directives_auth_keep_forms;
clerk_directives_reader clerk_directives_auth_user_button;
clerk_directives_setter clerk_directives_auth_organization_sync;
clerk_directives_setter clerk_directives_auth_public_origin;
clerk_directives_flag_setter clerk_directives_auth_trust_forwarded;

/* For the application: directives_application.c */
const char *clerk_directives_application_remote_user(cmd_parms *cmd, void *conf, const char *path, const char *pattern,
                                                     const char *replacement);
clerk_directives_setter clerk_directives_application_export_claims;

#endif
