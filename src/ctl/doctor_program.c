/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/doctor_program.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <apr_time.h>

/* The most that is read of its output. */
#define OUTPUT_MAX 4194304
/* How often is looked whether a process has ended. */
#define WAIT_STEP apr_time_from_msec(10)

static const char *find_in(const char *directories, const char *name, apr_pool_t *pool)
{
    char *state = NULL, *list = apr_pstrdup(pool, directories);

    for (char *dir = apr_strtok(list, ":", &state); dir; dir = apr_strtok(NULL, ":", &state)) {
        const char *path = apr_pstrcat(pool, dir, "/", name, NULL);

        if (*dir == '/' && access(path, X_OK) == 0) {
            return path;
        }
    }
    return NULL;
}

const char *clerk_doctor_program_find(apr_pool_t *pool)
{
    static const char *const names[] = {"apache2ctl", "apachectl", "httpd", "apache2"};
    const char *path = getenv("PATH");
    const char *directories = apr_pstrcat(pool, path ? path : "", ":", CLERK_HTTPD_SBINDIR,
                                          ":/usr/sbin:/sbin:/usr/local/apache2/bin", NULL);

    for (apr_size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *found = find_in(directories, names[i], pool);

        if (found) {
            return found;
        }
    }
    return NULL;
}

static const char *const *argv_of(const char *program, const apr_array_header_t *arguments, apr_pool_t *pool)
{
    static const char *const own[] = {"-t", "-D", "DUMP_CLERK", "-D", "DUMP_CLERK_JSON"};
    apr_array_header_t *argv = apr_array_make(pool, 16, sizeof(const char *));

    APR_ARRAY_PUSH(argv, const char *) = program;
    for (int i = 0; i < arguments->nelts; i++) {
        APR_ARRAY_PUSH(argv, const char *) = APR_ARRAY_IDX(arguments, i, const char *);
    }
    for (apr_size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        APR_ARRAY_PUSH(argv, const char *) = own[i];
    }
    APR_ARRAY_PUSH(argv, const char *) = NULL;
    return (const char *const *)argv->elts;
}

/* Both of its outputs go into one pipe, so that reading cannot wait for the wrong one. */
static apr_status_t start(apr_proc_t *process, apr_file_t **pread, const char *program, const char *const *argv,
                          apr_pool_t *pool)
{
    apr_procattr_t *attributes;
    apr_file_t *write_end;
    apr_status_t rv = apr_file_pipe_create_ex(pread, &write_end, APR_FULL_BLOCK, pool);

    if (rv == APR_SUCCESS && (rv = apr_procattr_create(&attributes, pool)) == APR_SUCCESS
        && (rv = apr_procattr_io_set(attributes, APR_NO_PIPE, APR_NO_FILE, APR_NO_FILE)) == APR_SUCCESS
        && (rv = apr_procattr_child_out_set(attributes, write_end, NULL)) == APR_SUCCESS
        && (rv = apr_procattr_child_err_set(attributes, write_end, NULL)) == APR_SUCCESS
        && (rv = apr_procattr_cmdtype_set(attributes, APR_PROGRAM_ENV)) == APR_SUCCESS
        && (rv = apr_procattr_error_check_set(attributes, 1)) == APR_SUCCESS) {
        rv = apr_proc_create(process, program, argv, NULL, attributes, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_close(write_end);
    }
    return rv;
}

/* All that comes through the pipe before the deadline. */
static apr_status_t read_all(char *output, apr_size_t *plen, apr_file_t *pipe, apr_time_t deadline)
{
    apr_status_t rv = APR_SUCCESS;

    *plen = 0;
    while (rv == APR_SUCCESS && *plen < OUTPUT_MAX) {
        apr_interval_time_t left = deadline - apr_time_now();
        apr_size_t len = OUTPUT_MAX - *plen;

        if (left <= 0) {
            return APR_TIMEUP;
        }
        rv = apr_file_pipe_timeout_set(pipe, left);
        if (rv == APR_SUCCESS) {
            rv = apr_file_read(pipe, output + *plen, &len);
            *plen += rv == APR_SUCCESS ? len : 0;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* Wait for a process that has closed its output. */
static apr_status_t wait_for(apr_proc_t *process, int *pcode, apr_exit_why_e *pwhy, apr_time_t deadline)
{
    while (apr_proc_wait(process, pcode, pwhy, APR_NOWAIT) == APR_CHILD_NOTDONE) {
        if (apr_time_now() >= deadline) {
            return APR_TIMEUP;
        }
        apr_sleep(WAIT_STEP);
    }
    return APR_SUCCESS;
}

const char *clerk_doctor_program_run(const char **poutput, int *pcode, const char *program,
                                     const apr_array_header_t *arguments, apr_interval_time_t limit, apr_pool_t *pool)
{
    char *output = apr_palloc(pool, OUTPUT_MAX + 1), message[120];
    apr_exit_why_e why = APR_PROC_EXIT;
    apr_proc_t process;
    apr_file_t *pipe;
    apr_size_t len = 0;
    apr_time_t deadline = apr_time_now() + limit;
    apr_status_t rv = start(&process, &pipe, program, argv_of(program, arguments, pool), pool);

    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "%s cannot be run: %s", program, apr_strerror(rv, message, sizeof(message)));
    }
    rv = read_all(output, &len, pipe, deadline);
    (void)apr_file_close(pipe);
    output[len] = '\0';
    *poutput = output;
    if (rv == APR_SUCCESS) {
        rv = wait_for(&process, pcode, &why, deadline);
    }
    if (rv != APR_SUCCESS) {
        (void)apr_proc_kill(&process, SIGKILL);
        (void)apr_proc_wait(&process, pcode, &why, APR_WAIT);
        return rv == APR_TIMEUP ? apr_psprintf(pool, "%s did not end within %" APR_INT64_T_FMT " ms (--timeout)",
                                               program, (apr_int64_t)apr_time_as_msec(limit))
                                : apr_psprintf(pool, "the output of %s cannot be read", program);
    }
    return APR_PROC_CHECK_EXIT(why) ? NULL : apr_psprintf(pool, "%s was killed by a signal", program);
}
