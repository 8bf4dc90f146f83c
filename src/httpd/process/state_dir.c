/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/process/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <openssl/crypto.h>
#include <unixd.h>

#include "httpd/process/log.h"
#include "shared/trusted_path.h"
#include "text/secret_text.h"

#define DEFAULT_STATE_DIR "clerk"

/* @return APR_EACCES: others than root could put something else in its place, which was logged */
static apr_status_t check_place(const char *dir, server_rec *s, apr_pool_t *pool)
{
    const char *breach = clerk_trusted_path_breach(dir, 0, pool);

    if (breach) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     CLERK_LOGNO(3038) "ClerkStateDir %s is not given to the server's user, because other users than "
                                       "root can change %s; name a directory below one that only root can change",
                                 dir, breach);
        return APR_EACCES;
    }
    return APR_SUCCESS;
}

/* Whether an open directory is what the path names now, without a link at its end. */
static int is_at(const struct stat *info, const char *dir)
{
    struct stat named;

    return lstat(dir, &named) == 0 && info->st_dev == named.st_dev && info->st_ino == named.st_ino;
}

/*
 * Make the children's user the owner of an open directory of root's. It may have been opened by way of a link that is
 * gone: after the way is known to be root's alone, it has to be what the path leads to. APR_EACCES: refused, and
 * logged.
 */
static apr_status_t give_to_children(int fd, const struct stat *info, const char *dir, server_rec *s, apr_pool_t *pool)
{
    apr_status_t rv = check_place(dir, s, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!is_at(info, dir)) {
        return APR_ENOENT;
    }
    return fchown(fd, ap_unixd_config.user_id, (gid_t)-1) == 0 ? APR_SUCCESS : APR_FROM_OS_ERROR(errno);
}

/* Whether the directory is root's here, to be given to the children's user. */
static int is_given_away(void)
{
    return geteuid() == 0 && ap_unixd_config.user_id != 0;
}

static apr_status_t check_open_directory(int fd, const char *dir, server_rec *s, apr_pool_t *pool)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    if (info.st_mode & (S_IWGRP | S_IWOTH)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     CLERK_LOGNO(3030) "ClerkStateDir %s can be written by other users; "
                                       "make it private (chmod 700). Until then no keys are kept there",
                                 dir);
        return APR_EACCES;
    }
    return is_given_away() && info.st_uid == 0 ? give_to_children(fd, &info, dir, s, pool) : APR_SUCCESS;
}

/* Get the key of an open directory, as long as the pool. */
static apr_status_t get_key(const unsigned char **pkey, int fd, const char *dir, server_rec *s, apr_pool_t *pool)
{
    unsigned char key[CLERK_STATEKEY_LEN];
    apr_status_t kept, rv = clerk_statekey_get(key, &kept, fd);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pkey = (const unsigned char *)clerk_secret_text_keep(pool, (const char *)key, sizeof(key));
    OPENSSL_cleanse(key, sizeof(key));
    if (kept != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, kept, s,
                     CLERK_LOGNO(3260) "the file state.key cannot be kept in ClerkStateDir %s; the next start will "
                                       "ignore the keys that are kept there now",
                                 dir);
    }
    return APR_SUCCESS;
}

static apr_status_t prepare(const unsigned char **pkey, const char *dir, server_rec *s, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    struct stat info;
    int fd;

    if (lstat(dir, &info) != 0) {
        /* Nor does root make directories where others choose the place. */
        rv = is_given_away() ? check_place(dir, s, pool) : APR_SUCCESS;
        if (rv == APR_SUCCESS) {
            rv = apr_dir_make_recursive(dir, APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE, pool);
        }
    }
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EEXIST(rv)) {
        return rv;
    }
    /* Not through a symbolic link: what it points to may be a directory of root's that is not ours to give away. */
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    rv = check_open_directory(fd, dir, s, pool);
    if (rv == APR_SUCCESS) {
        rv = get_key(pkey, fd, dir, s, pool);
    }
    close(fd);
    return rv;
}

const clerk_statefile_dir *clerk_state_dir_prepare(const char *dir, server_rec *s, apr_pool_t *pool)
{
    clerk_statefile_dir *state = apr_pcalloc(pool, sizeof(*state));
    apr_status_t rv;

    if (dir && !*dir) {
        return NULL;
    }
    if (!dir) {
        dir = ap_runtime_dir_relative(pool, DEFAULT_STATE_DIR);
    }
    rv = prepare(&state->key, dir, s, pool);
    if (rv == APR_SUCCESS) {
        state->path = dir;
        state->owner = ap_unixd_config.user_id;
        return state;
    }
    if (rv != APR_EACCES) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, s,
                     CLERK_LOGNO(3031) "ClerkStateDir %s cannot be used, so keys will not "
                                       "survive a restart while Clerk is out of reach; name another directory, or none",
                                 dir);
    }
    return NULL;
}
