/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/config_sections.h"

#include <apr_strings.h>

static const char *const directive_names[CLERK_SECTION_DIRECTIVES]
    = {[CLERK_SECTION_AUTH_TYPE] = "AuthType",
       [CLERK_SECTION_INSTANCE] = "ClerkInstance",
       [CLERK_SECTION_ACCEPT_TOKENS] = "ClerkAcceptTokens",
       [CLERK_SECTION_ACCEPT_BASIC] = "ClerkAcceptBasic",
       [CLERK_SECTION_TOKEN_SOURCES] = "ClerkTokenSources",
       [CLERK_SECTION_REMOTE_USER] = "ClerkRemoteUser",
       [CLERK_SECTION_KEEP_FORMS] = "ClerkKeepForms",
       [CLERK_SECTION_INJECT_SCRIPT] = "ClerkInjectScript",
       [CLERK_SECTION_SATISFY] = "Satisfy",
       [CLERK_SECTION_AUTH_MERGING] = "AuthMerging",
       [CLERK_SECTION_STATUS_PAGE] = "SetHandler",
       [CLERK_SECTION_PUBLIC_ORIGIN] = "ClerkPublicOrigin",
       [CLERK_SECTION_SIGN_IN_URL] = "ClerkSignInURL",
       [CLERK_SECTION_TLS] = "SSLEngine",
       [CLERK_SECTION_TO_HTTPS] = "RedirectMatch",
       [CLERK_SECTION_REDIRECTOR] = "FallbackResource"};

int clerk_config_sections_directive_is(const ap_directive_t *directive, const char *name)
{
    return !strcasecmp(directive->directive, name);
}

static int first_word_is(const ap_directive_t *directive, const char *word, apr_pool_t *pool)
{
    const char *args = directive->args;

    return !strcasecmp(ap_getword_conf(pool, &args), word);
}

const clerk_config_section *clerk_config_sections_get(const clerk_config_sections *config, int number)
{
    return APR_ARRAY_IDX(config->sections, number, const clerk_config_section *);
}

int clerk_config_sections_is_clerk(const clerk_config_section *section)
{
    return section->clerk;
}

int clerk_config_sections_has_auth_type(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_AUTH_TYPE] != NULL;
}

int clerk_config_sections_has_require(const clerk_config_section *section)
{
    return section->require != NULL;
}

int clerk_config_sections_has_restriction(const clerk_config_section *section)
{
    return section->restriction != NULL;
}

int clerk_config_sections_has_instance(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_INSTANCE] != NULL;
}

const ap_directive_t *clerk_config_sections_content(const clerk_config_section *section)
{
    return section->container ? section->container->first_child : ap_conftree;
}

/* The common prefix of all texts that a regular expression matches. */
static const char *expression_prefix(const char *pattern, apr_pool_t *pool)
{
    apr_size_t len;
    int depth = 0;

    if (*pattern++ != '^') {
        return "";
    }
    for (const char *at = pattern; *at; at++) {
        depth += (*at == '(') - (*at == ')');
        if (*at == '|' && depth <= 0) {
            return "";
        }
    }
    len = strcspn(pattern, "\\.[({*+?|$^");
    if (len && pattern[len] && strchr("*?{", pattern[len])) {
        len--;
    }
    return apr_pstrmemdup(pool, pattern, len);
}

static const char *without_trailing_slashes(const char *path, apr_pool_t *pool)
{
    apr_size_t len = strlen(path);

    while (len && path[len - 1] == '/') {
        len--;
    }
    return apr_pstrmemdup(pool, path, len);
}

static void set_path(clerk_config_section *here, const char *path, int expression, apr_pool_t *pool)
{
    if (expression) {
        here->prefix = expression_prefix(path, pool);
        return;
    }
    here->prefix = apr_pstrmemdup(pool, path, strcspn(path, "*?["));
    if (!strpbrk(path, "*?[")) {
        here->path = here->prefix = without_trailing_slashes(path, pool);
    }
}

static void set_path_of_container(clerk_config_section *here, const ap_directive_t *container, apr_pool_t *pool)
{
    const char *args = container->args, *word;
    apr_size_t len = strlen(args);
    int expression = ap_strcasestr(container->directive, "match") != NULL;

    while (len && (args[len - 1] == '>' || args[len - 1] == ' ')) {
        len--;
    }
    args = apr_pstrmemdup(pool, args, len);
    word = ap_getword_conf(pool, &args);
    if (!strcmp(word, "~")) {
        word = ap_getword_conf(pool, &args);
        expression = 1;
    }
    here->pattern = expression;
    set_path(here, word, expression, pool);
}

