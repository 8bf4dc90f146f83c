/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_LIFECYCLE_H
#define HTTPD_LIFECYCLE_H

#include <httpd.h>

/** Register the hooks for start, restart and stop: pre_config, check_config, post_config, child_init, child_stopping.
 */
void clerk_lifecycle_register(apr_pool_t *pool);

#endif
