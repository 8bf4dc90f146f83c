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
#include "text/secret_text.h"

#define DEFAULT_STATE_DIR "clerk"

/* Whether users other than root can replace the entries of this directory, or this symbolic link. */
static int others_may_change(const struct stat *info)
{
    return info->st_uid != 0
           || (!S_ISLNK(info->st_mode) && (info->st_mode & (S_IWGRP | S_IWOTH)) && !(info->st_mode & S_ISVTX));
}

/* The first directory above @a dir in which another user than root can replace something, or NULL. */
static const char *untrusted_parent(const char *dir, apr_pool_t *pool)
{
    struct stat info;

    for (const char *slash = strchr(dir, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *parent = slash == dir ? "/" : apr_pstrmemdup(pool, dir, (apr_size_t)(slash - dir));

        if (lstat(parent, &info) != 0 || others_may_change(&info)) {
            return parent;
        }
    }
    return NULL;
}

/* Make the children's user the owner of an open directory of root's. APR_EACCES: refused, and logged. */
static apr_status_t give_to_children(int fd, const char *dir, server_rec *s, apr_pool_t *pool)
{
    const char *parent = untrusted_parent(dir, pool);

    if (parent) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     CLERK_LOGNO(3038) "ClerkStateDir %s is not given to the server's user, because other users than "
                                       "root can change %s; name a directory below one that only root can change",
                                 dir, parent);
        return APR_EACCES;
    }
    return fchown(fd, ap_unixd_config.user_id, (gid_t)-1) == 0 ? APR_SUCCESS : APR_FROM_OS_ERROR(errno);
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
    if (geteuid() != 0 || info.st_uid != 0 || ap_unixd_config.user_id == 0) {
        return APR_SUCCESS;
    }
    return give_to_children(fd, dir, s, pool);
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
    apr_status_t rv = apr_dir_make_recursive(dir, APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE, pool);
    int fd;

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
