/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_DUMP_JSON_H
#define HTTPD_CONFIG_CHECK_DUMP_JSON_H

#include <apr_file_io.h>
#include <httpd.h>

/**
 * For `httpd -t -D DUMP_CLERK -D DUMP_CLERK_JSON`: print the instances and Clerk's directives as one line of JSON, for
 * clerkctl doctor. No secret is in it, only where secrets come from. Prints nothing without DUMP_CLERK_JSON.
 */
void clerk_dump_json_print(apr_file_t *out, server_rec *main_server, apr_pool_t *pool);

#endif
