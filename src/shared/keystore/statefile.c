/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/keystore/statefile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define STATEFILE_MAX 262144
#define MAC_LEN 32
#define HEX_LEN 64
/* Characters that mkstemp() appends to the name and a dot. */
#define TEMPORARY_LEN 6
/* Seconds after which no writer uses its temporary file any more; writing takes less than one. */
#define TEMPORARY_AGE 600

/*
 * The file is JSON of one fixed form, so that reading it takes no parser:
 *   {"mod_auth_clerk":1,"id":"<hex>","fetched_at":<microseconds>,"hmac":"<hex>","document":<document>}\n
 * The HMAC covers id, time and document. It detects damage, and forgery by programs that run as the same user as
 * httpd's children, such as CGI programs: they can write these files, but cannot read the key.
 */
#define PART_ID "{\"mod_auth_clerk\":1,\"id\":\""
#define PART_TIME "\",\"fetched_at\":"
#define PART_MAC ",\"hmac\":\""
#define PART_DOCUMENT "\",\"document\":"
#define PART_END "}\n"

static const char *hex_of(const unsigned char bytes[32], apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = apr_palloc(pool, HEX_LEN + 1);

    for (apr_size_t i = 0; i < 32; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[HEX_LEN] = '\0';
    return hex;
}

/* The HMAC-SHA-256 with the key of the directory, in hexadecimal; NULL on failure. */
static const char *mac_of(const clerk_statefile_dir *dir, const char *id, apr_time_t fetched_at, const char *document,
                          apr_size_t len, apr_pool_t *pool)
{
    const char *head = apr_psprintf(pool, "%s\n%" APR_TIME_T_FMT "\n", id, fetched_at);
    char name[] = "SHA256";
    OSSL_PARAM params[]
        = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *method = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = method ? EVP_MAC_CTX_new(method) : NULL;
    unsigned char mac[MAC_LEN];
    size_t mac_len = 0;
    int done = context && EVP_MAC_init(context, dir->key, CLERK_STATEKEY_LEN, params)
               && EVP_MAC_update(context, (const unsigned char *)head, strlen(head))
               && EVP_MAC_update(context, (const unsigned char *)document, len)
               && EVP_MAC_final(context, mac, &mac_len, MAC_LEN) && mac_len == MAC_LEN;

    EVP_MAC_CTX_free(context);
    EVP_MAC_free(method);
    return done ? hex_of(mac, pool) : NULL;
}

static const char *path_of(const char *dir, const char *id, apr_pool_t *pool)
{
    return apr_pstrcat(pool, dir, "/", id, ".json", NULL);
}

apr_status_t clerk_statefile_write(const clerk_statefile_dir *dir, const unsigned char id[32], const char *document,
                                   apr_size_t len, apr_time_t fetched_at, apr_pool_t *scratch)
{
    const char *hex = hex_of(id, scratch);
    const char *mac = mac_of(dir, hex, fetched_at, document, len, scratch);
    const char *head;
    char *temporary = apr_pstrcat(scratch, dir->path, "/", hex, ".XXXXXX", NULL);
    apr_file_t *file;
    apr_status_t rv, closed;

    if (!mac) {
        return APR_EGENERAL;
    }
    head = apr_psprintf(scratch, PART_ID "%s" PART_TIME "%" APR_TIME_T_FMT PART_MAC "%s" PART_DOCUMENT, hex, fetched_at,
                        mac);
    if (strlen(head) + len + strlen(PART_END) > STATEFILE_MAX) {
        return APR_ENOSPC;
    }
    /* mkstemp() makes the file with mode 0600 whatever the umask. */
    rv = apr_file_mktemp(&file, temporary, APR_FOPEN_CREATE | APR_FOPEN_WRITE | APR_FOPEN_EXCL | APR_FOPEN_BINARY,
                         scratch);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_file_write_full(file, head, strlen(head), NULL);
    if (rv == APR_SUCCESS) {
        rv = apr_file_write_full(file, document, len, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_write_full(file, PART_END, strlen(PART_END), NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_sync(file);
    }
    closed = apr_file_close(file);
    if (rv == APR_SUCCESS) {
        rv = closed;
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_rename(temporary, path_of(dir->path, hex, scratch), scratch);
    }
    if (rv != APR_SUCCESS) {
        apr_file_remove(temporary, scratch);
    }
    return rv;
}

/* Why an open file is not to be trusted, or NULL. */
static const char *file_problem(const struct stat *info, apr_uid_t owner)
{
    if (!S_ISREG(info->st_mode)) {
        return "it is not a regular file";
    }
    if (info->st_uid != geteuid() && info->st_uid != owner) {
        return "it belongs to another user";
    }
    if (info->st_mode & (S_IWGRP | S_IWOTH)) {
        return "others than its owner may write it";
    }
    if (info->st_size > STATEFILE_MAX) {
        return "it is too large";
    }
    return NULL;
}

/* Read `size` bytes of the file. If it changes meanwhile, the HMAC will not match. */
static apr_status_t read_all(char **ptext, apr_size_t *plen, int fd, apr_size_t size, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, size + 1);
    apr_size_t len = 0;

    while (len < size) {
        ssize_t got = read(fd, text + len, size - len);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return APR_FROM_OS_ERROR(errno);
        }
        if (got == 0) {
            break;
        }
        len += (apr_size_t)got;
    }
    text[len] = '\0';
    *ptext = text;
    *plen = len;
    return APR_SUCCESS;
}

static apr_status_t read_file(char **ptext, apr_size_t *plen, const char **pproblem, const char *path, apr_uid_t owner,
                              apr_pool_t *pool)
{
    struct stat info;
    apr_status_t rv;
    /* O_NONBLOCK: a FIFO in the file's place must not hold up the start of the server. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        int error = errno;

        if (error == ELOOP) {
            *pproblem = "it is a symbolic link";
        } else if (error != ENOENT) {
            *pproblem = "it cannot be opened";
        }
        return APR_FROM_OS_ERROR(error);
    }
    if (fstat(fd, &info) != 0) {
        rv = APR_FROM_OS_ERROR(errno);
        *pproblem = "it cannot be examined";
    } else if ((*pproblem = file_problem(&info, owner))) {
        rv = APR_EACCES;
    } else if ((rv = read_all(ptext, plen, fd, (apr_size_t)info.st_size, pool)) != APR_SUCCESS) {
        *pproblem = "it cannot be read";
    }
    close(fd);
    return rv;
}

/* Skip a fixed part; NULL if the text does not continue with it. */
static const char *expect(const char *text, const char *part)
{
    apr_size_t len = strlen(part);

    return text && !strncmp(text, part, len) ? text + len : NULL;
}

/* Skip 64 hexadecimal digits. */
static const char *expect_hex(const char *text, const char **phex, apr_pool_t *pool)
{
    if (!text || strspn(text, "0123456789abcdef") != HEX_LEN) {
        return NULL;
    }
    *phex = apr_pstrmemdup(pool, text, HEX_LEN);
    return text + HEX_LEN;
}

apr_status_t clerk_statefile_read(const char **pdocument, apr_size_t *plen, apr_time_t *pfetched_at,
                                  const char **pproblem, const clerk_statefile_dir *dir, const unsigned char id[32],
                                  apr_pool_t *pool)
{
    const char *hex = hex_of(id, pool), *file_id = NULL, *file_mac = NULL, *mac, *at;
    const apr_size_t end_len = strlen(PART_END);
    apr_time_t fetched_at = 0;
    apr_size_t len = 0, left;
    char *text = NULL, *number_end;
    apr_status_t rv;

    *pproblem = NULL;
    rv = read_file(&text, &len, pproblem, path_of(dir->path, hex, pool), dir->owner, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    at = expect(expect_hex(expect(text, PART_ID), &file_id, pool), PART_TIME);
    if (at && *at >= '0' && *at <= '9') {
        fetched_at = apr_strtoi64(at, &number_end, 10);
        at = expect(expect_hex(expect(number_end, PART_MAC), &file_mac, pool), PART_DOCUMENT);
    } else {
        at = NULL;
    }
    left = at ? len - (apr_size_t)(at - text) : 0;
    if (left < end_len || memcmp(text + len - end_len, PART_END, end_len)) {
        *pproblem = "it is not complete";
        return APR_EGENERAL;
    }
    left -= end_len;
    if (strcmp(file_id, hex)) {
        *pproblem = "it was written for another source";
        return APR_EGENERAL;
    }
    mac = mac_of(dir, file_id, fetched_at, at, left, pool);
    if (!mac || CRYPTO_memcmp(mac, file_mac, HEX_LEN) != 0) {
        *pproblem = "it is damaged, or this server did not write it";
        return APR_EGENERAL;
    }
    if (fetched_at > apr_time_now()) {
        *pproblem = "its time is in the future";
        return APR_EGENERAL;
    }
    *pdocument = apr_pstrmemdup(pool, at, left);
    *plen = left;
    *pfetched_at = fetched_at;
    return APR_SUCCESS;
}

static int is_temporary(const char *name)
{
    return strspn(name, "0123456789abcdef") == HEX_LEN && name[HEX_LEN] == '.'
           && strlen(name + HEX_LEN + 1) == TEMPORARY_LEN && !strchr(name + HEX_LEN + 1, '.');
}

void clerk_statefile_sweep(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    struct stat info;

    if (!listing) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    while ((entry = readdir(listing))) {
        if (is_temporary(entry->d_name) && fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0
            && S_ISREG(info.st_mode) && time(NULL) - info.st_mtime > TEMPORARY_AGE) {
            unlinkat(fd, entry->d_name, 0);
        }
    }
    closedir(listing);
}
