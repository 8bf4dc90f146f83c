/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_DUMP_H
#define HTTPD_CONFIG_CHECK_DUMP_H

#include <httpd.h>

/**
 * The test_config hook: `httpd -t -D DUMP_CLERK` prints, for each server and section, what protects it, what it
 * requires and which credentials count, and what is not protected by what it names. Without the define: nothing.
 */
void clerk_dump_configuration(apr_pool_t *pconf, server_rec *main_server);

#endif
