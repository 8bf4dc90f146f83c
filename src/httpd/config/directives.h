/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_DIRECTIVES_H
#define HTTPD_CONFIG_DIRECTIVES_H

#include "httpd/config/config.h"

/* What the directives do, one function each, as httpd calls them: NULL, or what is wrong and what to write instead. */

/** For one argument at a time, or all of the line. */
typedef const char *clerk_text_directive(cmd_parms *cmd, void *conf, const char *text);
typedef const char *clerk_flag_directive(cmd_parms *cmd, void *conf, int on);

/* Instances and keys */
clerk_text_directive clerk_set_publishable_key;
clerk_text_directive clerk_set_secret_key;
clerk_text_directive clerk_set_jwt_key;
clerk_text_directive clerk_set_jwks_url;
clerk_text_directive clerk_set_api_url;
clerk_text_directive clerk_set_frontend_api;
clerk_text_directive clerk_set_proxy_url;
clerk_text_directive clerk_set_domain;
clerk_flag_directive clerk_set_satellite;
clerk_flag_directive clerk_set_satellite_auto_sync;
clerk_text_directive clerk_add_issuer;
clerk_text_directive clerk_set_http_proxy;
clerk_text_directive clerk_set_ca_file;
clerk_text_directive clerk_set_jwks_cache_ttl;
clerk_text_directive clerk_set_jwks_max_stale;
clerk_text_directive clerk_set_http_timeout;
clerk_text_directive clerk_open_instance;
clerk_text_directive clerk_set_shared_memory;
clerk_text_directive clerk_set_state_dir;

/* Authentication */
clerk_text_directive clerk_set_instance_name;
clerk_text_directive clerk_add_token_source;
clerk_text_directive clerk_add_authorized_party;
clerk_text_directive clerk_add_audience;
clerk_text_directive clerk_set_clock_skew;
clerk_text_directive clerk_set_unauthenticated;
clerk_text_directive clerk_set_sign_in_url;
clerk_text_directive clerk_set_sign_up_url;
clerk_text_directive clerk_set_pending_sessions;
clerk_text_directive clerk_set_organization_sync;
clerk_text_directive clerk_set_public_origin;
clerk_flag_directive clerk_set_trust_forwarded;
clerk_flag_directive clerk_set_cross_origin_sync;

/* What the application receives */
clerk_text_directive clerk_set_remote_user;
clerk_text_directive clerk_add_export_claims;
clerk_flag_directive clerk_set_pass_headers;
clerk_flag_directive clerk_set_strip_credentials;

#endif
