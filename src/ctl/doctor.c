/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "clerk/url/origin.h"
#include "clerk/url/party.h"
#include "ctl/doctor_files.h"
#include "ctl/doctor_network.h"
#include "ctl/doctor_program.h"
#include "ctl/findings.h"
#include "jose/json.h"
#include "text/text.h"

/* A line of the output without the time and the place in the source that httpd puts before a message. */
static const char *message_of(const char *line)
{
    const char *number = strstr(line, "] AC"), *httpd = strstr(line, "] AH");

    return number ? number + 2 : httpd ? httpd + 2 : line;
}

/* Take over a warning of the module, which says itself what to do; and the one of httpd that it has no name. */
static void read_message(clerk_findings *doctor, const char *line)
{
    const char *message = message_of(line), *check;

    if (clerk_text_begins_with(message, "AC") && strspn(message + 2, "0123456789") == 4) {
        check = apr_pstrmemdup(doctor->setup->pool, message, 6);
        clerk_findings_add(doctor, strstr(line, ":error]") ? CLERK_FINDINGS_ERROR : CLERK_FINDINGS_WARNING, check,
                           apr_psprintf(doctor->setup->pool, "docs/troubleshooting.md, %s", check), "%s", message);
    } else if (clerk_text_begins_with(message, "AH00558")) {
        clerk_findings_add(doctor, CLERK_FINDINGS_WARNING, "server-name", "write ServerName with the site's name",
                           "the server has no ServerName, so that its own origin is a guess");
    }
}

/* A section of the dump: its title is the last line that was indented by two. */
static void read_verdict(clerk_findings *doctor, const char *title, const char *line)
{
    const char *verdict = line + strspn(line, " ");

    if (clerk_text_begins_with(verdict, "OPEN: AuthType Clerk")) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "open",
                           "write Require valid-user, or another Require, into it", "%s: %s", title, verdict);
    } else if (clerk_text_begins_with(verdict, "NOT PROTECTED")) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "not-protected", "write AuthType Clerk into it", "%s: %s",
                           title, verdict);
    }
}

static void read_output(clerk_findings *doctor, const char *output)
{
    char *state = NULL, *text = apr_pstrdup(doctor->setup->pool, output);
    const char *title = "";

    for (char *line = apr_strtok(text, "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) {
        apr_size_t indent = strspn(line, " ");
        json_t *document;

        if (clerk_text_begins_with(line, "{\"mod_auth_clerk\":")
            && jose_json_parse_object(&document, line, strlen(line), JOSE_JSON_MAX_DEPTH, doctor->setup->pool)
                   == JOSE_OK) {
            doctor->dump = document;
        } else if (indent == 2) {
            title = line + indent;
        } else if (indent == 4) {
            read_verdict(doctor, title, line);
        } else {
            read_message(doctor, line);
        }
    }
}

/* The lines of httpd's refusal, without what is no part of it. */
static const char *refusal(const char *output, apr_pool_t *pool)
{
    char *state = NULL, *text = apr_pstrdup(pool, output);
    const char *kept = "";

    for (char *line = apr_strtok(text, "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) {
        if (*line != ' ' && *line != '{' && !clerk_text_begins_with(line, "What the configuration files")
            && !clerk_text_begins_with(line, "Action '") && !strstr(line, "AH00558")) {
            kept = apr_pstrcat(pool, kept, *kept ? "; " : "", message_of(line), NULL);
        }
    }
    return *kept ? kept : "it says nothing";
}

/* Whether browsers send an origin only what is not secret: plain http, and not this machine. */
static int is_plain_http(const char *text, apr_pool_t *pool)
{
    const clerk_url *url = clerk_origin_parse(text, pool);

    return url && !strcmp(url->scheme, "http") && !clerk_origin_is_loopback(url);
}

static apr_array_header_t *words_of(const char *args, apr_pool_t *pool)
{
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(const char *));
    char *state = NULL, *list = apr_pstrdup(pool, args);

    for (char *word = apr_strtok(list, " \t\"'", &state); word; word = apr_strtok(NULL, " \t\"'", &state)) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
    return words;
}

static void check_parties(clerk_findings *doctor, const char *args, const char *where, const char *public_origin)
{
    apr_array_header_t *parties = words_of(args, doctor->setup->pool);
    int has_own = 0;

    for (int i = 0; i < parties->nelts; i++) {
        const char *party = APR_ARRAY_IDX(parties, i, const char *);

        if (is_plain_http(party, doctor->setup->pool)) {
            clerk_findings_add(doctor, CLERK_FINDINGS_WARNING, "party-http", "write https://",
                               "ClerkAuthorizedParties (%s): %s is plain http, where Clerk's cookies do not go", where,
                               party);
        }
        has_own = has_own || !strcmp(party, CLERK_PARTY_OWN);
    }
    if (public_origin && !has_own && !clerk_party_is_listed(parties, public_origin, NULL)) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "party-missing", "write own into ClerkAuthorizedParties",
                           "ClerkAuthorizedParties (%s) lacks ClerkPublicOrigin %s: everybody who signs in here is "
                           "refused",
                           where, public_origin);
    }
}

