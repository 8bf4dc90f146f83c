/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_LIFECYCLE_H
#define HTTPD_LIFECYCLE_H

#include <httpd.h>

/** Register the hooks that start and stop things: pre_config to child_stopping. */
void clerk_lifecycle_register(apr_pool_t *pool);

#endif
