/* SPDX-License-Identifier: Apache-2.0 */
/* The table of directives for httpd, generated from settings.def, and the setter of each kind. */
#include "httpd/config/directives.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include "httpd/config/directive_values.h"
#include "httpd/config/htaccess.h"
#include "httpd/config/open_sections.h"
#include "httpd/config/secret_ref.h"

#define READER_FLAG(...) NULL
#define READER_WORD(...) NULL
#define READER_WORDS(...) NULL
#define READER_DURATION(...) NULL
#define READER_SIZE(...) NULL
#define READER_TEXT(reader) reader
#define READER_SECRET(reader) reader
#define READER_LIST(reader) reader
#define READER_OWN(kind, how, setter) NULL

static clerk_directives_reader *const readers[CLERK_SETTINGS_COUNT] = {
#define SETTING(directive, group, member, kind, help) [CLERK_SETTINGS_AT_##member] = READER_##kind,
#include "httpd/config/settings.def"
};

/* Find the member for a directive. @param dir the per-directory configuration that httpd passes to the setter */
static const char *locate(void **pmember, cmd_parms *cmd, void *dir)
{
    const clerk_settings_row *row = cmd->info;
    const char *error = NULL;
    char *conf = dir;

    switch (row->group) {
    case CLERK_SETTINGS_IDENTITY:
    case CLERK_SETTINGS_TRANSPORT:
        conf = (char *)clerk_directives_instance_of(cmd);
        break;
    case CLERK_SETTINGS_MAIN:
        conf = (char *)clerk_config_server(cmd->server);
        error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
        break;
    case CLERK_SETTINGS_HOST:
        conf = (char *)clerk_config_server(cmd->server);
        error = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);
        break;
    case CLERK_SETTINGS_ADMIN:
        break;
    case CLERK_SETTINGS_SECTION:
    case CLERK_SETTINGS_POLICY:
        *pmember = clerk_config_in_htaccess(cmd) ? clerk_htaccess_member(dir, row, cmd->pool) : NULL;
        if (*pmember) {
            return NULL;
        }
        break;
    }
    *pmember = conf + row->offset;
    return error;
}

static void changed(const clerk_settings_row *row, void *dir)
{
    if (row->group == CLERK_SETTINGS_POLICY) {
        clerk_settings_set_policy(dir);
    }
}

static const char *set_flag(cmd_parms *cmd, void *dir, int on)
{
    void *member;
    const char *error = locate(&member, cmd, dir);

    if (!error) {
        *(int *)member = on;
        changed(cmd->info, dir);
    }
    return error;
}

/* Add the bit of one word. */
static const char *add_word(unsigned int *words, cmd_parms *cmd, const char *text)
{
    const clerk_settings_row *row = cmd->info;
    int word;
    const char *error = clerk_directive_values_word(&word, cmd, text, row->words, row->word_count);

    *words |= error ? 0 : (unsigned int)word;
    return error;
}

static const char *add_text(apr_array_header_t **plist, cmd_parms *cmd, const char *text, clerk_directives_reader *read)
{
    clerk_directive_values_add(plist, cmd, text);
    return read(&APR_ARRAY_IDX(*plist, (*plist)->nelts - 1, const char *), cmd, text);
}

/* Set a value from one argument, or from the whole line, by the kind of the setting. */
static const char *set_value(cmd_parms *cmd, void *dir, const char *text)
{
    const clerk_settings_row *row = cmd->info;
    clerk_directives_reader *read = readers[row - clerk_settings_table];
    void *member;
    const char *error = locate(&member, cmd, dir);

    if (error) {
        return error;
    }
    switch (row->kind) {
    case CLERK_SETTINGS_WORD:
        error = clerk_directive_values_word(member, cmd, text, row->words, row->word_count);
        break;
    case CLERK_SETTINGS_WORDS:
        error = add_word(member, cmd, text);
        break;
    case CLERK_SETTINGS_DURATION:
        error = clerk_directive_values_duration(member, cmd, text, row->least, row->most);
        break;
    case CLERK_SETTINGS_SIZE:
        error = clerk_directive_values_size(member, cmd, text, row->least, row->most);
        break;
    case CLERK_SETTINGS_TEXT:
    case CLERK_SETTINGS_SECRET:
        error = read(member, cmd, text);
        break;
    case CLERK_SETTINGS_LIST:
        error = add_text(member, cmd, text, read);
        break;
    case CLERK_SETTINGS_FLAG:
    case CLERK_SETTINGS_POINTER:
        break; /* other setters */
    }
    changed(row, dir);
    return error;
}

/* The setter of each kind, and how httpd calls it. */
#define COMMAND_FLAG(...) AP_INIT_FLAG, set_flag
#define COMMAND_WORD(...) AP_INIT_TAKE1, set_value
#define COMMAND_WORDS(...) AP_INIT_ITERATE, set_value
#define COMMAND_DURATION(...) AP_INIT_TAKE1, set_value
#define COMMAND_SIZE(...) AP_INIT_TAKE1, set_value
#define COMMAND_TEXT(...) AP_INIT_TAKE1, set_value
#define COMMAND_SECRET(...) AP_INIT_RAW_ARGS, set_value
#define COMMAND_LIST(...) AP_INIT_ITERATE, set_value
#define COMMAND_OWN(kind, how, setter) how, setter

/* Where the directives of a group are allowed. */
#define WHERE_IDENTITY RSRC_CONF
#define WHERE_TRANSPORT RSRC_CONF
#define WHERE_MAIN RSRC_CONF
#define WHERE_HOST RSRC_CONF
#define WHERE_ADMIN (RSRC_CONF | ACCESS_CONF)
#define WHERE_SECTION (RSRC_CONF | OR_AUTHCFG)
#define WHERE_POLICY (RSRC_CONF | OR_AUTHCFG)

/* Two macros, so that COMMAND_##kind is expanded to two arguments before COMMAND_ROW is called. */
#define COMMAND(...) COMMAND_ROW(__VA_ARGS__)
#define COMMAND_ROW(directive, member, where, help, how, setter)                                                       \
    how(directive, setter, (void *)&clerk_settings_table[CLERK_SETTINGS_AT_##member], where, help),

const command_rec clerk_directives_commands[]
    = {AP_INIT_RAW_ARGS("<ClerkInstance", clerk_directives_instance_section, NULL, RSRC_CONF,
                        "a named Clerk instance; ClerkInstance NAME uses it"),
#define SETTING(directive, group, member, kind, help) COMMAND(#directive, member, WHERE_##group, help, COMMAND_##kind)
#include "httpd/config/settings.def"
       /* httpd's own, which this module reads too. */
       AP_INIT_RAW_ARGS("AuthType", clerk_open_sections_auth_type, NULL, OR_AUTHCFG, "Clerk turns this module on"),
       AP_INIT_RAW_ARGS("Require", clerk_open_sections_require, NULL, OR_AUTHCFG, "who is let in"),
       {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};
