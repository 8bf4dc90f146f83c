/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/arguments.h"

#include <string.h>

#include <apr_strings.h>

#include "ctl/doctor.h"
#include "ctl/send_event.h"
#include "ctl/explain.h"
#include "ctl/key_list.h"
#include "ctl/token.h"
#include "text/text.h"

#define INPUT_MAX 1048576
#define LINE_WIDTH 100

/* For the program that doctor runs; by default, and at most. */
#define DOCTOR_LIMIT apr_time_from_sec(60)
#define DOCTOR_LIMIT_MAX apr_time_from_sec(3600)

typedef struct option {
    const char *name;
    const char *value; /* what stands for its value, with | between words; NULL: it has none */
    const char *says;
} option;

typedef struct command {
    const char *name;
    clerk_output_code (*run)(clerk_arguments *arguments);
    int takes_instance;    /* the options of an instance and a policy */
    const option *options; /* of its own */
    const char *usage;
    const char *synopsis; /* what follows the options */
} command;

/* Of all commands. */
static const option common[] = {{"json", NULL, "print one JSON document, for programs"},
                                {"help", NULL, "print this; -h does, too"},
                                {NULL, NULL, NULL}};
static const option of_input[]
    = {{"input", "FILE", "read this file or pipe instead of standard input"},
       {"as", "request|cookie|token", "what the input is; by default that is guessed"},
       {"header", "'NAME: VALUE'", "add or replace a header field; other users can see it in the list of processes"},
       {NULL, NULL, NULL}};

static const option *find(const option *options, const char *name)
{
    for (; options->name; options++) {
        if (!strcmp(options->name, name)) {
            return options;
        }
    }
    return NULL;
}

/* Read the request from the input, and change it as --header says. @return NULL, or what is wrong */
static const char *read_request(clerk_http_text *request, const clerk_arguments *arguments)
{
    const char *path = apr_table_get(arguments->values, "input"), *as = apr_table_get(arguments->values, "as");
    const char *text, *problem;
    clerk_http_text_kind kind;
    apr_size_t len;

    problem = clerk_setup_read_file(&text, &len, arguments->setup, path ? path : "-", INPUT_MAX);
    if (problem) {
        return problem;
    }
    if (!as) {
        kind = clerk_http_text_guess(text);
    } else if (!clerk_http_text_kind_of(&kind, as)) {
        return "--as: write request, cookie or token";
    }
    problem = clerk_http_text_read(request, kind, text, len, arguments->pool);
    for (int i = 0; !problem && i < arguments->headers->nelts; i++) {
        problem
            = clerk_http_text_set_field(request, APR_ARRAY_IDX(arguments->headers, i, const char *), arguments->pool);
    }
    return problem;
}

/* Read the instance and the request, then run the command. */
static clerk_output_code run_with_request(clerk_arguments *arguments, int needs_keys,
                                          clerk_output_code (*run)(clerk_setup *setup, const clerk_http_text *request))
{
    const char *problem = clerk_setup_finish(arguments->setup, needs_keys);
    clerk_http_text request;

    if (!problem) {
        problem = read_request(&request, arguments);
    }
    return problem ? clerk_output_fail(arguments->out, arguments->setup->code, "%s", problem)
                   : run(arguments->setup, &request);
}

static clerk_output_code run_explain(clerk_arguments *arguments)
{
    return run_with_request(arguments, 1, clerk_explain_run);
}

static clerk_output_code run_token(clerk_arguments *arguments)
{
    return run_with_request(arguments, 0, clerk_token_run);
}

static const option of_keys[]
    = {{"state-dir", "DIR", "list the key sets of this ClerkStateDir, too"}, {NULL, NULL, NULL}};
static const option of_webhook[] = {{"secret", "REF", "the signing secret: env:NAME, file:/path or exec:/path"},
                                    {"type", "TYPE", "the event's type; session.revoked without it"},
                                    {"data", "JSON", "its member data, an object"},
                                    {"event", "FILE", "the whole body, instead of these two; - is standard input"},
                                    {"id", "ID", "svix-id; by default a new one each time"},
                                    {"to", "URL", "where to send it, https or this machine; without it, it is printed"},
                                    {NULL, NULL, NULL}};

