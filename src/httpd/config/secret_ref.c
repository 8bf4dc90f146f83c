/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/secret_ref.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/crypto.h>

#include "httpd/config/secret_program.h"
#include "httpd/process/log.h"
#include "httpd/process/secret_environment.h"
#include "text/secret_text.h"

/* The largest secret is a PEM certificate with its text form. */
#define MAX_SECRET 65536
/* For a program of exec:, in all. */
#define TIME_LIMIT apr_time_from_sec(30)

int clerk_secret_ref_is(const char *text)
{
    return !strncmp(text, "env:", 4) || !strncmp(text, "file:", 5) || !strncmp(text, "exec:", 5);
}

/* Without the line break at its end. */
static const char *keep(apr_pool_t *pool, const char *text, apr_size_t len)
{
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
        len--;
    }
    return clerk_secret_text_keep(pool, text, len);
}

static const char *read_env(const char **psecret, cmd_parms *cmd, const char *name)
{
    const char *value = getenv(name);

    if (!value || !*value) {
        return apr_psprintf(cmd->pool,
                            "%s: the environment variable %s is not set for the process that starts httpd; "
                            "export it there (Debian: /etc/apache2/envvars; systemd: EnvironmentFile=)",
                            cmd->cmd->name, name);
    }
    *psecret = keep(cmd->pool, value, strlen(value));
    return NULL;
}

/* Open a regular file. The type is looked at before too: the open alone of a device may do something. And open() of a
 * FIFO that is put there meanwhile must not wait for a writer. @return APR_EFTYPE: no regular file */
static apr_status_t open_regular(apr_file_t **pfile, apr_finfo_t *info, const char *path, apr_pool_t *pool)
{
    const apr_int32_t wanted = APR_FINFO_SIZE | APR_FINFO_TYPE | APR_FINFO_PROT;
    apr_status_t rv = apr_stat(info, path, wanted, pool);

    if (rv == APR_SUCCESS && info->filetype != APR_REG) {
        return APR_EFTYPE;
    }
    if (rv != APR_SUCCESS
        || (rv = apr_file_open(pfile, path, APR_FOPEN_READ | APR_FOPEN_NONBLOCK, APR_OS_DEFAULT, pool)) != APR_SUCCESS
        || (rv = apr_file_info_get(info, wanted, *pfile)) != APR_SUCCESS) {
        return rv;
    }
    return info->filetype == APR_REG ? APR_SUCCESS : APR_EFTYPE;
}

static const char *read_file(const char **psecret, cmd_parms *cmd, const char *path, int is_public)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t len;
    apr_status_t rv;
    char *text, message[120];

    if (*path != '/') {
        return apr_psprintf(cmd->pool, "%s: file:%s must be an absolute path", cmd->cmd->name, path);
    }
    rv = open_regular(&file, &info, path, cmd->temp_pool);
    if (rv == APR_EFTYPE || (rv == APR_SUCCESS && info.size > MAX_SECRET)) {
        return apr_psprintf(cmd->pool, "%s: %s is not a regular file of at most %d bytes", cmd->cmd->name, path,
                            MAX_SECRET);
    }
    if (rv != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: cannot read %s: %s", cmd->cmd->name, path,
                            apr_strerror(rv, message, sizeof(message)));
    }
    len = (apr_size_t)info.size;
    text = apr_palloc(cmd->temp_pool, len + 1);
    rv = apr_file_read_full(file, text, len, &len);
    apr_file_close(file);
    *psecret = keep(cmd->pool, text, len);
    OPENSSL_cleanse(text, len);
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        return apr_psprintf(cmd->pool, "%s: cannot read %s: %s", cmd->cmd->name, path,
                            apr_strerror(rv, message, sizeof(message)));
    }
    if (!is_public && (info.protection & APR_FPROT_WREAD)) {
        clerk_httpd_log_warn(cmd->server,
                             CLERK_LOGNO(3001) "%s (line %d of %s): every user of this machine can read %s; make it "
                                               "readable for the user who starts httpd only (chmod 600)",
                                         cmd->cmd->name, cmd->directive->line_num, cmd->directive->filename, path);
    }
    return NULL;
}

