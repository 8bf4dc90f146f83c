/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_SECRET_REF_H
#define HTTPD_CONFIG_SECRET_REF_H

#include <httpd.h>
#include <http_config.h>

/** Whether the text is a secret-ref (`env:NAME`, `file:/path`, `exec:/path arg ...`; directives.md "Secrets"). */
int clerk_secret_ref_is(const char *text);

/**
 * Read a secret, as the user who starts httpd. Line breaks at its end are dropped. A file that other users can read
 * causes a warning, once for each start. An environment variable is hidden from all processes that httpd starts
 * (secret_environment.h).
 * @param psecret the secret, in memory of its own that lives as long as the configuration (secret_text.h)
 * @return NULL, or what is wrong and what to write instead (without the secret)
 */
const char *clerk_secret_ref_read(const char **psecret, cmd_parms *cmd, const char *ref);

/** The same for a public key: every user may read its file. */
const char *clerk_secret_ref_read_pem(const char **ppem, cmd_parms *cmd, const char *ref);

/** The same for a value that is not secret: its environment variable is left where it is. */
const char *clerk_secret_ref_read_public(const char **pvalue, cmd_parms *cmd, const char *ref);

#endif