static clerk_output_code run_keys(clerk_arguments *arguments)
{
    const char *problem = clerk_setup_finish(arguments->setup, 0);

    return problem ? clerk_output_fail(arguments->out, arguments->setup->code, "%s", problem)
                   : clerk_key_list_run(arguments->setup, apr_table_get(arguments->values, "state-dir"));
}

static clerk_output_code run_webhook(clerk_arguments *arguments)
{
    const char *problem = clerk_setup_finish(arguments->setup, 0);
    const clerk_send_event event = {.secret = apr_table_get(arguments->values, "secret"),
                                    .type = apr_table_get(arguments->values, "type"),
                                    .data = apr_table_get(arguments->values, "data"),
                                    .event = apr_table_get(arguments->values, "event"),
                                    .id = apr_table_get(arguments->values, "id"),
                                    .to = apr_table_get(arguments->values, "to")};

    return problem ? clerk_output_fail(arguments->out, arguments->setup->code, "%s", problem)
                   : clerk_send_event_run(arguments->setup, &event);
}

static const option of_doctor[] = {{"httpd", "PROGRAM", "the httpd, or a script that runs it; found if it is left out"},
                                   {"timeout", "TIME", "for its run; 60s without it"},
                                   {"offline", NULL, "make no call"},
                                   {NULL, NULL, NULL}};

static clerk_output_code run_doctor(clerk_arguments *arguments)
{
    const char *timeout = apr_table_get(arguments->values, "timeout"), *problem = NULL;
    apr_interval_time_t limit = DOCTOR_LIMIT;

    if (timeout) {
        problem = clerk_setup_read_duration(&limit, timeout, apr_time_from_msec(1), DOCTOR_LIMIT_MAX, arguments->pool);
        if (problem) {
            return clerk_output_fail(arguments->out, CLERK_OUTPUT_USAGE, "--timeout: %s", problem);
        }
    }
    arguments->setup->offline = apr_table_get(arguments->values, "offline") != NULL;
    problem = clerk_setup_finish(arguments->setup, 0);
    return problem
               ? clerk_output_fail(arguments->out, CLERK_OUTPUT_UNAVAILABLE, "%s", problem)
               : clerk_doctor_run(arguments->setup, apr_table_get(arguments->values, "httpd"), arguments->rest, limit);
}

static const command commands[] = {
    {"explain", run_explain, 1, of_input, "what the module decides about a request, a cookie or a token, and why",
     " <REQUEST"},
    {"token", run_token, 1, of_input, "decode a token, and verify it if keys are given", " <TOKEN"},
    {"keys", run_keys, 1, of_keys, "the keys that an instance publishes, and those that a state directory keeps", ""},
    {"doctor", run_doctor, 0, of_doctor, "examine a server: configuration, keys, clock, certificates, files",
     " [-- ARGUMENT ...]"},
    {"webhook", run_webhook, 1, of_webhook, "sign a test event, and send it or print it", ""},
};

#define COMMANDS (int)(sizeof(commands) / sizeof(commands[0]))

static const command *command_of(const char *name)
{
    for (int i = 0; i < COMMANDS; i++) {
        if (!strcmp(commands[i].name, name)) {
            return &commands[i];
        }
    }
    return NULL;
}

static clerk_output_code usage(clerk_output *out)
{
    clerk_output_print(out, "Usage: clerkctl COMMAND [OPTION ...]\n\n");
    for (int i = 0; i < COMMANDS; i++) {
        clerk_output_print(out, "  %-8s  %s\n", commands[i].name, commands[i].usage);
    }
    clerk_output_print(out, "\nOptions of a command: clerkctl COMMAND --help. "
                            "Exit codes: 0 good, 1 bad, 2 usage, 3 something is not available.\n"
                            "The manual: man clerkctl, docs/clerkctl.md.\n");
    return clerk_output_as_document(out, "help");
}

