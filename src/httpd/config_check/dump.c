/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/dump.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/config/config.h"
#include "httpd/config_check/dump_json.h"
#include "httpd/config_check/section_verdict.h"
#include "net/http.h"

/* The output, and the number of sections of each class. */
typedef struct dump {
    const clerk_config_sections *config;
    apr_file_t *out;
    apr_pool_t *pool;
    int count[CLERK_SECTION_CLASSES];
} dump;

/* The section whose directive is in force in another, as far as is known. */
typedef struct source {
    const clerk_config_section *section; /**< NULL: nothing */
    int certain;
} source;

static source first_source(const clerk_section_sources *from)
{
    int count = from->sections->nelts;
    source first = {count ? APR_ARRAY_IDX(from->sections, 0, const clerk_config_section *) : NULL,
                    count + from->may_be_none == 1};

    return first;
}

static source find_source(const dump *to, const clerk_config_section *here, int (*has)(const clerk_config_section *))
{
    clerk_section_sources from = clerk_section_access_sources(to->config, here, has);

    return first_source(&from);
}

static int has_token_sources(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_TOKEN_SOURCES] != NULL;
}

static int has_accept_tokens(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_ACCEPT_TOKENS] != NULL;
}

static int has_accept_basic(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_ACCEPT_BASIC] != NULL;
}

static int has_remote_user(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_REMOTE_USER] != NULL;
}

static int has_satisfy(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_SATISFY] != NULL;
}

static const char *title(const clerk_config_section *section, apr_pool_t *pool)
{
    const char *args;
    apr_size_t len;

    if (!section->container) {
        return "the main server";
    }
    args = section->container->args;
    len = strlen(args);
    while (len && (args[len - 1] == '>' || args[len - 1] == ' ')) {
        len--;
    }
    return apr_psprintf(pool, "%s%s%.*s%s (%s:%d)", section->container->directive, len ? " " : "", (int)len, args,
                        *section->container->directive == '<' ? ">" : "", section->container->filename,
                        section->container->line_num);
}

static const char *args_of(const source *from, clerk_section_directive directive)
{
    return from->section->set[directive]->args;
}

/* "[from ...]" if the directive is from another section, else "". */
static const char *where_from(const source *from, const clerk_config_section *here, apr_pool_t *pool)
{
    if (from->section == here) {
        return "";
    }
    return apr_pstrcat(pool, from->certain ? "  [from " : "  [perhaps from ", title(from->section, pool), "]", NULL);
}

static void line(const dump *to, const char *name, const char *text, const char *note)
{
    apr_file_printf(to->out, "      %-12s%s%s\n", name, text, note);
}

static int is_about_requiring(const ap_directive_t *directive)
{
    static const char *const containers[] = {"<Require", "<Limit", NULL};

    for (int i = 0; containers[i]; i++) {
        if (!strncasecmp(directive->directive, containers[i], strlen(containers[i]))) {
            return 1;
        }
    }
    return clerk_config_sections_directive_is(directive, "Require");
}

static int holds_require(const ap_directive_t *directive)
{
    for (; directive; directive = directive->next) {
        if (clerk_config_sections_directive_is(directive, "Require")
            || (is_about_requiring(directive) && holds_require(directive->first_child))) {
            return 1;
        }
    }
    return 0;
}

/* Print the Require lines with the containers around them. @param name printed before the first line */
static const char *requirements(const dump *to, const ap_directive_t *directive, int depth, const char *name,
                                const char *note)
{
    for (; directive; directive = directive->next) {
        int container = *directive->directive == '<';

        if (!is_about_requiring(directive) || (container && !holds_require(directive->first_child))) {
            continue;
        }
        apr_file_printf(to->out, "      %-12s%*s%s%s%s%s\n", name, depth * 2, "", container ? directive->directive : "",
                        container && *directive->args && *directive->args != '>' ? " " : "", directive->args,
                        *name ? note : "");
        name = "";
        if (container) {
            name = requirements(to, directive->first_child, depth + 1, name, note);
        }
    }
    return name;
}

static void print_requirements(const dump *to, const source *from, const clerk_config_section *here)
{
    requirements(to, clerk_config_sections_content(from->section), 0, "requires", where_from(from, here, to->pool));
}