/* Not ap_get_exec_line(), which returns the first line only, and waits for ever: a PEM key has many lines. */
static const char *read_exec(const char **psecret, cmd_parms *cmd, const char *command)
{
    char **argv, *output;
    apr_size_t len;
    apr_status_t rv;

    if (apr_tokenize_to_argv(command, &argv, cmd->temp_pool) != APR_SUCCESS || !argv[0] || argv[0][0] != '/') {
        return apr_psprintf(cmd->pool, "%s: exec: needs the absolute path of a program, then its arguments",
                            cmd->cmd->name);
    }
    rv = clerk_secret_program_run(&output, &len, (const char *const *)argv, MAX_SECRET, TIME_LIMIT, cmd->temp_pool);
    if (output) {
        *psecret = keep(cmd->pool, output, len);
        OPENSSL_cleanse(output, len);
    }
    if (APR_STATUS_IS_TIMEUP(rv)) {
        return apr_psprintf(cmd->pool,
                            "%s: %s did not end within %d seconds, or what it has started keeps its output open",
                            cmd->cmd->name, argv[0], (int)apr_time_sec(TIME_LIMIT));
    }
    if (rv == APR_ENOSPC) {
        return apr_psprintf(cmd->pool, "%s: %s writes more than %d bytes", cmd->cmd->name, argv[0], MAX_SECRET);
    }
    if (rv != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: %s could not be run, or did not exit with 0", cmd->cmd->name, argv[0]);
    }
    return NULL;
}

/* A value without env:, file: or exec:. It may be a secret, so it is not repeated unless it is the name of a file. */
static const char *not_a_reference(cmd_parms *cmd, const char *ref)
{
    apr_finfo_t info;

    if (*ref == '/' && apr_stat(&info, ref, APR_FINFO_TYPE, cmd->temp_pool) == APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: this says not how the secret is read; did you mean file:%s?",
                            cmd->cmd->name, ref);
    }
    if (*ref == '/') {
        return apr_psprintf(cmd->pool, "%s: this says not how the secret is read; did you mean file:/absolute/path?",
                            cmd->cmd->name);
    }
    return apr_psprintf(cmd->pool,
                        "%s: a secret must not stand in a configuration file; write env:NAME, "
                        "file:/absolute/path or exec:/absolute/path arg ... instead",
                        cmd->cmd->name);
}

static const char *read_value(const char **pvalue, cmd_parms *cmd, const char *ref, int is_public)
{
    const char *error;

    if (*ref == '"' || *ref == '\'') {
        ref = ap_getword_conf(cmd->temp_pool, &ref);
    }
    if (!strncmp(ref, "env:", 4)) {
        error = read_env(pvalue, cmd, ref + 4);
    } else if (!strncmp(ref, "file:", 5)) {
        error = read_file(pvalue, cmd, ref + 5, is_public);
    } else if (!strncmp(ref, "exec:", 5)) {
        error = read_exec(pvalue, cmd, ref + 5);
    } else {
        return not_a_reference(cmd, ref);
    }
    if (!error && !**pvalue) {
        error = apr_psprintf(cmd->pool, "%s: %.*s gave an empty value", cmd->cmd->name, (int)strcspn(ref, " "), ref);
    }
    return error;
}

const char *clerk_secret_ref_read_public(const char **pvalue, cmd_parms *cmd, const char *ref)
{
    return read_value(pvalue, cmd, ref, 1);
}

static void take_from_environment(cmd_parms *cmd, const char *ref)
{
    const char *source = ap_getword_conf(cmd->temp_pool, &ref);

    if (!strncmp(source, "env:", 4)) {
        clerk_secret_environment_add(source + 4);
    }
}

const char *clerk_secret_ref_read_pem(const char **ppem, cmd_parms *cmd, const char *ref)
{
    take_from_environment(cmd, ref);
    return read_value(ppem, cmd, ref, 1);
}

const char *clerk_secret_ref_read(const char **psecret, cmd_parms *cmd, const char *ref)
{
    take_from_environment(cmd, ref);
    return read_value(psecret, cmd, ref, 0);
}
