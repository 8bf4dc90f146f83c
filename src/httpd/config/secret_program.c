/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/secret_program.h"

#include <signal.h>

#include <apr_errno.h>
#include <apr_file_io.h>
#include <apr_thread_proc.h>

/* How often to look whether a program has ended that has closed its output. */
#define LOOK_EVERY apr_time_from_msec(5)

static apr_status_t start(apr_proc_t *program, const char *const *argv, apr_pool_t *pool)
{
    apr_procattr_t *attr;
    apr_status_t rv;

    if ((rv = apr_procattr_create(&attr, pool)) != APR_SUCCESS
        || (rv = apr_procattr_io_set(attr, APR_NO_PIPE, APR_FULL_BLOCK, APR_NO_PIPE)) != APR_SUCCESS
        || (rv = apr_procattr_cmdtype_set(attr, APR_PROGRAM)) != APR_SUCCESS) {
        return rv;
    }
    return apr_proc_create(program, argv[0], argv, NULL, attr, pool);
}

/* Read to the end of the output. @param plen how much was read, whatever is returned */
static apr_status_t read_output(char *output, apr_size_t *plen, apr_file_t *from, apr_size_t max, apr_time_t deadline)
{
    for (*plen = 0; *plen <= max;) {
        apr_interval_time_t left = deadline - apr_time_now();
        apr_size_t len = max + 1 - *plen;
        apr_status_t rv = left > 0 ? apr_file_pipe_timeout_set(from, left) : APR_TIMEUP;

        if (rv == APR_SUCCESS) {
            rv = apr_file_read(from, output + *plen, &len);
        }
        if (rv != APR_SUCCESS) {
            return rv == APR_EOF ? APR_SUCCESS : rv;
        }
        *plen += len;
    }
    *plen = max;
    return APR_ENOSPC;
}

static apr_status_t wait_for_end(apr_proc_t *program, apr_time_t deadline)
{
    apr_exit_why_e why;
    int code;

    for (;;) {
        apr_status_t rv = apr_proc_wait(program, &code, &why, APR_NOWAIT);

        if (rv == APR_CHILD_DONE) {
            return APR_PROC_CHECK_EXIT(why) && code == 0 ? APR_SUCCESS : APR_EGENERAL;
        }
        if (rv != APR_CHILD_NOTDONE) {
            return rv;
        }
        if (apr_time_now() >= deadline) {
            return APR_TIMEUP;
        }
        apr_sleep(LOOK_EVERY);
    }
}

apr_status_t clerk_secret_program_run(char **poutput, apr_size_t *plen, const char *const *argv, apr_size_t max,
                                      apr_interval_time_t limit, apr_pool_t *pool)
{
    apr_time_t deadline = apr_time_now() + limit;
    apr_proc_t program;
    apr_status_t rv = start(&program, argv, pool);
    apr_exit_why_e why;
    int code;

    *poutput = NULL;
    *plen = 0;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *poutput = apr_palloc(pool, max + 2);
    rv = read_output(*poutput, plen, program.out, max, deadline);
    (*poutput)[*plen] = '\0';
    apr_file_close(program.out);
    if (rv == APR_SUCCESS) {
        rv = wait_for_end(&program, deadline);
        if (rv != APR_TIMEUP) {
            return rv;
        }
    }
    /* One that runs as another user (sudo) may not be ours to kill. It is not waited for. */
    if (apr_proc_kill(&program, SIGKILL) == APR_SUCCESS) {
        apr_proc_wait(&program, &code, &why, APR_WAIT);
    }
    return rv;
}
