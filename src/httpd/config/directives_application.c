/* SPDX-License-Identifier: Apache-2.0 */
/* Directives for the application, allowed everywhere. */
#include "httpd/config/directives.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include "clerk/session/profile.h"
#include "text/text.h"

static const char *path_problem(const char *path)
{
    if (!clerk_text_is_clean(path)) {
        return "has control characters in it";
    }
    return *path ? NULL : "is empty";
}

/* Check a claim path, or user:FIELD. @return what is wrong, or NULL */
static const char *check_path(cmd_parms *cmd, const char *path)
{
    const char *field = clerk_config_profile_field(path);
    const char *problem = field ? clerk_profile_field_problem(field) : path_problem(path);

    if (!problem) {
        return NULL;
    }
    if (field) {
        return apr_psprintf(cmd->pool, "%s: the field '%s' of user:%s %s", cmd->cmd->name, field, field, problem);
    }
    return apr_psprintf(cmd->pool,
                        "%s: the claim path '%s' %s; write the name of a claim, with dots for nested ones, "
                        "such as metadata.department",
                        cmd->cmd->name, path, problem);
}

const char *clerk_directives_application_remote_user(const char **ppath, cmd_parms *cmd, const char *path)
{
    *ppath = path;
    return check_path(cmd, path);
}

/* The variable for a name: upper case, with `_` for all characters but ASCII letters and digits. */
static const char *variable_of(const char *name, apr_pool_t *pool)
{
    char *variable = apr_pstrcat(pool, CLERK_EXPORT_PREFIX, name, NULL), *at;

    for (at = variable + sizeof(CLERK_EXPORT_PREFIX) - 1; *at; at++) {
        *at = (char)(apr_isascii(*at) && apr_isalnum(*at) ? apr_toupper(*at) : '_');
    }
    return variable;
}

static const char *add_export(cmd_parms *cmd, clerk_dir_config *dir, const char *path, const char *name)
{
    const char *error = check_path(cmd, path);
    clerk_export *added;

    if (error) {
        return error;
    }
    if (!dir->export_claims) {
        dir->export_claims = apr_array_make(cmd->pool, 4, sizeof(clerk_export));
    }
    name = variable_of(name ? name : path, cmd->pool);
    for (int i = 0; i < dir->export_claims->nelts; i++) {
        const clerk_export *other = &APR_ARRAY_IDX(dir->export_claims, i, clerk_export);

        if (!strcmp(other->name, name)) {
            return apr_psprintf(cmd->pool,
                                "ClerkExportClaim: %s and %s are both %s; give one of them another name, "
                                "as in %s as OTHER",
                                other->path, path, name, path);
        }
    }
    added = apr_array_push(dir->export_claims);
    added->path = path;
    added->field = clerk_config_profile_field(path);
    added->name = name;
    return NULL;
}

const char *clerk_directives_application_export_claims(cmd_parms *cmd, void *conf, const char *args)
{
    static const char usage[] = "ClerkExportClaim: write claim paths, each with a name where it should have another "
                                "one, such as department metadata.level as LEVEL";
    const char *path, *error = NULL;

    if (!*args) {
        return usage;
    }
    while (*args && !error) {
        const char *rest, *name = NULL;

        path = ap_getword_conf(cmd->pool, &args);
        rest = args;
        if (!strcasecmp(ap_getword_conf(cmd->temp_pool, &rest), "as")) {
            args = rest;
            name = ap_getword_conf(cmd->pool, &args);
            if (!*name) {
                return usage;
            }
        }
        error = add_export(cmd, conf, path, name);
    }
    return error;
}
