/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_CHECK_CHECK_H
#define HTTPD_CONFIG_CHECK_CHECK_H

#include <httpd.h>

/**
 * Check the whole configuration after the instances are resolved. What cannot work is an error, what is allowed but
 * probably a mistake is a warning, both with file and line. .htaccess files are not checked.
 * @return OK or HTTP_INTERNAL_SERVER_ERROR
 */
int clerk_check_configuration(server_rec *main_server, apr_pool_t *scratch);

/** Whether a section of the configuration files that were checked needs users' profiles. */
int clerk_check_needs_profiles(void);

#endif