static const char *instance_text(const char *name, const clerk_runtime *runtime, apr_pool_t *pool)
{
    const clerk_instance *instance = runtime->instance;
    const char *type = instance->type == CLERK_INSTANCE_DEVELOPMENT ? "development" : "production";
    const char *host = instance->frontend_host, *keys = "a fixed PEM key";

    if (!runtime->static_keys) {
        keys = apr_pstrcat(pool, "keys from ", clerk_http_url_printable(instance->jwks_url, pool), NULL);
    }
    return apr_psprintf(pool, "%s (%s%s%s), %s, %s a secret key", name, type, host ? ", " : "", host ? host : "", keys,
                        instance->secret_key ? "with" : "without");
}

static void print_instance(const dump *to, const clerk_config_section *here)
{
    source from = find_source(to, here, clerk_config_sections_has_instance);
    const clerk_server_config *conf = clerk_config_server(here->server);

    if (from.section) {
        line(to, "instance", args_of(&from, CLERK_SECTION_INSTANCE), where_from(&from, here, to->pool));
    }
    if (from.section && from.certain) {
        return;
    }
    if (conf->runtime) {
        line(to, "instance", "default", "");
    } else {
        line(to, "instance", "that of the virtual host that is asked", "");
    }
}

/* Whether the arguments of ClerkAcceptTokens name a kind of token, or `any`. */
static int names_kind(const char *args, const char *kind, apr_pool_t *pool)
{
    while (*args) {
        const char *word = ap_getword_conf(pool, &args);

        if (!strcasecmp(word, kind) || !strcasecmp(word, "any")) {
            return 1;
        }
    }
    return 0;
}

/* Print the kinds of machine token that are accepted. @return whether session tokens are */
static int print_machines(const dump *to, const clerk_config_section *here)
{
    static const struct {
        const char *word, *text;
    } kinds[] = {{"api-key", "API keys"}, {"m2m", "M2M tokens"}, {"oauth", "OAuth tokens"}};
    source from = find_source(to, here, has_accept_tokens), basic = find_source(to, here, has_accept_basic);
    const char *args = from.section ? args_of(&from, CLERK_SECTION_ACCEPT_TOKENS) : "session", *list = NULL;

    for (apr_size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (names_kind(args, kinds[i].word, to->pool)) {
            list = list ? apr_pstrcat(to->pool, list, ", ", kinds[i].text, NULL) : kinds[i].text;
        }
    }
    if (list) {
        int as_basic = basic.section && !strcasecmp(args_of(&basic, CLERK_SECTION_ACCEPT_BASIC), "on");

        line(to, "accepts", apr_pstrcat(to->pool, list, as_basic ? ", also as the password of Basic" : "", NULL),
             where_from(&from, here, to->pool));
    }
    return names_kind(args, "session", to->pool);
}

static void print_sources(const dump *to, const clerk_config_section *here)
{
    source from = find_source(to, here, has_token_sources);

    if (!print_machines(to, here)) {
        return;
    }
    line(to, "accepts",
         apr_pstrcat(to->pool, "session tokens from ",
                     from.section ? args_of(&from, CLERK_SECTION_TOKEN_SOURCES) : "header and cookie", NULL),
         from.section ? where_from(&from, here, to->pool) : "");
}

/* What users are called, where it is not their id: Require user and group compare that. */
static void print_names(const dump *to, const clerk_config_section *here)
{
    source from = find_source(to, here, has_remote_user);

    if (from.section) {
        line(to, "REMOTE_USER", args_of(&from, CLERK_SECTION_REMOTE_USER), where_from(&from, here, to->pool));
    }
}

/* Whether a section says something about access; of mappings, whether they take URLs of a protected section. */
static int is_of_interest(const dump *to, const clerk_config_section *here)
{
    int decided;

    if (here->kind != CLERK_SECTION_MAPPING) {
        return here->require || here->set[CLERK_SECTION_AUTH_TYPE] || here->set[CLERK_SECTION_INSTANCE]
               || here->set[CLERK_SECTION_TOKEN_SOURCES] || here->set[CLERK_SECTION_ACCEPT_TOKENS]
               || here->set[CLERK_SECTION_REMOTE_USER] || here->set[CLERK_SECTION_STATUS_PAGE];
    }
    return clerk_section_access_bypassed(&decided, to->config, here) != NULL;
}

static void print_satisfy(const dump *to, const clerk_config_section *here)
{
    source satisfy = find_source(to, here, has_satisfy);

    if (satisfy.section && !strcasecmp(args_of(&satisfy, CLERK_SECTION_SATISFY), "any")) {
        line(to, "but", "Satisfy Any: an allowed address is let in without signing in",
             where_from(&satisfy, here, to->pool));
    }
}

