/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include "ctl/setup.h"

/**
 * Examine a server: its configuration, as httpd prints it, its files, and what it calls.
 * @param program the httpd, or a script that runs it such as apachectl; NULL: find one
 * @param arguments of const char *: further arguments for it, such as -d and -f
 * @param limit for its run
 */
clerk_output_code clerk_doctor_run(clerk_setup *setup, const char *program, const apr_array_header_t *arguments,
                                   apr_interval_time_t limit);

#endif