static void print_options(clerk_output *out, const option *options)
{
    for (; options->name; options++) {
        const char *gap = options->value ? " " : "", *value = options->value ? options->value : "";

        clerk_output_print(out, "  %-28s  %s\n", apr_pstrcat(out->pool, "--", options->name, gap, value, NULL),
                           options->says);
    }
}

/* The options of an instance and a policy, in lines of a terminal's width. */
static void print_instance_options(clerk_output *out)
{
    apr_size_t column = 0;

    clerk_output_print(out,
                       "\nOptions of an instance, named as the directives (docs/directives.md); secrets as env:NAME,"
                       " file:/path or exec:/path:\n ");
    for (int at = 0; clerk_setup_option(at, out->pool); at++) {
        const char *name = clerk_setup_option(at, out->pool);

        if (column + strlen(name) + 3 > LINE_WIDTH) {
            clerk_output_print(out, "\n ");
            column = 0;
        }
        clerk_output_print(out, " --%s", name);
        column += strlen(name) + 3;
    }
    clerk_output_print(out, "\n");
}

static clerk_output_code command_usage(clerk_output *out, const command *to)
{
    clerk_output_print(out, "Usage: clerkctl %s [OPTION ...]%s\n\n%s\n\n", to->name, to->synopsis, to->usage);
    print_options(out, to->options);
    print_options(out, common);
    if (to->takes_instance) {
        print_instance_options(out);
    }
    return clerk_output_as_document(out, "help");
}

/* The words that the value of an option may be, one a line; <file> or <text>; nothing if it has no value. */
static void list_values(clerk_output *out, const command *to, const char *name)
{
    const option *known = find(common, name);
    const char *values;
    char *state = NULL;

    known = known ? known : find(to->options, name);
    values = known                                           ? known->value
             : to->takes_instance && clerk_setup_knows(name) ? clerk_setup_values(name, out->pool)
                                                             : "";
    values = !values                                                                           ? ""
             : !strcmp(values, "REF")                                                          ? "env: file: exec:"
             : !strcmp(values, "FILE") || !strcmp(values, "DIR") || !strcmp(values, "PROGRAM") ? "<file>"
             : known && !strchr(values, '|')                                                   ? "<text>"
                                                                                               : values;
    for (char *word = apr_strtok(apr_pstrdup(out->pool, values), " |", &state); word;
         word = apr_strtok(NULL, " |", &state)) {
        clerk_output_print(out, "%s\n", word);
    }
}

/* For the completion of the shell: the commands; the options of one; the values of an option. One a line. */
static clerk_output_code list_words(clerk_output *out, const char *name, const char *value_of)
{
    const command *to = command_of(name);

    for (int i = 0; i < COMMANDS && !*name; i++) {
        clerk_output_print(out, "%s\n", commands[i].name);
    }
    if (to && clerk_text_begins_with(value_of, "--")) {
        list_values(out, to, value_of + 2);
    } else if (to) {
        for (const option *one = common; one->name; one++) {
            clerk_output_print(out, "--%s\n", one->name);
        }
        for (const option *one = to->options; one->name; one++) {
            clerk_output_print(out, "--%s\n", one->name);
        }
        for (int at = 0; to->takes_instance && clerk_setup_option(at, out->pool); at++) {
            clerk_output_print(out, "--%s\n", clerk_setup_option(at, out->pool));
        }
    }
    return clerk_output_as_document(out, "words");
}

/* Keep an option that is not one of an instance. */
static const char *keep(clerk_arguments *arguments, const option *known, const char *value)
{
    if (!strcmp(known->name, "json")) {
        arguments->out->as_json = 1;
    } else if (!strcmp(known->name, "header")) {
        APR_ARRAY_PUSH(arguments->headers, const char *) = value;
    } else if (apr_table_get(arguments->values, known->name)) {
        return apr_psprintf(arguments->pool, "--%s stands there twice", known->name);
    } else {
        apr_table_setn(arguments->values, known->name, value ? value : "");
    }
    return NULL;
}

