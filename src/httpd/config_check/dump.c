/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config_check/dump.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/config/config.h"
#include "httpd/config_check/survey.h"

/** Where the text goes, and what it adds up to. */
typedef struct dump {
    const clerk_survey *survey;
    apr_file_t *out;
    apr_pool_t *pool;
    int protected_places;
    int optional_places;
    int open_places;
    int doubtful_places;
    int closed_places;
} dump;

/** What decides at a place: something that surely reaches it, else something that may. */
typedef struct decision {
    const clerk_place *by; /**< NULL: nothing */
    clerk_reach reach;
} decision;

/** Sections are merged in this order: the server, directories from the root down, locations. */
static int rank(const clerk_place *place)
{
    return place->kind == 'S' ? 0 : place->kind == 'D' ? 1 : 2;
}

static int comes_later(const clerk_place *one, const clerk_place *other)
{
    apr_size_t len = one->path ? strlen(one->path) : 0, other_len = other->path ? strlen(other->path) : 0;

    if (rank(one) != rank(other)) {
        return rank(one) > rank(other);
    }
    /* Of two equals the later in the file wins: callers go through them in that order. */
    return one->kind != 'D' || len >= other_len;
}

static int is_elsewhere(const dump *to, const clerk_place *other, const clerk_place *here)
{
    return other->server != here->server && other->server != to->survey->main_server;
}

static decision decide(const dump *to, const clerk_place *here, int (*says)(const clerk_place *))
{
    const apr_array_header_t *places = to->survey->places;
    decision best = {NULL, CLERK_REACH_NO};

    for (int i = 0; i < places->nelts; i++) {
        const clerk_place *other = APR_ARRAY_IDX(places, i, const clerk_place *);
        clerk_reach reach = says(other) ? clerk_survey_reaches(to->survey, other, here) : CLERK_REACH_NO;

        /* A <Location> that may lie over a directory is a place of its own, shown as such, and so is what stands in
         * another server. */
        if (reach == CLERK_REACH_MAYBE && (rank(other) > rank(here) || is_elsewhere(to, other, here))) {
            continue;
        }
        if (reach > best.reach || (reach != CLERK_REACH_NO && reach == best.reach && comes_later(other, best.by))) {
            best.by = other;
            best.reach = reach;
        }
    }
    return best;
}

static int says_require(const clerk_place *place)
{
    return place->require != NULL;
}

static int says_restriction(const clerk_place *place)
{
    return place->restriction != NULL;
}

static int says_auth_type(const clerk_place *place)
{
    return place->set[CLERK_SETTING_AUTH_TYPE] != NULL;
}

static int says_instance(const clerk_place *place)
{
    return place->set[CLERK_SETTING_INSTANCE] != NULL;
}

static int says_token_sources(const clerk_place *place)
{
    return place->set[CLERK_SETTING_TOKEN_SOURCES] != NULL;
}

static int says_satisfy(const clerk_place *place)
{
    return place->set[CLERK_SETTING_SATISFY] != NULL;
}

static const char *title(const clerk_place *place, apr_pool_t *pool)
{
    const char *args;
    apr_size_t len;

    if (!place->section) {
        return "the main server";
    }
    args = place->section->args;
    len = strlen(args);
    while (len && (args[len - 1] == '>' || args[len - 1] == ' ')) {
        len--;
    }
    return apr_psprintf(pool, "%s %.*s> (%s:%d)", place->section->directive, (int)len, args, place->section->filename,
                        place->section->line_num);
}

static const char *args_of(const decision *from, clerk_setting setting)
{
    return from->by->set[setting]->args;
}

/** " (from ...)" where it is not the place's own. */
static const char *origin(const decision *from, const clerk_place *here, apr_pool_t *pool)
{
    if (from->by == here) {
        return "";
    }
    return apr_pstrcat(pool, from->reach == CLERK_REACH_YES ? "  [from " : "  [perhaps from ", title(from->by, pool),
                       "]", NULL);
}

