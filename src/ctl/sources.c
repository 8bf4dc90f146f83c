/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/sources.h"

#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#include "httpd/config/secret_program.h"
#include "text/secret_text.h"
#include "text/text.h"

/* For a program of exec:, in all; as in httpd. */
#define TIME_LIMIT apr_time_from_sec(30)

int clerk_sources_is_reference(const char *text)
{
    return clerk_text_begins_with(text, "env:") || clerk_text_begins_with(text, "file:")
           || clerk_text_begins_with(text, "exec:");
}

static const char *why(apr_status_t rv, apr_pool_t *pool)
{
    char message[120];

    return apr_pstrdup(pool, apr_strerror(rv, message, sizeof(message)));
}

static const char *read_open(const char **ptext, apr_size_t *plen, clerk_sources_fault *pfault, apr_file_t *file,
                             const char *name, apr_size_t max, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, max + 2);
    apr_size_t len = 0;
    apr_status_t rv = apr_file_read_full(file, text, max + 1, &len);

    if (rv != APR_SUCCESS && rv != APR_EOF) {
        *pfault = CLERK_SOURCES_MISSING;
        return apr_psprintf(pool, "cannot read %s: %s", name, why(rv, pool));
    }
    if (len > max) {
        return apr_psprintf(pool, "%s has more than %" APR_SIZE_T_FMT " bytes", name, max);
    }
    text[len] = '\0';
    *ptext = text;
    *plen = len;
    return NULL;
}

const char *clerk_sources_read_file(const char **ptext, apr_size_t *plen, clerk_sources_fault *pfault, const char *path,
                                    int may_be_pipe, apr_size_t max, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_status_t rv;
    const char *problem;

    *pfault = CLERK_SOURCES_WRONG;
    if (!strcmp(path, "-")) {
        rv = apr_file_open_stdin(&file, pool);
        return rv == APR_SUCCESS ? read_open(ptext, plen, pfault, file, "standard input", max, pool)
                                 : "there is no standard input";
    }
    rv = apr_stat(&info, path, APR_FINFO_TYPE, pool);
    if (rv == APR_SUCCESS && info.filetype != APR_REG && !(may_be_pipe && info.filetype == APR_PIPE)) {
        return apr_psprintf(pool, "%s is not a regular file", path);
    }
    if (rv == APR_SUCCESS || rv == APR_INCOMPLETE) {
        rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_OS_DEFAULT, pool);
    }
    if (rv != APR_SUCCESS) {
        *pfault = CLERK_SOURCES_MISSING;
        return apr_psprintf(pool, "cannot read %s: %s", path, why(rv, pool));
    }
    problem = read_open(ptext, plen, pfault, file, path, max, pool);
    (void)apr_file_close(file);
    return problem;
}

static const char *read_program(const char **pvalue, clerk_sources_fault *pfault, const char *command, apr_size_t max,
                                apr_pool_t *pool)
{
    char **argv, *output = NULL;
    apr_size_t len = 0;
    apr_status_t rv;

    if (apr_tokenize_to_argv(command, &argv, pool) != APR_SUCCESS || !argv[0] || argv[0][0] != '/') {
        return "exec: needs the absolute path of a program, then its arguments";
    }
    rv = clerk_secret_program_run(&output, &len, (const char *const *)argv, max, TIME_LIMIT, pool);
    *pvalue = output ? output : "";
    *pfault = CLERK_SOURCES_MISSING;
    return rv == APR_SUCCESS
               ? NULL
               : apr_psprintf(pool, "%s could not be run, did not end in time, or did not exit with 0", argv[0]);
}

const char *clerk_sources_read(const char **pvalue, clerk_sources_fault *pfault, const char *option, const char *ref,
                               apr_size_t max, apr_pool_t *pool)
{
    const char *value = "", *problem = NULL;
    apr_size_t len;

    *pfault = CLERK_SOURCES_WRONG;
    if (clerk_text_begins_with(ref, "env:")) {
        *pfault = CLERK_SOURCES_MISSING;
        value = getenv(ref + 4);
        problem = value ? NULL : apr_psprintf(pool, "the environment variable %s is not set", ref + 4);
    } else if (clerk_text_begins_with(ref, "file:")) {
        problem = clerk_sources_read_file(&value, &len, pfault, ref + 5, 0, max, pool);
    } else if (clerk_text_begins_with(ref, "exec:")) {
        problem = read_program(&value, pfault, ref + 5, max, pool);
    } else {
        problem = "every user of this machine can see a secret on a command line; write env:NAME, file:/path or "
                  "exec:/path arg ... instead";
    }
    if (!problem && value) {
        len = strlen(value);
        while (len > 0 && (value[len - 1] == '\n' || value[len - 1] == '\r')) {
            len--;
        }
        *pvalue = clerk_secret_text_keep(pool, value, len);
        *pfault = CLERK_SOURCES_WRONG;
        problem = len > 0 ? NULL : "it is empty";
    }
    return problem ? apr_psprintf(pool, "%s: %s", option, problem) : NULL;
}
