/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests only: `SetHandler settings-probe` prints what mod_auth_clerk's configuration came to for the request, one
 * line a row of settings.def: directive, value, and the policy's value where it feeds one, with tabs between them.
 * "-" is an unset value, a pointer to something else than text its address. The last line is the runtime's address.
 * /settings-probe prints what holds before any section is looked up: the server's own.
 */
#include <stddef.h>
#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

#include "httpd/config/settings.h"

module AP_MODULE_DECLARE_DATA settings_probe_module;

static const char *list_text(const apr_array_header_t *list, apr_pool_t *pool)
{
    return list ? apr_array_pstrcat(pool, list, ' ') : "-";
}

static const char *text_of(clerk_settings_kind kind, const char *at, apr_pool_t *pool)
{
    int small;
    apr_int64_t number;
    const void *pointer;

    switch (kind) {
    case CLERK_SETTINGS_FLAG:
    case CLERK_SETTINGS_WORD:
    case CLERK_SETTINGS_WORDS:
        memcpy(&small, at, sizeof(small));
        return small == (kind == CLERK_SETTINGS_WORDS ? 0 : CLERK_UNSET) ? "-" : apr_itoa(pool, small);
    case CLERK_SETTINGS_DURATION:
    case CLERK_SETTINGS_SIZE:
        memcpy(&number, at, sizeof(number));
        return number == CLERK_UNSET ? "-" : apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
    case CLERK_SETTINGS_TEXT:
    case CLERK_SETTINGS_SECRET:
        memcpy(&pointer, at, sizeof(pointer));
        return pointer ? ap_escape_logitem(pool, pointer) : "-";
    case CLERK_SETTINGS_LIST:
        memcpy(&pointer, at, sizeof(pointer));
        return list_text(pointer, pool);
    case CLERK_SETTINGS_POINTER:
        break;
    }
    memcpy(&pointer, at, sizeof(pointer));
    return pointer ? apr_psprintf(pool, "%pp", pointer) : "-";
}

static const struct {
    clerk_settings_index at;
    apr_size_t offset;
} policy_members[] = {
#define POLICY_SETTING(member, kind) {CLERK_SETTINGS_AT_##member, offsetof(clerk_policy, member)},
#include "httpd/config/settings.def"
};

static const char *policy_text(const clerk_settings_row *row, const clerk_policy *policy, apr_pool_t *pool)
{
    for (size_t i = 0; i < sizeof(policy_members) / sizeof(policy_members[0]); i++) {
        if (row == &clerk_settings_table[policy_members[i].at]) {
            return text_of(row->kind, (const char *)policy + policy_members[i].offset, pool);
        }
    }
    return "";
}

static int print(request_rec *r)
{
    const module *clerk = ap_find_linked_module("mod_auth_clerk.c");
    const clerk_server_config *server = ap_get_module_config(r->server->module_config, clerk);
    const clerk_dir_config *dir = ap_get_module_config(r->per_dir_config, clerk);

    ap_set_content_type(r, "text/plain");
    for (int i = 0; i < CLERK_SETTINGS_COUNT; i++) {
        const clerk_settings_row *row = &clerk_settings_table[i];
        const char *conf = clerk_settings_is_of_instance(row) ? (const char *)&server->own
                           : row->group == CLERK_SETTINGS_MAIN || row->group == CLERK_SETTINGS_HOST
                               ? (const char *)server
                               : (const char *)dir;

        ap_rprintf(r, "%s\t%s\t%s\n", row->directive, text_of(row->kind, conf + row->offset, r->pool),
                   policy_text(row, &dir->policy, r->pool));
    }
    ap_rprintf(r, "runtime\t%pp\t\n", (void *)server->runtime);
    return OK;
}

static int handler(request_rec *r)
{
    return r->handler && !strcmp(r->handler, "settings-probe") ? print(r) : DECLINED;
}

static int quick_handler(request_rec *r, int lookup)
{
    return !lookup && !strcmp(r->uri, "/settings-probe") ? print(r) : DECLINED;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_quick_handler(quick_handler, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_FIRST);
}

module AP_MODULE_DECLARE_DATA settings_probe_module
    = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
       AP_MODULE_FLAG_NONE
#endif
};