/* Print a section, if it has a directive about access. */
static void print_section(dump *to, const clerk_config_section *here)
{
    clerk_section_access access;
    clerk_section_class counts_as;
    source type, require;
    const char *verdict;

    if (!is_of_interest(to, here)) {
        return;
    }
    access = clerk_section_access_of(to->config, here);
    if (!access.clerk && !access.requires.sections->nelts && here->kind != CLERK_SECTION_MAPPING) {
        return;
    }
    type = first_source(&access.types);
    require = first_source(&access.requires);
    verdict = clerk_section_verdict(&counts_as, to->config, here, &access);
    to->count[counts_as]++;
    apr_file_printf(to->out, "\n  %s\n    %s\n",
                    here->kind == CLERK_SECTION_SERVER ? "(everywhere)" : title(here, to->pool), verdict);
    if ((here->kind == CLERK_SECTION_FILES || here->kind == CLERK_SECTION_IF) && here->around->container) {
        line(to, "inside", title(here->around, to->pool), "");
    }
    if (type.section) {
        line(to, "AuthType", args_of(&type, CLERK_SECTION_AUTH_TYPE), where_from(&type, here, to->pool));
    }
    if (access.clerk) {
        print_instance(to, here);
        print_sources(to, here);
        print_names(to, here);
    }
    if (require.section) {
        print_requirements(to, &require, here);
    }
    print_satisfy(to, here);
    if (here->set[CLERK_SECTION_STATUS_PAGE]) {
        line(to, "shows", "the status page", "");
    }
}

static void print_server(dump *to, server_rec *server)
{
    const clerk_server_config *conf = clerk_config_server(server);
    const apr_array_header_t *sections = to->config->sections;

    apr_file_printf(to->out, "\n%s %s", server->is_virtual ? "Virtual host" : "Main server",
                    server->server_hostname ? server->server_hostname : "");
    if (server->port) {
        apr_file_printf(to->out, ":%u", server->port);
    }
    if (server->defn_name && server->is_virtual) {
        apr_file_printf(to->out, " (%s:%u)", server->defn_name, server->defn_line_number);
    }
    if (!server->is_virtual && server->next) {
        apr_file_puts("; its sections hold in every virtual host too, where that says nothing else", to->out);
    }
    apr_file_printf(to->out, "\n  instance: %s\n",
                    conf->runtime ? instance_text("default", conf->runtime, to->pool) : "none");
    for (apr_hash_index_t *at = conf->named_runtimes ? apr_hash_first(to->pool, conf->named_runtimes) : NULL; at;
         at = apr_hash_next(at)) {
        apr_file_printf(to->out, "  instance: %s\n",
                        instance_text(apr_hash_this_key(at), apr_hash_this_val(at), to->pool));
    }
    for (int i = 0; i < sections->nelts; i++) {
        const clerk_config_section *here = APR_ARRAY_IDX(sections, i, const clerk_config_section *);

        if (here->server == server) {
            print_section(to, here);
        }
    }
}

void clerk_dump_configuration(apr_pool_t *pconf, server_rec *main_server)
{
    dump to = {NULL, NULL, NULL, {0}};

    if (!ap_exists_config_define("DUMP_CLERK") || apr_pool_create(&to.pool, pconf) != APR_SUCCESS) {
        return;
    }
    if (apr_file_open_stdout(&to.out, to.pool) == APR_SUCCESS) {
        to.config = clerk_config_sections_read(main_server, to.pool);
        apr_file_puts("What the configuration files protect. A .htaccess file may add to it or change it.\n", to.out);
        print_server(&to, main_server);
        /* In the order of the files, which is not the order of httpd's own list at this time. */
        for (int i = 0; i < to.config->sections->nelts; i++) {
            const clerk_config_section *section = APR_ARRAY_IDX(to.config->sections, i, const clerk_config_section *);

            if (section->kind == CLERK_SECTION_SERVER && section->server != main_server) {
                print_server(&to, section->server);
            }
        }
        apr_file_printf(to.out,
                        "\nSections: %d protected by Clerk, %d optional, %d OPEN, %d that depend, %d that let "
                        "nobody in\n",
                        to.count[CLERK_SECTION_PROTECTED], to.count[CLERK_SECTION_OPTIONAL],
                        to.count[CLERK_SECTION_OPEN], to.count[CLERK_SECTION_DEPENDS], to.count[CLERK_SECTION_CLOSED]);
        clerk_dump_json_print(to.out, main_server, to.pool);
    }
    apr_pool_destroy(to.pool);
}
