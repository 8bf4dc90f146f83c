/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/dump_json.h"

#include <stdlib.h>

#include <apr_strings.h>
#include <http_core.h>
#include <jansson.h>
#include <unixd.h>

#include "httpd/config/config.h"
#include "httpd/config/secret_ref.h"

#define DEFAULT_STATE_DIR "clerk"

static void set_text(json_t *object, const char *name, const char *text)
{
    json_t *value = text ? json_string(text) : NULL;

    (void)json_object_set_new(object, name, value ? value : json_null());
}

static json_t *describe_instance(const clerk_runtime *runtime)
{
    const clerk_instance *instance = runtime->instance;
    json_t *object = json_object();

    set_text(object, "name", instance->name);
    set_text(object, "type", instance->type == CLERK_INSTANCE_DEVELOPMENT ? "development" : "production");
    set_text(object, "publishable_key", instance->publishable_key);
    set_text(object, "frontend_url", instance->frontend_url);
    set_text(object, "api_url", instance->api_url);
    set_text(object, "jwks_url", instance->jwks_url);
    set_text(object, "http_proxy",
             runtime->source.proxy && !strchr(runtime->source.proxy, '@') ? runtime->source.proxy : NULL);
    set_text(object, "ca_file", runtime->source.ca_file);
    (void)json_object_set_new(object, "timeout", json_integer(runtime->source.timeout));
    (void)json_object_set_new(object, "secret_key", json_boolean(instance->secret_key != NULL));
    (void)json_object_set_new(object, "fixed_key", json_boolean(runtime->static_keys != NULL));
    (void)json_object_set_new(object, "webhook_secrets",
                              json_integer(runtime->webhook_keys ? runtime->webhook_keys->nelts : 0));
    return object;
}

/* Add an instance, once. */
static void add_instance(json_t *list, apr_array_header_t *seen, const clerk_runtime *runtime)
{
    for (int i = 0; i < seen->nelts; i++) {
        if (APR_ARRAY_IDX(seen, i, const clerk_runtime *) == runtime) {
            return;
        }
    }
    APR_ARRAY_PUSH(seen, const clerk_runtime *) = runtime;
    (void)json_array_append_new(list, describe_instance(runtime));
}

static json_t *list_instances(server_rec *server, apr_pool_t *pool)
{
    apr_array_header_t *seen = apr_array_make(pool, 4, sizeof(const clerk_runtime *));
    json_t *list = json_array();

    for (; server; server = server->next) {
        const clerk_server_config *conf = clerk_config_server(server);

        if (conf->runtime) {
            add_instance(list, seen, conf->runtime);
        }
        for (apr_hash_index_t *at = conf->named_runtimes ? apr_hash_first(pool, conf->named_runtimes) : NULL; at;
             at = apr_hash_next(at)) {
            add_instance(list, seen, apr_hash_this_val(at));
        }
    }
    return list;
}

/* The arguments without secrets. Those of a program may be secrets themselves. */
static const char *shown_args(const ap_directive_t *directive, apr_pool_t *pool)
{
    const clerk_settings_row *row = clerk_settings_find(directive->directive);
    const char *args = directive->args, *word;

    if (!row || row->kind != CLERK_SETTINGS_SECRET) {
        return args;
    }
    word = ap_getword_conf(pool, &args);
    return clerk_secret_ref_is(word) ? word : "?";
}

static int is_shown(const ap_directive_t *directive)
{
    return !strncasecmp(directive->directive, "Clerk", 5)
           || (!strcasecmp(directive->directive, "Require") && strstr(directive->args, "clerk-webhook"));
}

static void list_directives(json_t *list, const ap_directive_t *directive, apr_pool_t *pool)
{
    for (; directive; directive = directive->next) {
        if (is_shown(directive)) {
            json_t *object = json_object();

            set_text(object, "name", directive->directive);
            set_text(object, "args", shown_args(directive, pool));
            set_text(object, "file", directive->filename);
            (void)json_object_set_new(object, "line", json_integer(directive->line_num));
            (void)json_array_append_new(list, object);
        }
        list_directives(list, directive->first_child, pool);
    }
}

void clerk_dump_json_print(apr_file_t *out, server_rec *main_server, apr_pool_t *pool)
{
    const clerk_server_config *conf = clerk_config_server(main_server);
    json_t *document, *directives;
    char *text;

    if (!ap_exists_config_define("DUMP_CLERK_JSON")) {
        return;
    }
    document = json_object();
    directives = json_array();
    list_directives(directives, ap_conftree, pool);
    set_text(document, "mod_auth_clerk", CLERK_VERSION);
    set_text(document, "state_dir",
             !conf->state_dir   ? ap_runtime_dir_relative(pool, DEFAULT_STATE_DIR)
             : *conf->state_dir ? conf->state_dir
                                : NULL);
    set_text(document, "socache", conf->socache);
    (void)json_object_set_new(document, "uid", json_integer((json_int_t)ap_unixd_config.user_id));
    (void)json_object_set_new(document, "gid", json_integer((json_int_t)ap_unixd_config.group_id));
    (void)json_object_set_new(document, "instances", list_instances(main_server, pool));
    (void)json_object_set_new(document, "directives", directives);
    text = json_dumps(document, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (text) {
        /* Not apr_file_printf(), which truncates. */
        apr_file_puts("\n", out);
        apr_file_puts(text, out);
        apr_file_puts("\n", out);
    }
    free(text);
    json_decref(document);
}
