/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DOCTOR_PROGRAM_H
#define CTL_DOCTOR_PROGRAM_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

/** The httpd to run: apachectl or its like, which set the environment as at the start; else httpd itself. @return NULL
 * if there is none */
const char *clerk_doctor_program_find(apr_pool_t *pool);

/**
 * Run `PROGRAM [arguments] -t -D DUMP_CLERK -D DUMP_CLERK_JSON`.
 * @param poutput what it wrote, standard error included
 * @param pcode its exit code
 * @param limit for all of it; then it is killed
 * @return NULL, or why it cannot be run
 */
const char *clerk_doctor_program_run(const char **poutput, int *pcode, const char *program,
                                     const apr_array_header_t *arguments, apr_interval_time_t limit, apr_pool_t *pool);

#endif