/* Find the kind of section that a container opens. @return 0 if its content belongs to the section around it */
static int section_kind(clerk_section_kind *pkind, const ap_directive_t *directive)
{
    static const struct {
        const char *begins;
        clerk_section_kind kind;
    } kinds[] = {{"<Directory", CLERK_SECTION_DIRECTORY}, {"<Location", CLERK_SECTION_LOCATION},
                 {"<Proxy", CLERK_SECTION_PROXY},         {"<Files", CLERK_SECTION_FILES},
                 {"<VirtualHost", CLERK_SECTION_SERVER},  {"<Else", CLERK_SECTION_IF}};

    for (apr_size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (!strncasecmp(directive->directive, kinds[i].begins, strlen(kinds[i].begins))) {
            *pkind = kinds[i].kind;
            return 1;
        }
    }
    *pkind = CLERK_SECTION_IF;
    return clerk_config_sections_directive_is(directive, "<If");
}

int clerk_config_sections_opens(const ap_directive_t *directive)
{
    clerk_section_kind kind;

    return section_kind(&kind, directive);
}

static server_rec *server_of(const ap_directive_t *vhost, server_rec *main_server)
{
    for (server_rec *server = main_server->next; server; server = server->next) {
        if (server->defn_line_number == (unsigned)vhost->line_num && server->defn_name
            && !strcmp(server->defn_name, vhost->filename)) {
            return server;
        }
    }
    return main_server;
}

static clerk_config_section *add_section(clerk_config_sections *config, const ap_directive_t *container,
                                         clerk_section_kind kind, const clerk_config_section *around)
{
    clerk_config_section *here = apr_pcalloc(config->pool, sizeof(*here));

    here->container = container;
    here->around = around;
    here->kind = kind;
    here->prefix = "";
    here->number = config->sections->nelts;
    here->server = kind == CLERK_SECTION_SERVER && container ? server_of(container, config->main_server)
                   : around                                  ? around->server
                                                             : config->main_server;
    if (kind == CLERK_SECTION_DIRECTORY || kind == CLERK_SECTION_LOCATION || kind == CLERK_SECTION_PROXY) {
        set_path_of_container(here, container, config->pool);
    } else if (kind != CLERK_SECTION_SERVER) {
        here->path = around->path;
        here->prefix = around->prefix;
    }
    APR_ARRAY_PUSH(config->sections, clerk_config_section *) = here;
    return here;
}

static void note_require(clerk_config_sections *config, clerk_config_section *here, const ap_directive_t *directive)
{
    const char *args = directive->args, *word = ap_getword_conf(config->pool, &args);

    if (!strcasecmp(word, "not")) {
        word = ap_getword_conf(config->pool, &args);
    }
    if (!here->require) {
        here->require = directive;
    }
    if (strcasecmp(word, "all")) {
        here->restriction = directive;
    }
    if (!strncasecmp(word, "clerk-", 6) && strcasecmp(word, "clerk-optional")) {
        here->require_clerk = directive;
    }
}

static void note_alias(clerk_config_sections *config, const clerk_config_section *here, const char *url,
                       const char *path, int expression)
{
    clerk_config_alias *alias = apr_array_push(config->aliases);
    apr_pool_t *pool = config->pool;

    alias->server = here->server;
    alias->url = expression ? NULL : without_trailing_slashes(url, pool);
    alias->prefix = expression ? expression_prefix(url, pool) : alias->url;
    alias->path = expression || *path != '/' ? NULL : without_trailing_slashes(path, pool);
}

/* Whether the third argument of RewriteRule has the flag P. */
static int has_proxy_flag(const char *flags, apr_pool_t *pool)
{
    char *last, *text = apr_pstrdup(pool, flags);

    for (const char *flag = apr_strtok(text, "[], \t", &last); flag; flag = apr_strtok(NULL, "[], \t", &last)) {
        if (!strcasecmp(flag, "P") || !strcasecmp(flag, "proxy")) {
            return 1;
        }
    }
    return 0;
}

static void note_rewrite_rule(clerk_config_sections *config, clerk_config_section *here,
                              const ap_directive_t *directive)
{
    const char *args = directive->args, *pattern = ap_getword_conf(config->pool, &args);
    const char *target = ap_getword_conf(config->pool, &args), *flags = ap_getword_conf(config->pool, &args);
    const char *prefix = *pattern == '!' ? "" : expression_prefix(pattern, config->pool);
    clerk_config_section *mapping;

    if (here->kind != CLERK_SECTION_SERVER) {
        /* In a section, rules run after access control. Where they send a request on, access control runs again. */
        if (strcmp(target, "-") && !has_proxy_flag(flags, config->pool)) {
            here->set[CLERK_SECTION_REDIRECTOR] = directive;
        }
        return;
    }
    if (has_proxy_flag(flags, config->pool) || !strncasecmp(target, "proxy:", 6)) {
        mapping = add_section(config, directive, CLERK_SECTION_MAPPING, here);
        mapping->prefix = prefix;
    } else if (strcmp(target, "-")) {
        note_alias(config, here, pattern, "", 1);
    }
}

