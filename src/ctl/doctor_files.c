/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/doctor_files.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "text/text.h"

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

static uid_t server_user(const clerk_findings *doctor)
{
    return (uid_t)json_integer_value(json_object_get(doctor->dump, "uid"));
}

/* The first directory above a path in which users other than root and the one who asks can replace something, or NULL.
 * As httpd/process/state_dir.c has it: it only looks where root starts the server. */
static const char *open_parent(const char *path, apr_pool_t *pool)
{
    struct stat info;

    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *parent = slash == path ? "/" : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));

        if (lstat(parent, &info) != 0 || (info.st_uid != 0 && info.st_uid != geteuid())
            || (!S_ISLNK(info.st_mode) && (info.st_mode & OTHERS_WRITE) && !(info.st_mode & S_ISVTX))) {
            return parent;
        }
    }
    return NULL;
}

static void check_secret_file(clerk_findings *doctor, const char *directive, const char *path)
{
    const char *cure = apr_psprintf(doctor->setup->pool, "chown root %s; chmod 600 %s", path, path);
    int is_public = !strcasecmp(directive, "ClerkJWTKey") || !strcasecmp(directive, "ClerkPublishableKey");
    const char *parent = open_parent(path, doctor->setup->pool);
    struct stat info;

    if (stat(path, &info) != 0) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", "create it, or change the directive",
                           "%s: %s cannot be examined", directive, path);
        return;
    }
    if (!is_public && (info.st_mode & S_IROTH)) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", cure,
                           "%s: every user of this machine can read %s", directive, path);
    }
    if (info.st_mode & OTHERS_WRITE) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", cure, "%s: others than its owner can change %s",
                           directive, path);
    }
    if (!is_public && info.st_uid != 0 && info.st_uid == server_user(doctor) && geteuid() == 0) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file", cure,
                           "%s: %s belongs to the user that serves requests, so that CGI programs can read it",
                           directive, path);
    }
    if (parent) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "secret-file",
                           "move it below directories that only root can change",
                           "%s: others can replace %s, because "
                           "they can change %s",
                           directive, path, parent);
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
    if (info.st_uid == 0 && server_user(doctor) != 0 && open_parent(path, pool)) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "state-dir",
                           "name a directory below one that only root can change",
                           "ClerkStateDir %s cannot be given to the server's user: others can change %s", path,
                           open_parent(path, pool));
    }
}

void clerk_doctor_files(clerk_findings *doctor)
{
    const char *state_dir = clerk_findings_text(doctor->dump, "state_dir");
    const json_t *instance;
    size_t i;

    check_secret_files(doctor);
    if (*state_dir) {
        check_state_dir(doctor, state_dir);
        return;
    }
    json_array_foreach(json_object_get(doctor->dump, "instances"), i, instance)
    {
        if (!json_is_true(json_object_get(instance, "fixed_key"))) {
            clerk_findings_add(doctor, CLERK_FINDINGS_WARNING, "state-dir",
                               "leave ClerkStateDir out, or name a directory",
                               "ClerkStateDir none: after a restart while Clerk is out of reach nobody is let in");
            return;
        }
    }
}
