/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_AUTHZ_PROVIDERS_H
#define HTTPD_AUTHZ_AUTHZ_PROVIDERS_H

#include <apr_pools.h>

/** Register the `Require clerk-*` providers (directives.md "Require providers"). @param pool of the configuration */
void clerk_authz_providers_register(apr_pool_t *pool);

#endif
