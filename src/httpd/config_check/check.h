/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_CHECK_H
#define HTTPD_CONFIG_CHECK_CHECK_H

#include <httpd.h>

/**
 * Look over the whole configuration as it was read, after the instances are resolved: what cannot work is an error with
 * file and line, what is legal but probably not meant is a warning. .htaccess files are not part of it.
 * @return OK or HTTP_INTERNAL_SERVER_ERROR
 */
int clerk_check_configuration(server_rec *main_server, apr_pool_t *scratch);

#endif
