/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/survey.h"

#include <apr_strings.h>

static const char *const setting_names[CLERK_SETTINGS] = {[CLERK_SETTING_AUTH_TYPE] = "AuthType",
                                                          [CLERK_SETTING_INSTANCE] = "ClerkInstance",
                                                          [CLERK_SETTING_TOKEN_SOURCES] = "ClerkTokenSources",
                                                          [CLERK_SETTING_SATISFY] = "Satisfy",
                                                          [CLERK_SETTING_STATUS_PAGE] = "SetHandler"};

int clerk_config_sections_directive_is(const ap_directive_t *directive, const char *name)
{
    return !strcasecmp(directive->directive, name);
}

static int first_word_is(const ap_directive_t *directive, const char *word, apr_pool_t *pool)
{
    const char *args = directive->args;

    return !strcasecmp(ap_getword_conf(pool, &args), word);
}

int clerk_place_is_clerk(const clerk_place *place)
{
    return place->clerk;
}

/** What all texts that match a regular expression begin with. */
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

static void set_path(clerk_place *here, const ap_directive_t *section, apr_pool_t *pool)
{
    const char *args = section->args, *word;
    apr_size_t len = strlen(args);
    int expression = ap_strcasestr(section->directive, "match") != NULL;

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

/** 'D', 'L', 'F' or 'S' where the container is a place of its own, 0 where its content is part of what is around it. */
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

static clerk_place *add_place(clerk_survey *survey, const ap_directive_t *section, char kind, const clerk_place *around)
{
    clerk_place *here = apr_pcalloc(survey->pool, sizeof(*here));

    here->section = section;
    here->kind = kind;
    here->prefix = "";
    here->server = kind == 'S' && section ? server_of(section, survey->main_server)
                   : around               ? around->server
                                          : survey->main_server;
    if (kind == 'F') {
        here->files = 1;
        here->kind = (char)(around->kind == 'S' ? 'D' : around->kind);
        here->path = around->path;
        here->prefix = around->prefix;
    } else if (kind != 'S') {
        set_path(here, section, survey->pool);
    }
    APR_ARRAY_PUSH(survey->places, clerk_place *) = here;
    return here;
}

/** Around a directive, inside its place. */
typedef struct surroundings {
    int condition;   /* <Limit>, <LimitExcept>, <If>, <ElseIf>, <Else> */
    int combination; /* <RequireAll>, <RequireAny>, <RequireNone> */
} surroundings;

static void note_require(clerk_survey *survey, clerk_place *here, const ap_directive_t *directive,
                         const surroundings *around)
{
    const char *args = directive->args, *word = ap_getword_conf(survey->pool, &args);
    int negated = !strcasecmp(word, "not"), clerk, optional;

    if (negated) {
        word = ap_getword_conf(survey->pool, &args);
    }
    clerk = !strncasecmp(word, "clerk-", 6) && strcasecmp(word, "clerk-webhook");
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

static void note_directive(clerk_survey *survey, clerk_place *here, const ap_directive_t *directive,
                           const surroundings *around)
{
    if (clerk_config_sections_directive_is(directive, "Require")) {
        note_require(survey, here, directive, around);
        return;
    }
    if (clerk_config_sections_directive_is(directive, "ClerkAuthorizedParties")) {
        survey->authorized_parties = 1;
    }
    for (int i = 0; i < CLERK_SETTINGS; i++) {
        if (clerk_config_sections_directive_is(directive, setting_names[i])
            && (i != CLERK_SETTING_STATUS_PAGE || first_word_is(directive, "clerk-status", survey->pool))) {
            here->set[i] = directive;
        }
    }
    if (here->set[CLERK_SETTING_AUTH_TYPE] == directive) {
        here->clerk = first_word_is(directive, "Clerk", survey->pool);
    }
}

static void walk(clerk_survey *survey, clerk_place *here, const ap_directive_t *directive, surroundings around)
{
    static const surroundings nothing = {0, 0};

    for (; directive; directive = directive->next) {
        const char *name = directive->directive;
        surroundings inner = around;
        char kind;

        if (*name != '<') {
            note_directive(survey, here, directive, &around);
            continue;
        }
        if (clerk_config_sections_directive_is(directive, "<ClerkInstance")) {
            continue;
        }
        kind = section_kind(directive);
        if (kind) {
            walk(survey, add_place(survey, directive, kind, here), directive->first_child, nothing);
            continue;
        }
        inner.condition |= !strncasecmp(name, "<Limit", 6) || clerk_config_sections_directive_is(directive, "<If")
                           || !strncasecmp(name, "<Else", 5);
        inner.combination |= !strncasecmp(name, "<Require", 8);
        walk(survey, here, directive->first_child, inner);
    }
}

const clerk_survey *clerk_survey_make(server_rec *main_server, apr_pool_t *pool)
{
    clerk_survey *survey = apr_pcalloc(pool, sizeof(*survey));
    static const surroundings nothing = {0, 0};

    survey->places = apr_array_make(pool, 16, sizeof(clerk_place *));
    survey->main_server = main_server;
    survey->pool = pool;
    walk(survey, add_place(survey, NULL, 'S', NULL), ap_conftree, nothing);
    return survey;
}

/** Whether a path is the other, or below it. */
static int is_above(const char *outer, const char *inner)
{
    apr_size_t len = strlen(outer);

    return !strncmp(outer, inner, len) && (!inner[len] || inner[len] == '/');
}

/** Whether one text can begin with both. */
static int compatible(const char *one, const char *other)
{
    apr_size_t len = strlen(one), other_len = strlen(other);

    return !strncmp(one, other, len < other_len ? len : other_len);
}

clerk_reach clerk_survey_reaches(const clerk_survey *survey, const clerk_place *outer, const clerk_place *inner)
{
    clerk_reach most = CLERK_REACH_YES;

    if (outer == inner) {
        return CLERK_REACH_YES;
    }
    if (outer->server != inner->server && outer->server != survey->main_server) {
        if (inner->server != survey->main_server) {
            return CLERK_REACH_NO;
        }
        most = CLERK_REACH_MAYBE;
    }
    if (outer->kind == 'S') {
        return most;
    }
    if (inner->kind == 'S') {
        return CLERK_REACH_NO;
    }
    if (outer->files) {
        most = CLERK_REACH_MAYBE;
    }
    if (outer->path && !*outer->path && (outer->kind == inner->kind || outer->kind == 'L')) {
        return most;
    }
    if (outer->kind != inner->kind) {
        return CLERK_REACH_MAYBE;
    }
    if (outer->path && is_above(outer->path, inner->prefix)) {
        return most;
    }
    if (outer->path && inner->path) {
        return CLERK_REACH_NO;
    }
    return compatible(outer->prefix, inner->prefix) ? CLERK_REACH_MAYBE : CLERK_REACH_NO;
}
