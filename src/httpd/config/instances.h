/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_INSTANCES_H
#define HTTPD_CONFIG_INSTANCES_H

#include <httpd.h>

#include "httpd/process/runtime.h"

/**
 * Work out the instances of all servers: environment defaults, inheritance, checks. Servers with the same instance
 * share one runtime. Logs what is wrong, with file and line, and what is risky.
 * @param pruntimes of clerk_runtime *, all different ones, from @a pool
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR where httpd must not start
 */
int clerk_instances_resolve(apr_array_header_t **pruntimes, server_rec *main_server, apr_pool_t *pool);

#endif