static void line(const dump *to, const char *name, const char *text, const char *note)
{
    apr_file_printf(to->out, "      %-12s%s%s\n", name, text, note);
}

static int is_about_requiring(const ap_directive_t *directive)
{
    static const char *const containers[] = {"<Require", "<Limit", "<If", "<Else", NULL};

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

/** The Require lines as they stand, with the containers around them. @param name printed in front of the first line */
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

static void print_requirements(const dump *to, const decision *from, const clerk_place *here)
{
    const ap_directive_t *first = from->by->section ? from->by->section->first_child : ap_conftree;

    requirements(to, first, 0, "requires", origin(from, here, to->pool));
}

static const char *instance_text(const char *name, const clerk_runtime *runtime, apr_pool_t *pool)
{
    const clerk_instance *instance = runtime->instance;
    const char *type = instance->type == CLERK_INSTANCE_DEVELOPMENT ? "development" : "production";
    const char *host = instance->frontend_host, *url = instance->jwks_url;
    const char *keys = "a fixed PEM key";

    if (!runtime->static_keys) {
        keys = apr_psprintf(pool, "keys from %.*s", (int)strcspn(url, "?#"), url);
    }
    return apr_psprintf(pool, "%s (%s%s%s), %s, %s a secret key", name, type, host ? ", " : "", host ? host : "", keys,
                        instance->secret_key ? "with" : "without");
}

static void print_instance(const dump *to, const clerk_place *here)
{
    decision from = decide(to, here, says_instance);
    const clerk_server_config *conf = clerk_config_server(here->server);

    if (from.by) {
        line(to, "instance", args_of(&from, CLERK_SETTING_INSTANCE), origin(&from, here, to->pool));
    }
    if (from.reach == CLERK_REACH_YES) {
        return;
    }
    if (conf->runtime) {
        line(to, "instance", "default", "");
    } else {
        line(to, "instance", "that of the virtual host that is asked", "");
    }
}

static void print_sources(const dump *to, const clerk_place *here)
{
    decision from = decide(to, here, says_token_sources);

    line(to, "accepts",
         apr_pstrcat(to->pool, "session tokens from ",
                     from.by ? args_of(&from, CLERK_SETTING_TOKEN_SOURCES) : "header and cookie", NULL),
         from.by ? origin(&from, here, to->pool) : "");
}

/** AuthType Clerk is in force, or may be. */
static const char *judge_clerk(dump *to, const clerk_place *here, const decision *type, const decision *require)
{
    if (!require->by || (require->reach == CLERK_REACH_MAYBE && !decide(to, here, says_restriction).by)) {
        to->open_places++;
        return "OPEN: AuthType Clerk, but no Require restricts anything, so everybody is let in";
    }
    if (require->reach == CLERK_REACH_MAYBE || type->reach == CLERK_REACH_MAYBE) {
        to->doubtful_places++;
        return "DEPENDS on what else applies to the file or URL";
    }
    if (require->by->open && require->by->require_clerk) {
        to->optional_places++;
        return "optional: everybody is let in, and who is signed in is known";
    }
    if (require->by->open) {
        to->open_places++;
        return "OPEN: Require all granted lets everybody in";
    }
    if (!require->by->restriction) {
        to->closed_places++;
        return "closed: nobody is let in";
    }
    if (!require->by->always) {
        to->doubtful_places++;
        return "DEPENDS: every Require stands under a condition, and what does not meet it is open";
    }
    to->protected_places++;
    return "protected by Clerk";
}

/** Another AuthType is in force, or none. */
static const char *judge_other(dump *to, const decision *type, const decision *require)
{
    int sure = require->reach == CLERK_REACH_YES;

    if (sure && require->by->require_clerk) {
        to->closed_places++;
        return type->by ? "NOT PROTECTED BY CLERK: Require clerk-... under another AuthType, which nobody can meet"
                        : "NOT PROTECTED BY CLERK: Require clerk-... without AuthType Clerk, which nobody can meet";
    }
    if (sure && require->by->open) {
        return "not by Clerk: open to everybody";
    }
    if (sure && !type->by && require->by->require_user) {
        to->closed_places++;
        return "NOT PROTECTED: a user is required, but no AuthType says how to sign in; requests fail";
    }
    return sure && !require->by->restriction ? "not by Clerk: closed" : "not by Clerk";
}

/** One section, if it says anything about access. */
static void print_place(dump *to, const clerk_place *here)
{
    decision type = decide(to, here, says_auth_type), require = decide(to, here, says_require);
    decision satisfy = decide(to, here, says_satisfy);
    int clerk = type.by && clerk_place_is_clerk(type.by);

    if (!here->require && !here->set[CLERK_SETTING_AUTH_TYPE] && !here->set[CLERK_SETTING_INSTANCE]
        && !here->set[CLERK_SETTING_TOKEN_SOURCES] && !here->set[CLERK_SETTING_STATUS_PAGE]) {
        return;
    }
    if (!clerk && !require.by) {
        return;
    }
    apr_file_printf(to->out, "\n  %s\n    %s\n", here->kind == 'S' ? "(everywhere)" : title(here, to->pool),
                    clerk ? judge_clerk(to, here, &type, &require) : judge_other(to, &type, &require));
    if (type.by) {
        line(to, "AuthType", args_of(&type, CLERK_SETTING_AUTH_TYPE), origin(&type, here, to->pool));
    }
    if (clerk) {
        print_instance(to, here);
        print_sources(to, here);
    }
    if (require.by) {
        print_requirements(to, &require, here);
    }
    if (satisfy.reach == CLERK_REACH_YES && !strcasecmp(args_of(&satisfy, CLERK_SETTING_SATISFY), "any")) {
        line(to, "but", "Satisfy Any: an allowed address is let in without signing in",
             origin(&satisfy, here, to->pool));
    }
    if (here->set[CLERK_SETTING_STATUS_PAGE]) {
        line(to, "shows", "the status page", "");
    }
}

static void print_server(dump *to, server_rec *server)
{
    const clerk_server_config *conf = clerk_config_server(server);
    const apr_array_header_t *places = to->survey->places;

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
    for (int i = 0; i < places->nelts; i++) {
        const clerk_place *here = APR_ARRAY_IDX(places, i, const clerk_place *);

        if (here->server == server) {
            print_place(to, here);
        }
    }
}

void clerk_dump_configuration(apr_pool_t *pconf, server_rec *main_server)
{
    dump to = {NULL, NULL, NULL, 0, 0, 0, 0, 0};

    if (!ap_exists_config_define("DUMP_CLERK") || apr_pool_create(&to.pool, pconf) != APR_SUCCESS) {
        return;
    }
    if (apr_file_open_stdout(&to.out, to.pool) == APR_SUCCESS) {
        to.survey = clerk_survey_make(main_server, to.pool);
        apr_file_puts("What the configuration files protect. A .htaccess file may add to it or change it.\n", to.out);
        print_server(&to, main_server);
        /* In the order of the files, which httpd's own list does not have at this time. */
        for (int i = 0; i < to.survey->places->nelts; i++) {
            const clerk_place *place = APR_ARRAY_IDX(to.survey->places, i, const clerk_place *);

            if (place->kind == 'S' && place->server != main_server) {
                print_server(&to, place->server);
            }
        }
        apr_file_printf(to.out,
                        "\nSections: %d protected by Clerk, %d optional, %d OPEN, %d that depend, %d that let "
                        "nobody in\n",
                        to.protected_places, to.optional_places, to.open_places, to.doubtful_places, to.closed_places);
    }
    apr_pool_destroy(to.pool);
}
