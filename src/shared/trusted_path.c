/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/trusted_path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

/* As many as Linux follows. */
#define MAX_LINKS 40

static int others_may_change(const struct stat *info, uid_t user)
{
    return (info->st_uid != 0 && info->st_uid != user)
           || (!S_ISLNK(info->st_mode) && (info->st_mode & (S_IWGRP | S_IWOTH)) && !(info->st_mode & S_ISVTX));
}

/* Take the first name off *prest. @return "": there is none */
static const char *next_name(const char **prest, apr_pool_t *pool)
{
    const char *begin = *prest + strspn(*prest, "/");

    *prest = begin + strcspn(begin, "/");
    return apr_pstrmemdup(pool, begin, (apr_size_t)(*prest - begin));
}

/* @return where the link leads; NULL: it cannot be read */
static const char *target_of(const char *link, apr_pool_t *pool)
{
    char target[PATH_MAX];
    ssize_t len = readlink(link, target, sizeof(target));

    return len > 0 && len < (ssize_t)sizeof(target) ? apr_pstrmemdup(pool, target, (apr_size_t)len) : NULL;
}

/* @param place a path without links, or "" for the root directory */
static const char *parent_of(const char *place, apr_pool_t *pool)
{
    const char *slash = strrchr(place, '/');

    return slash ? apr_pstrmemdup(pool, place, (apr_size_t)(slash - place)) : "";
}

const char *clerk_trusted_path_breach(const char *path, uid_t user, apr_pool_t *pool)
{
    const char *rest = path, *place = "", *name;
    struct stat info;
    int links = 0;

    if (lstat("/", &info) != 0 || others_may_change(&info, user)) {
        return "/";
    }
    while (*(name = next_name(&rest, pool))) {
        const char *step, *target;

        if (!strcmp(name, ".")) {
            continue;
        }
        if (!strcmp(name, "..")) {
            place = parent_of(place, pool);
            continue;
        }
        step = apr_pstrcat(pool, place, "/", name, NULL);
        if (lstat(step, &info) != 0) {
            return errno == ENOENT ? NULL : step;
        }
        if (!S_ISLNK(info.st_mode)) {
            if (rest[strspn(rest, "/")] && others_may_change(&info, user)) {
                return step;
            }
            place = step;
            continue;
        }
        target = others_may_change(&info, user) || links++ == MAX_LINKS ? NULL : target_of(step, pool);
        if (!target) {
            return step;
        }
        place = *target == '/' ? "" : place;
        rest = apr_pstrcat(pool, target, "/", rest, NULL);
    }
    return NULL;
}
