/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/config_sections.h"

#include <apr_strings.h>

static const char *const directive_names[CLERK_SECTION_DIRECTIVES]
    = {[CLERK_SECTION_AUTH_TYPE] = "AuthType",
       [CLERK_SECTION_INSTANCE] = "ClerkInstance",
       [CLERK_SECTION_TOKEN_SOURCES] = "ClerkTokenSources",
       [CLERK_SECTION_SATISFY] = "Satisfy",
       [CLERK_SECTION_STATUS_PAGE] = "SetHandler"};

int clerk_config_sections_directive_is(const ap_directive_t *directive, const char *name)
{
    return !strcasecmp(directive->directive, name);
}

static int first_word_is(const ap_directive_t *directive, const char *word, apr_pool_t *pool)
{
    const char *args = directive->args;

    return !strcasecmp(ap_getword_conf(pool, &args), word);
}

int clerk_config_sections_is_clerk(const clerk_config_section *section)
{
    return section->clerk;
}

int clerk_config_sections_has_restriction(const clerk_config_section *section)
{
    return section->restriction != NULL;
}

int clerk_config_sections_has_instance(const clerk_config_section *section)
{
    return section->set[CLERK_SECTION_INSTANCE] != NULL;
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

static void set_path(clerk_config_section *here, const ap_directive_t *container, apr_pool_t *pool)
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
    if (expression) {
        here->prefix = expression_prefix(word, pool);
        return;
    }
    here->prefix = apr_pstrmemdup(pool, word, strcspn(word, "*?["));
    if (!strpbrk(word, "*?[")) {
        len = strlen(word);
        while (len && word[len - 1] == '/') {
            len--;
        }
        here->path = here->prefix = apr_pstrmemdup(pool, word, len);
    }
}

