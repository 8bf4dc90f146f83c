/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_CONFIG_SECRET_PROGRAM_H
#define HTTPD_CONFIG_SECRET_PROGRAM_H

#include <apr_pools.h>
#include <apr_time.h>

/**
 * Run a program without a shell and with an empty environment, and read its output. In case of a failure the program
 * itself is killed; what it has started is not, but its output is read no more.
 * @param poutput what it has written, followed by NUL; NULL if it could not be started. The caller wipes it
 * @param plen at most @a max
 * @param limit for all of it: until its output has ended, wherever that is held open, and the program too
 * @return APR_SUCCESS; APR_TIMEUP; APR_ENOSPC: more than @a max bytes; APR_EGENERAL: it did not exit with 0; or why it
 * could not be started or read
 */
apr_status_t clerk_secret_program_run(char **poutput, apr_size_t *plen, const char *const *argv, apr_size_t max,
                                      apr_interval_time_t limit, apr_pool_t *pool);

#endif