/* The only ClerkPublicOrigin of the configuration, or NULL. */
static const char *only_public_origin(const clerk_findings *doctor)
{
    const char *found = NULL;
    const json_t *directive;
    size_t i;

    json_array_foreach(json_object_get(doctor->dump, "directives"), i, directive)
    {
        if (!strcasecmp(clerk_findings_text(directive, "name"), "ClerkPublicOrigin")) {
            const apr_array_header_t *words = words_of(clerk_findings_text(directive, "args"), doctor->setup->pool);
            const clerk_url *url
                = clerk_origin_parse(words->nelts ? APR_ARRAY_IDX(words, 0, const char *) : "", doctor->setup->pool);

            if (found || !url) {
                return NULL;
            }
            found = url->origin;
        }
    }
    return found;
}

static int has_webhook_secret(const clerk_findings *doctor)
{
    const json_t *instance;
    size_t i;

    json_array_foreach(json_object_get(doctor->dump, "instances"), i, instance)
    {
        if (json_integer_value(json_object_get(instance, "webhook_secrets")) > 0) {
            return 1;
        }
    }
    return 0;
}

static void check_directive(clerk_findings *doctor, const json_t *directive, const char *public_origin)
{
    apr_pool_t *pool = doctor->setup->pool;
    const char *name = clerk_findings_text(directive, "name"), *args = clerk_findings_text(directive, "args");
    const char *where = apr_psprintf(pool, "line %d of %s", (int)json_integer_value(json_object_get(directive, "line")),
                                     clerk_findings_text(directive, "file"));

    if (!strcasecmp(name, "ClerkAuthorizedParties")) {
        check_parties(doctor, args, where, public_origin);
    } else if (!strcasecmp(name, "ClerkPublicOrigin") && is_plain_http(args, pool)) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "origin-http",
                           "serve the site by https, and write ClerkPublicOrigin https://...",
                           "ClerkPublicOrigin %s (%s) is plain http: Clerk's cookies are for https only", args, where);
    } else if ((!strcasecmp(name, "ClerkSignInURL") || !strcasecmp(name, "ClerkSignUpURL"))
               && clerk_text_begins_with(args, "http://")) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "sign-in-http", "write https://",
                           "%s (%s) is plain http: who listens can change the page that asks for passwords", name,
                           where);
    } else if (!strcasecmp(name, "Require") && !has_webhook_secret(doctor)) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "webhook", "write ClerkWebhookSecret",
                           "Require clerk-webhook (%s), but there is no ClerkWebhookSecret: every message is refused",
                           where);
    } else if (!strcasecmp(name, "ClerkClockSkew") && strpbrk(args, "mMhH") && !strstr(args, "ms")) {
        clerk_findings_add(doctor, CLERK_FINDINGS_WARNING, "clock-skew", "set the clock by NTP, and leave it out",
                           "ClerkClockSkew %s (%s): tokens count for minutes after they have expired", args, where);
    }
}

