/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_INSTANCES_H
#define HTTPD_CONFIG_INSTANCES_H

#include <httpd.h>

#include "httpd/process/runtime.h"

/**
 * Create the instances of all servers: defaults from the environment, inheritance, checks. Servers with equal settings
 * share one instance. Logs errors, with file and line, and risky settings.
 * @param pruntimes all instances, of clerk_runtime *, from @a pool
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR if httpd must not start
 */
int clerk_instances_resolve(apr_array_header_t **pruntimes, server_rec *main_server, apr_pool_t *pool);

#endif
