/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_DUMP_H
#define HTTPD_CONFIG_CHECK_DUMP_H

#include <httpd.h>

/**
 * test_config hook: for `httpd -t -D DUMP_CLERK`, print for each server and section how it is protected, what it
 * requires and which credentials are accepted, and which sections are not protected. Prints nothing without DUMP_CLERK.
 */
void clerk_dump_configuration(apr_pool_t *pconf, server_rec *main_server);

#endif
