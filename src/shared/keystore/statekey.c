/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/keystore/statekey.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#define NAME "state.key"
#define TEMPORARY "state.key.new"

/* Whether only this process's user can have written the file, and can read it. */
static int is_private(int fd)
{
    struct stat info;

    /* A second link: the file was made for something else, and its content may be known. */
    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() && info.st_nlink == 1
           && !(info.st_mode & (S_IRWXG | S_IRWXO)) && info.st_size == CLERK_STATEKEY_LEN;
}

static int read_key(unsigned char key[CLERK_STATEKEY_LEN], int dir)
{
    /* O_NONBLOCK: a FIFO in the file's place must not hold up the start of the server. */
    int fd = openat(dir, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int done = fd >= 0 && is_private(fd) && read(fd, key, CLERK_STATEKEY_LEN) == CLERK_STATEKEY_LEN;

    if (fd >= 0) {
        close(fd);
    }
    return done;
}

static apr_status_t write_open(int fd, const unsigned char key[CLERK_STATEKEY_LEN])
{
    ssize_t len = write(fd, key, CLERK_STATEKEY_LEN);

    if (len < 0 || fsync(fd) != 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    /* A short write, or a file system that gives root's files to another user: the next start would refuse it. */
    return is_private(fd) ? APR_SUCCESS : APR_EACCES;
}

static apr_status_t write_key(int dir, const unsigned char key[CLERK_STATEKEY_LEN])
{
    apr_status_t rv;
    int fd;

    /* Of a process that was killed. Whatever the directory's owner puts there instead makes O_EXCL fail. */
    (void)unlinkat(dir, TEMPORARY, 0);
    fd = openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    rv = write_open(fd, key);
    close(fd);
    if (rv == APR_SUCCESS && renameat(dir, TEMPORARY, dir, NAME) != 0) {
        rv = APR_FROM_OS_ERROR(errno);
    }
    if (rv != APR_SUCCESS) {
        (void)unlinkat(dir, TEMPORARY, 0);
    }
    return rv;
}

apr_status_t clerk_statekey_get(unsigned char key[CLERK_STATEKEY_LEN], apr_status_t *pkept, int dir)
{
    *pkept = APR_SUCCESS;
    if (read_key(key, dir)) {
        return APR_SUCCESS;
    }
    if (RAND_bytes(key, CLERK_STATEKEY_LEN) != 1) {
        return APR_EGENERAL;
    }
    *pkept = write_key(dir, key);
    return APR_SUCCESS;
}
