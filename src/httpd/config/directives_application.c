/* SPDX-License-Identifier: Apache-2.0 */
/* Directives for the application, allowed everywhere. */
#include "httpd/config/directives.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include "clerk/session/profile.h"
#include "httpd/config/htaccess.h"
#include "httpd/process/hints.h"
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

/* The most parts of a value that a replacement can name. */
#define MOST_PARTS (AP_MAX_REG_MATCH - 1)

/* Whether a replacement names only parts that the expression has. @return what is wrong, or NULL */
static const char *check_replacement(cmd_parms *cmd, const char *replacement, apr_size_t parts)
{
    if (!clerk_text_is_clean(replacement) || !*replacement) {
        return "ClerkRemoteUser: the replacement is empty or has control characters in it; write what the user is "
               "called, such as $1";
    }
    for (const char *at = replacement; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        } else if (*at == '$' && clerk_text_is_digit(at[1]) && (apr_size_t)(at[1] - '0') > parts) {
            return apr_psprintf(cmd->pool,
                                "ClerkRemoteUser: the replacement '%s' has $%c, but the expression has %s%d "
                                "part%s in parentheses",
                                replacement, at[1], parts ? "only " : "", (int)parts, parts == 1 ? "" : "s");
        }
    }
    return NULL;
}

/*
 * Compile an expression for the whole value, characters being those of UTF-8. It is not enough to find it somewhere:
 * `(.*)@example.com` would make `alice` of alice@example.com.evil.test. Compiled alone first, so that the parentheses
 * that are put around it are its own, whatever is written.
 */
static const char *compile(clerk_remote_user *user, cmd_parms *cmd)
{
    const char *own = apr_pstrcat(cmd->temp_pool, "(*UTF)", user->pattern, NULL);
    const char *wrapped = apr_pstrcat(cmd->temp_pool, "(*UTF)\\A(?:", user->pattern, ")\\z", NULL);
    const ap_regex_t *whole = ap_pregcomp(cmd->temp_pool, own, 0) ? ap_pregcomp(cmd->pool, wrapped, 0) : NULL;

    if (!whole) {
        return apr_psprintf(cmd->pool,
                            "ClerkRemoteUser: '%s' is not a regular expression; write one that matches the whole "
                            "value, and what the user is called then, such as (.*)@example[.]com $1",
                            user->pattern);
    }
    user->regex = whole;
    return check_replacement(cmd, user->replacement, whole->re_nsub < MOST_PARTS ? whole->re_nsub : MOST_PARTS);
}

const char *clerk_directives_application_remote_user(cmd_parms *cmd, void *conf, const char *path, const char *pattern,
                                                     const char *replacement)
{
    const clerk_settings_row *row = &clerk_settings_table[CLERK_SETTINGS_AT_remote_user];
    clerk_dir_config *dir = conf;
    clerk_remote_user *user = apr_pcalloc(cmd->pool, sizeof(*user));
    const char *problem = check_path(cmd, path);

    if (clerk_config_in_htaccess(cmd)) {
        *(clerk_remote_user **)clerk_htaccess_member(dir, row, cmd->pool) = user;
    } else {
        dir->remote_user = user;
    }
    user->path = path;
    user->field = clerk_config_profile_field(path);
    user->pattern = pattern;
    user->replacement = replacement;
    return problem || !pattern ? problem : compile(user, cmd);
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
    added->hint = clerk_config_in_htaccess(cmd) ? 0 : clerk_hints_number();
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
