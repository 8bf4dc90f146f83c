/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_OPEN_SECTIONS_H
#define HTTPD_CONFIG_OPEN_SECTIONS_H

#include <httpd.h>
#include <http_config.h>

/*
 * A section or .htaccess with AuthType Clerk and no Require is open where a section around it has Require all granted.
 * To tell at run time where that is so, this module reads httpd's own AuthType and Require: httpd calls the handlers of
 * all modules that have a directive. Sections that say nothing of importance cost a request nothing.
 */

/** Begin a configuration pass. */
void clerk_open_sections_reset(void);

/** Handlers of AuthType and Require, besides httpd's own. @return NULL */
const char *clerk_open_sections_auth_type(cmd_parms *cmd, void *conf, const char *args);
const char *clerk_open_sections_require(cmd_parms *cmd, void *conf, const char *args);

/** Everybody was let in to @a r without authentication: warn where that was probably not meant, once a minute a place.
 */
void clerk_open_sections_warn(request_rec *r);

#endif