static void check_directives(clerk_findings *doctor)
{
    const char *public_origin = only_public_origin(doctor);
    const json_t *directive;
    size_t i;

    clerk_findings_looked_at(doctor, "origins");
    json_array_foreach(json_object_get(doctor->dump, "directives"), i, directive)
    {
        check_directive(doctor, directive, public_origin);
    }
}

static void examine(clerk_findings *doctor, const char *output, int code)
{
    clerk_findings_looked_at(doctor, "syntax");
    if (code) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "syntax", "change what the message names, and run this again",
                           "httpd refuses the configuration: %s", refusal(output, doctor->setup->pool));
        return;
    }
    read_output(doctor, output);
    if (!doctor->dump) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "module",
                           "write LoadModule auth_clerk_module (Debian: a2enmod)",
                           "mod_auth_clerk is not loaded, or it is of another version than clerkctl");
        return;
    }
    clerk_findings_looked_at(doctor, "sections");
    if (json_array_size(json_object_get(doctor->dump, "instances")) == 0) {
        clerk_findings_add(doctor, CLERK_FINDINGS_ERROR, "no-instance", "write ClerkPublishableKey pk_...",
                           "the configuration has no Clerk instance");
    }
    check_directives(doctor);
    clerk_doctor_files(doctor);
    if (!doctor->setup->offline) {
        clerk_doctor_network(doctor);
    }
}

static clerk_output_code report(const clerk_findings *doctor)
{
    clerk_output *out = doctor->setup->out;
    size_t count = json_array_size(doctor->findings), i;
    const json_t *finding, *check;
    json_t *document;

    if (out->as_json) {
        document = json_pack("{s:b, s:O, s:O}", "well", count == 0, "findings", doctor->findings, "looked_at",
                             doctor->checks);
        clerk_output_document(out, document);
        json_decref(document);
        return count ? CLERK_OUTPUT_BAD : CLERK_OUTPUT_GOOD;
    }
    json_array_foreach(doctor->findings, i, finding)
    {
        clerk_output_print(out, "%s  %s: %s\n         cure: %s\n", clerk_findings_text(finding, "level"),
                           clerk_findings_text(finding, "check"), clerk_findings_text(finding, "text"),
                           clerk_findings_text(finding, "cure"));
    }
    clerk_output_print(out, "\n%d found. Looked at:", (int)count);
    json_array_foreach(doctor->checks, i, check)
    {
        clerk_output_print(out, " %s", json_string_value(check));
    }
    clerk_output_print(out, "\n");
    return count ? CLERK_OUTPUT_BAD : CLERK_OUTPUT_GOOD;
}

clerk_output_code clerk_doctor_run(clerk_setup *setup, const char *program, const apr_array_header_t *arguments,
                                   apr_interval_time_t limit)
{
    clerk_findings doctor = {.setup = setup};
    const char *output, *problem;
    clerk_output_code code;
    int exit_code = 0;

    if (!program && !(program = clerk_doctor_program_find(setup->pool))) {
        return clerk_output_fail(setup->out, CLERK_OUTPUT_UNAVAILABLE,
                                 "there is no apachectl and no httpd; --httpd PROGRAM names it");
    }
    problem = clerk_doctor_program_run(&output, &exit_code, program, arguments, limit, setup->pool);
    if (problem) {
        return clerk_output_fail(setup->out, CLERK_OUTPUT_UNAVAILABLE, "%s", problem);
    }
    doctor.findings = json_array();
    doctor.checks = json_array();
    examine(&doctor, output, exit_code);
    code = report(&doctor);
    json_decref(doctor.findings);
    json_decref(doctor.checks);
    return code;
}
