/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/open_sections.h"

#include <string.h>

#include "httpd/config/config.h"
#include "httpd/process/log.h"

/* Whether the server configuration has such a section: found out when the first Require is read. */
static enum {
    UNKNOWN,
    NONE,
    SOME
} in_configuration;

void clerk_open_sections_reset(void)
{
    in_configuration = UNKNOWN;
}

static int names_clerk(const ap_directive_t *directive)
{
    const char *args = directive->args;

    args += strspn(args, "\" ");
    return !strcasecmp(directive->directive, "AuthType") && !strncasecmp(args, "Clerk", 5) && strcspn(args, "\" ") == 5;
}

static int has_require(const ap_directive_t *directive)
{
    for (; directive; directive = directive->next) {
        if (!strcasecmp(directive->directive, "Require") || has_require(directive->first_child)) {
            return 1;
        }
    }
    return 0;
}

static int find_any(const ap_directive_t *section)
{
    for (const ap_directive_t *at = section; at; at = at->next) {
        if ((names_clerk(at) && !has_require(section)) || find_any(at->first_child)) {
            return 1;
        }
    }
    return 0;
}

/** Whether any section of this configuration, or this .htaccess, may be open in this way. */
static int matters(const cmd_parms *cmd)
{
    /* .htaccess files are read for each request, and not known before. */
    if (clerk_config_in_htaccess(cmd)) {
        return 1;
    }
    if (in_configuration == UNKNOWN) {
        in_configuration = find_any(ap_conftree) ? SOME : NONE;
    }
    return in_configuration == SOME;
}

/** Where a section says nothing else to this module, drop its configuration, which would be merged for each request. */
static void drop_if_empty(cmd_parms *cmd, const clerk_dir_config *dir)
{
    clerk_dir_config empty;

    clerk_settings_clear_dir(&empty);
    /* Both were zeroed first, gaps included. */
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
    if (!memcmp(dir, &empty, sizeof(empty)) && cmd->context
        && ap_get_module_config(cmd->context, &auth_clerk_module) == dir) {
        ap_set_module_config(cmd->context, &auth_clerk_module, NULL);
    }
}

const char *clerk_open_sections_auth_type(cmd_parms *cmd, void *conf, const char *args)
{
    clerk_dir_config *dir = conf;

    (void)args;
    if (matters(cmd)) {
        dir->open_auth_type = names_clerk(cmd->directive) && !dir->has_require ? cmd->directive : NULL;
        /* Another AuthType ends what an outer section says. */
        dir->has_require |= !names_clerk(cmd->directive);
    }
    drop_if_empty(cmd, dir);
    return NULL;
}

const char *clerk_open_sections_require(cmd_parms *cmd, void *conf, const char *args)
{
    clerk_dir_config *dir = conf;

    (void)args;
    if (matters(cmd)) {
        dir->open_auth_type = NULL;
        dir->has_require = 1;
    }
    drop_if_empty(cmd, dir);
    return NULL;
}

void clerk_open_sections_warn(request_rec *r)
{
    const ap_directive_t *auth_type = clerk_config_dir(r)->open_auth_type;

    if (auth_type && clerk_httpd_log_place_is_due(auth_type->filename, auth_type->line_num)) {
        ap_log_rerror(
            APLOG_MARK, APLOG_WARNING, 0, r,
            CLERK_LOGNO(3121) "everybody is let in here: AuthType Clerk on line %d of %s has no Require beside it, "
                              "and one outside, such as Require all granted, lets everybody in; write for example "
                              "Require valid-user",
                        auth_type->line_num, auth_type->filename);
    }
}