/* 'D', 'L', 'F' or 'S' if a container is a section; 0 if its content belongs to the section around it. */
static char section_kind(const ap_directive_t *directive)
{
    if (!strncasecmp(directive->directive, "<Directory", 10)) {
        return 'D';
    }
    if (!strncasecmp(directive->directive, "<Location", 9) || !strncasecmp(directive->directive, "<Proxy", 6)) {
        return 'L';
    }
    if (!strncasecmp(directive->directive, "<Files", 6)) {
        return 'F';
    }
    return clerk_config_sections_directive_is(directive, "<VirtualHost") ? 'S' : 0;
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

static clerk_config_section *add_section(clerk_config_sections *config, const ap_directive_t *container, char kind,
                                         const clerk_config_section *around)
{
    clerk_config_section *here = apr_pcalloc(config->pool, sizeof(*here));

    here->container = container;
    here->kind = kind;
    here->prefix = "";
    here->server = kind == 'S' && container ? server_of(container, config->main_server)
                   : around                 ? around->server
                                            : config->main_server;
    if (kind == 'F') {
        here->files = 1;
        here->kind = (char)(around->kind == 'S' ? 'D' : around->kind);
        here->path = around->path;
        here->prefix = around->prefix;
    } else if (kind != 'S') {
        set_path(here, container, config->pool);
    }
    APR_ARRAY_PUSH(config->sections, clerk_config_section *) = here;
    return here;
}

/* The containers around a directive, inside its section. */
typedef struct surroundings {
    int condition;   /* <Limit>, <LimitExcept>, <If>, <ElseIf>, <Else> */
    int combination; /* <RequireAll>, <RequireAny>, <RequireNone> */
} surroundings;

static void note_require(clerk_config_sections *config, clerk_config_section *here, const ap_directive_t *directive,
                         const surroundings *around)
{
    const char *args = directive->args, *word = ap_getword_conf(config->pool, &args);
    int negated = !strcasecmp(word, "not"), clerk, optional;

    if (negated) {
        word = ap_getword_conf(config->pool, &args);
    }
    clerk = !strncasecmp(word, "clerk-", 6);
    optional = !strcasecmp(word, "clerk-optional");
    if (!here->require) {
        here->require = directive;
    }
    if (strcasecmp(word, "all")) {
        here->restriction = directive;
    }
    if (clerk) {
        here->require_clerk = directive;
    }
    if ((clerk && !optional) || !strcasecmp(word, "valid-user") || !strcasecmp(word, "user")
        || !strcasecmp(word, "group")) {
        here->require_user = directive;
    }
    if (!around->combination && !negated && (optional || (!strcasecmp(word, "all") && !strcasecmp(args, "granted")))) {
        here->open = 1;
    }
    here->always |= !around->condition;
}

static void note_directive(clerk_config_sections *config, clerk_config_section *here, const ap_directive_t *directive,
                           const surroundings *around)
{
    if (clerk_config_sections_directive_is(directive, "Require")) {
        note_require(config, here, directive, around);
        return;
    }
    if (clerk_config_sections_directive_is(directive, "ClerkAuthorizedParties")) {
        config->authorized_parties = 1;
    }
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

static void walk(clerk_config_sections *config, clerk_config_section *here, const ap_directive_t *directive,
                 surroundings around)
{
    static const surroundings nothing = {0, 0};

    for (; directive; directive = directive->next) {
        const char *name = directive->directive;
        surroundings inner = around;
        char kind;

        if (*name != '<') {
            note_directive(config, here, directive, &around);
            continue;
        }
        if (clerk_config_sections_directive_is(directive, "<ClerkInstance")) {
            continue;
        }
        kind = section_kind(directive);
        if (kind) {
            walk(config, add_section(config, directive, kind, here), directive->first_child, nothing);
            continue;
        }
        inner.condition |= !strncasecmp(name, "<Limit", 6) || clerk_config_sections_directive_is(directive, "<If")
                           || !strncasecmp(name, "<Else", 5);
        inner.combination |= !strncasecmp(name, "<Require", 8);
        walk(config, here, directive->first_child, inner);
    }
}

const clerk_config_sections *clerk_config_sections_read(server_rec *main_server, apr_pool_t *pool)
{
    clerk_config_sections *config = apr_pcalloc(pool, sizeof(*config));
    static const surroundings nothing = {0, 0};

    config->sections = apr_array_make(pool, 16, sizeof(clerk_config_section *));
    config->main_server = main_server;
    config->pool = pool;
    walk(config, add_section(config, NULL, 'S', NULL), ap_conftree, nothing);
    return config;
}

/* Whether @a inner is the same path as @a outer, or below it. */
static int is_above(const char *outer, const char *inner)
{
    apr_size_t len = strlen(outer);

    return !strncmp(outer, inner, len) && (!inner[len] || inner[len] == '/');
}

/* Whether a text can begin with both. */
static int compatible(const char *one, const char *other)
{
    apr_size_t len = strlen(one), other_len = strlen(other);

    return !strncmp(one, other, len < other_len ? len : other_len);
}

clerk_section_applies clerk_config_sections_apply(const clerk_config_sections *config,
                                                  const clerk_config_section *outer, const clerk_config_section *inner)
{
    clerk_section_applies most = CLERK_APPLIES_YES;

    if (outer == inner) {
        return CLERK_APPLIES_YES;
    }
    if (outer->server != inner->server && outer->server != config->main_server) {
        if (inner->server != config->main_server) {
            return CLERK_APPLIES_NO;
        }
        most = CLERK_APPLIES_MAYBE;
    }
    if (outer->kind == 'S') {
        return most;
    }
    if (inner->kind == 'S') {
        return CLERK_APPLIES_NO;
    }
    if (outer->files) {
        most = CLERK_APPLIES_MAYBE;
    }
    if (outer->path && !*outer->path && (outer->kind == inner->kind || outer->kind == 'L')) {
        return most;
    }
    if (outer->kind != inner->kind) {
        return CLERK_APPLIES_MAYBE;
    }
    if (outer->path && is_above(outer->path, inner->prefix)) {
        return most;
    }
    if (outer->path && inner->path) {
        return CLERK_APPLIES_NO;
    }
    return compatible(outer->prefix, inner->prefix) ? CLERK_APPLIES_MAYBE : CLERK_APPLIES_NO;
}
