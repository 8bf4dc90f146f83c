/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PROCESS_SECRET_ENVIRONMENT_H
#define HTTPD_PROCESS_SECRET_ENVIRONMENT_H

#include <apr_pools.h>

/*
 * Environment variables that hold secrets. They are needed while the configuration is read, at each restart again, and
 * nowhere else: whatever else runs with httpd's environment could read them, such as %{ENV:...} and osenv() in
 * .htaccess, getenv() in mod_php, piped logs, or /proc/PID/environ. So they are taken out of the environment of the
 * parent process once the configuration is read, before it starts any process, and put back before it is read again.
 */

/** Begin a configuration pass: forget the names of an earlier one. */
void clerk_secret_environment_reset(apr_pool_t *pconf);

/** A secret was read from this variable. */
void clerk_secret_environment_add(const char *name);

/**
 * Take the variables that were added, and those that hold secrets by default, out of the environment, and overwrite
 * their values. They are put back when @a pconf is cleared, in this process only.
 */
void clerk_secret_environment_hide(apr_pool_t *pconf);

/** In a process that the parent has started: overwrite the values that were kept for the next restart. */
void clerk_secret_environment_forget(void);

#endif