static void note_proxy_pass(clerk_config_sections *config, const clerk_config_section *here,
                            const ap_directive_t *directive)
{
    const char *args = directive->args, *url = NULL, *word = ap_getword_conf(config->pool, &args);
    clerk_config_section *mapping = add_section(config, directive, CLERK_SECTION_MAPPING, here);

    if (!strcasecmp(word, "interpolate")) {
        word = ap_getword_conf(config->pool, &args);
    }
    if (here->kind == CLERK_SECTION_SERVER) {
        url = word;
        word = ap_getword_conf(config->pool, &args);
        set_path(mapping, url, clerk_config_sections_directive_is(directive, "ProxyPassMatch"), config->pool);
    }
    mapping->excludes = !strcmp(word, "!");
}

/* Directives of the server that decide which file or which other server a URL leads to. */
static void note_translation(clerk_config_sections *config, clerk_config_section *here, const ap_directive_t *directive)
{
    static const char *const anywhere[] = {"UserDir", "VirtualDocumentRoot", "VirtualScriptAlias", NULL};
    static const char *const aliases[]
        = {"Alias", "AliasMatch", "ScriptAlias", "ScriptAliasMatch", "WSGIScriptAlias", "WSGIScriptAliasMatch", NULL};
    const char *args = directive->args, *url;

    if (clerk_config_sections_directive_is(directive, "RewriteRule")) {
        note_rewrite_rule(config, here, directive);
    } else if (clerk_config_sections_directive_is(directive, "ProxyPass")
               || clerk_config_sections_directive_is(directive, "ProxyPassMatch")) {
        note_proxy_pass(config, here, directive);
    } else if (clerk_config_sections_directive_is(directive, "Action")) {
        here->set[CLERK_SECTION_REDIRECTOR] = directive;
    }
    for (int i = 0; anywhere[i]; i++) {
        if (clerk_config_sections_directive_is(directive, anywhere[i])) {
            note_alias(config, here, "", "", 1);
        }
    }
    for (int i = 0; aliases[i]; i++) {
        if (clerk_config_sections_directive_is(directive, aliases[i]) && here->kind == CLERK_SECTION_SERVER) {
            url = ap_getword_conf(config->pool, &args);
            note_alias(config, here, url, ap_getword_conf(config->pool, &args), i % 2);
        }
    }
}

static void note_directive(clerk_config_sections *config, clerk_config_section *here, const ap_directive_t *directive)
{
    if (clerk_config_sections_directive_is(directive, "Require")) {
        note_require(config, here, directive);
        return;
    }
    if (clerk_config_sections_directive_is(directive, "ClerkAuthorizedParties")) {
        config->authorized_parties = 1;
    }
    if (clerk_config_sections_directive_is(directive, "ClerkTrustForwarded")) {
        here->set[CLERK_SECTION_PUBLIC_ORIGIN] = directive;
    }
    if (here->kind == CLERK_SECTION_SERVER && strstr(directive->args, "https://")
        && (clerk_config_sections_directive_is(directive, "Redirect")
            || (clerk_config_sections_directive_is(directive, "RewriteRule") && !strstr(directive->args, "[P")))) {
        here->set[CLERK_SECTION_TO_HTTPS] = directive;
    }
    note_translation(config, here, directive);
    for (int i = 0; i < CLERK_SECTION_DIRECTIVES; i++) {
        if (clerk_config_sections_directive_is(directive, directive_names[i])
            && (i != CLERK_SECTION_STATUS_PAGE || first_word_is(directive, "clerk-status", config->pool))) {
            here->set[i] = directive;
        }
    }
    if (here->set[CLERK_SECTION_AUTH_TYPE] == directive) {
        here->clerk = first_word_is(directive, "Clerk", config->pool);
    }
}

static void walk(clerk_config_sections *config, clerk_config_section *here, const ap_directive_t *directive)
{
    clerk_section_kind kind;

    for (; directive; directive = directive->next) {
        if (*directive->directive != '<') {
            note_directive(config, here, directive);
        } else if (!clerk_config_sections_directive_is(directive, "<ClerkInstance")) {
            walk(config, section_kind(&kind, directive) ? add_section(config, directive, kind, here) : here,
                 directive->first_child);
        }
    }
}

const clerk_config_sections *clerk_config_sections_read(server_rec *main_server, apr_pool_t *pool)
{
    clerk_config_sections *config = apr_pcalloc(pool, sizeof(*config));

    config->sections = apr_array_make(pool, 16, sizeof(clerk_config_section *));
    config->aliases = apr_array_make(pool, 4, sizeof(clerk_config_alias));
    config->main_server = main_server;
    config->pool = pool;
    walk(config, add_section(config, NULL, CLERK_SECTION_SERVER, NULL), ap_conftree);
    return config;
}
