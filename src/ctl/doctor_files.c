/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/doctor_files.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_user.h>

#include "shared/trusted_path.h"
#include "text/text.h"

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

static uid_t server_user(const clerk_findings *doctor)
{
    return (uid_t)json_integer_value(json_object_get(doctor->dump, "uid"));
}

static gid_t server_group(const clerk_findings *doctor)
{
    return (gid_t)json_integer_value(json_object_get(doctor->dump, "gid"));
}

/* A file's owner is the user who serves requests, or another one whom root need not trust. */
static void check_owner(clerk_findings *doctor, const char *directive, const char *path, const struct stat *info,
                        const char *cure)
{
    char *name = NULL;

    if (info->st_uid == 0 || (info->st_uid == geteuid() && info->st_uid != server_user(doctor))) {
        return;
    }
    if (info->st_uid == server_user(doctor)) {
        /* Who starts httpd without root serves requests as well. */
        if (geteuid() == 0) {
            clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", cure,
                               "%s: %s belongs to the user that serves requests, so that CGI programs can read it",
                               directive, path);
        }
        return;
    }
    if (apr_uid_name_get(&name, info->st_uid, doctor->setup->pool) != APR_SUCCESS) {
        name = apr_psprintf(doctor->setup->pool, "with the number %lu", (unsigned long)info->st_uid);
    }
    clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", cure,
                       "%s: %s belongs to the user %s, who can read and change it", directive, path, name);
}

/* Who may read a secret besides its owner. */
static void check_readers(clerk_findings *doctor, const char *directive, const char *path, const struct stat *info,
                          const char *cure)
{
    char *name = NULL;

    if (info->st_mode & S_IROTH) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", cure,
                           "%s: every user of this machine can read %s", directive, path);
        return;
    }
    /* The group of root has no other members; nor has, mostly, that of whoever starts httpd without root. */
    if (!(info->st_mode & S_IRGRP) || info->st_gid == 0 || (geteuid() != 0 && info->st_gid == getegid())) {
        return;
    }
    if (info->st_gid == server_group(doctor)) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", cure,
                           "%s: the group that serves requests can read %s, and with it CGI programs", directive, path);
        return;
    }
    if (apr_gid_name_get(&name, info->st_gid, doctor->setup->pool) != APR_SUCCESS) {
        name = apr_psprintf(doctor->setup->pool, "with the number %lu", (unsigned long)info->st_gid);
    }
    clerk_findings_add(doctor, CLERK_FINDINGS_WARNING, "secret-file", cure,
                       "%s: the members of the group %s can read %s", directive, name, path);
}

static void check_secret_file(clerk_findings *doctor, const char *directive, const char *path)
{
    const char *cure = apr_psprintf(doctor->setup->pool, "chown root %s; chmod 600 %s", path, path);
    int is_public = !strcasecmp(directive, "ClerkJWTKey") || !strcasecmp(directive, "ClerkPublishableKey");
    const char *open = clerk_trusted_path_breach(path, geteuid(), doctor->setup->pool);
    struct stat info;

    if (stat(path, &info) != 0) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", "create it, or change the directive",
                           "%s: %s cannot be examined", directive, path);
        return;
    }
    if (!is_public) {
        check_readers(doctor, directive, path, &info, cure);
    }
    if (info.st_mode & OTHERS_WRITE) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", cure, "%s: others than its owner can change %s",
                           directive, path);
    }
    check_owner(doctor, directive, path, &info, cure);
    if (open) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file",
                           "move it below directories that only root can change",
                           "%s: others can replace %s, because "
                           "they can change %s",
                           directive, path, open);
    }
}

/* Look at each word of a directive that names a file. */
static void check_secret_files(clerk_findings *doctor)
{
    const json_t *directive;
    size_t i;

    json_array_foreach(json_object_get(doctor->dump, "directives"), i, directive)
    {
        const char *args = clerk_findings_text(directive, "args");

        args += *args == '"' || *args == '\'';
        if (clerk_text_begins_with(args, "file:/")) {
            clerk_findings_looked_at(doctor, "secret-file");
            check_secret_file(doctor, clerk_findings_text(directive, "name"),
                              apr_pstrmemdup(doctor->setup->pool, args + 5, strcspn(args + 5, " \t\"'")));
        }
    }
}

/* Whether a directory that does not exist yet can be made: its nearest parent is a directory. */
static int can_be_made(const char *path, apr_pool_t *pool)
{
    struct stat info;

    for (const char *slash = strrchr(path, '/'); slash && slash != path; slash = strrchr(path, '/')) {
        path = apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
        if (stat(path, &info) == 0) {
            return S_ISDIR(info.st_mode);
        }
    }
    return 1;
}

/* Root gives a directory away, or makes it, only where nobody else can change what its path leads to. */
static void check_state_dir_place(clerk_findings *doctor, const char *path)
{
    const char *breach = clerk_trusted_path_breach(path, 0, doctor->setup->pool);

    if (server_user(doctor) != 0 && server_user(doctor) != geteuid() && breach) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "state-dir",
                           "name a directory below one that only root can change",
                           "ClerkStateDir %s cannot be given to the server's user: others can change %s", path, breach);
    }
}

static void check_state_dir(clerk_findings *doctor, const char *path)
{
    apr_pool_t *pool = doctor->setup->pool;
    const char *cure = apr_psprintf(pool,
                                    "rm the entry, and let httpd make it; or chown to the user that serves "
                                    "requests and chmod 700 %s",
                                    path);
    struct stat info;

    clerk_findings_looked_at(doctor, "state-dir");
    if (lstat(path, &info) != 0) {
        if (!can_be_made(path, pool)) {
            clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "state-dir", "name another directory",
                               "ClerkStateDir %s cannot be made: something above it is no directory", path);
        } else {
            check_state_dir_place(doctor, path);
        }
        return;
    }
    if (!S_ISDIR(info.st_mode)) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "state-dir", cure,
                           "ClerkStateDir %s is no directory%s, so that no keys are kept", path,
                           S_ISLNK(info.st_mode) ? " but a symbolic link" : "");
        return;
    }
    if (info.st_mode & OTHERS_WRITE) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "state-dir", cure,
                           "ClerkStateDir %s can be written by other users, so that no keys are kept there", path);
    }
    if (info.st_uid != 0 && info.st_uid != server_user(doctor) && info.st_uid != geteuid()) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "state-dir", cure,
                           "ClerkStateDir %s belongs to another user than the one that serves requests", path);
    }
    if (info.st_uid == 0) {
        check_state_dir_place(doctor, path);
    }
}

void clerk_doctor_files(clerk_findings *doctor)
{
    const char *state_dir = clerk_findings_text(doctor->dump, "state_dir");

    check_secret_files(doctor);
    /* ClerkStateDir none is a choice that the reference describes. */
    if (*state_dir) {
        check_state_dir(doctor, state_dir);
    }
}