/* Read one option. @param pi the index of the argument; moved over a value @return NULL, or what is wrong */
static const char *read_option(clerk_arguments *arguments, const command *to, int *pi, int argc,
                               const char *const *argv)
{
    apr_pool_t *pool = arguments->pool;
    const char *text = argv[*pi] + 2, *equals = strchr(text, '=');
    const char *name = equals ? apr_pstrmemdup(pool, text, (apr_size_t)(equals - text)) : text;
    const option *known = find(common, name);
    const char *value = equals ? equals + 1 : NULL;
    int has_value, of_setup;

    known = known ? known : find(to->options, name);
    of_setup = !known && to->takes_instance && clerk_setup_knows(name);
    if (!known && !of_setup) {
        return apr_psprintf(pool, "%s has no option --%s; see clerkctl %s --help", to->name, name, to->name);
    }
    has_value = known ? known->value != NULL : !clerk_setup_is_flag(name);
    if (!has_value && value) {
        return apr_psprintf(pool, "--%s takes no value", name);
    }
    if (has_value && !value) {
        if (*pi + 1 >= argc) {
            return apr_psprintf(pool, "--%s needs a value", name);
        }
        value = argv[++*pi];
    }
    return of_setup ? clerk_setup_set(arguments->setup, name, value) : keep(arguments, known, value);
}

/* --json counts for errors too, wherever it stands. */
static int wants_json(int argc, const char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (!strcmp(argv[i], "--json")) {
            return 1;
        }
    }
    return 0;
}

static clerk_output_code run(clerk_arguments *arguments, const command *to, int argc, const char *const *argv)
{
    const char *problem = NULL;

    for (int i = 0; i < argc && !problem; i++) {
        if (!strcmp(argv[i], "--")) {
            for (i++; i < argc; i++) {
                APR_ARRAY_PUSH(arguments->rest, const char *) = argv[i];
            }
        } else if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
            return command_usage(arguments->out, to);
        } else if (!clerk_text_begins_with(argv[i], "--")) {
            problem = apr_psprintf(arguments->pool, "there is an argument too much%s",
                                   strlen(argv[i]) > 30 ? "; a token or a cookie is read from standard input"
                                                        : apr_pstrcat(arguments->pool, ": ", argv[i], NULL));
        } else {
            problem = read_option(arguments, to, &i, argc, argv);
        }
    }
    return problem ? clerk_output_fail(arguments->out, arguments->setup->code, "%s", problem) : to->run(arguments);
}

clerk_output_code clerk_arguments_run(clerk_output *out, int argc, const char *const *argv, apr_pool_t *pool)
{
    clerk_arguments arguments = {.out = out, .pool = pool, .setup = clerk_setup_create(out, pool)};
    int at = 1; /* of the command */
    const char *name;
    const command *to;

    out->as_json = wants_json(argc, argv);
    arguments.values = apr_table_make(pool, 8);
    arguments.headers = apr_array_make(pool, 4, sizeof(const char *));
    arguments.rest = apr_array_make(pool, 4, sizeof(const char *));
    while (at < argc && !strcmp(argv[at], "--json")) {
        at++;
    }
    name = at < argc ? argv[at] : "";
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        return usage(out);
    }
    if (!strcmp(name, "--version")) {
        clerk_output_print(out, out->as_json ? "%s" : "clerkctl %s\n", CLERK_VERSION);
        return clerk_output_as_document(out, "version");
    }
    if (!strcmp(name, "words")) {
        return list_words(out, argc > at + 1 && strcmp(argv[at + 1], "--json") ? argv[at + 1] : "",
                          argc > at + 2 ? argv[at + 2] : "");
    }
    to = command_of(name);
    if (to) {
        return run(&arguments, to, argc - at - 1, argv + at + 1);
    }
    return clerk_output_fail(
        out, CLERK_OUTPUT_USAGE,
        *name ? "there is no command %s; see clerkctl --help" : "name a command%s; see clerkctl --help", name);
}
