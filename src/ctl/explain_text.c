/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/explain_text.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "clerk/machine/machine_token.h"
#include "ctl/token_text.h"

static const struct {
    const char *name, *place, *condition;
} rows[CLERK_STEP_COUNT] = {
#define STEP(name, place, condition) {#name, place, condition},
#include "clerk/steps.def"
};

const char *clerk_explain_text_status(clerk_status status)
{
    static const char *const words[] = {[CLERK_SIGNED_IN] = "signed-in",
                                        [CLERK_SIGNED_OUT] = "signed-out",
                                        [CLERK_HANDSHAKE] = "handshake",
                                        [CLERK_UNAVAILABLE] = "unavailable",
                                        [CLERK_BAD_REQUEST] = "bad-request"};

    return words[status];
}

/* A text as JSON; null if there is none, or if it is no UTF-8. */
static json_t *text_of(const char *text)
{
    json_t *value = text ? json_string(text) : NULL;

    return value ? value : json_null();
}

void clerk_explain_text_step(clerk_explain_result *result, clerk_step step, int holds)
{
    /* Places without a file are of protocol.md. */
    const char *page = strstr(rows[step].place, ".md") ? "" : "protocol.md ";

    if (!result->steps) {
        result->steps = json_array();
    }
    (void)json_array_append_new(result->steps,
                                json_pack("{s:s, s:s+, s:s, s:b}", "step", rows[step].name, "place", page,
                                          rows[step].place, "condition", rows[step].condition, "holds", holds));
}

static json_t *identity_of(const clerk_identity *identity)
{
    json_t *object;

    if (!identity) {
        return json_null();
    }
    object = json_object();
    (void)json_object_set_new(object, "subject", text_of(identity->subject));
    (void)json_object_set_new(object, "user", text_of(identity->user_id));
    (void)json_object_set_new(object, "session", text_of(identity->session_id));
    (void)json_object_set_new(object, "organization", text_of(identity->org_id));
    (void)json_object_set_new(object, "organization_slug", text_of(identity->org_slug));
    (void)json_object_set_new(object, "organization_role", text_of(identity->org_role));
    (void)json_object_set_new(object, "actor", text_of(identity->actor_id));
    (void)json_object_set_new(object, "scopes", text_of(identity->scopes_text));
    (void)json_object_set_new(object, "pending", json_boolean(identity->pending));
    return object;
}

static json_t *set_cookies_of(const clerk_explain_result *result)
{
    const apr_array_header_t *list = result->outcome->set_cookies;
    json_t *array = json_array();

    for (int i = 0; i < list->nelts; i++) {
        (void)json_array_append_new(
            array, text_of(clerk_output_cookie(result->setup->out, APR_ARRAY_IDX(list, i, const char *))));
    }
    return array;
}

static json_t *calls_of(const clerk_setup *setup)
{
    json_t *array = json_array();

    for (int i = 0; i < setup->calls->nelts; i++) {
        const clerk_setup_call *call = &APR_ARRAY_IDX(setup->calls, i, clerk_setup_call);

        (void)json_array_append_new(array, json_pack("{s:s, s:s, s:b, s:i}", "method", call->method, "path", call->path,
                                                     "made", call->made, "status", call->status));
    }
    return array;
}

/* What the request brought, in words that show no token. */
static json_t *facts_of(const clerk_explain_result *result)
{
    const clerk_cookies *cookies = result->cookies;
    const clerk_request *request = result->request;
    json_t *facts = json_object();

    (void)json_object_set_new(facts, "method", text_of(request->method));
    (void)json_object_set_new(
        facts, "url",
        text_of(clerk_output_url(result->setup->out,
                                 apr_pstrcat(result->setup->pool, request->origin_url, request->target, NULL))));
    (void)json_object_set_new(
        facts, "origin_assumed",
        json_boolean(!result->setup->dir.public_origin && result->setup->dir.trust_forwarded != 1));
    (void)json_object_set_new(facts, "page_navigation", json_boolean(clerk_request_is_navigation(request)));
    (void)json_object_set_new(facts, "same_origin", json_boolean(clerk_request_is_same_origin(request)));
    (void)json_object_set_new(facts, "suffixed_cookies", json_boolean(cookies->suffixed));
    (void)json_object_set_new(facts, "session_cookie", json_boolean(cookies->session != NULL));
    (void)json_object_set_new(facts, "client_uat", json_integer(cookies->client_uat));
    (void)json_object_set_new(facts, "refresh_cookie", json_boolean(cookies->refresh != NULL));
    (void)json_object_set_new(facts, "dev_browser_cookie", json_boolean(cookies->dev_browser != NULL));
    (void)json_object_set_new(facts, "handshake_cookie", json_boolean(cookies->handshake || cookies->handshake_nonce));
    return facts;
}

static json_t *instance_of(const clerk_setup *setup)
{
    const clerk_instance *instance = setup->instance;
    json_t *object = json_object();

    (void)json_object_set_new(object, "type",
                              json_string(instance->type == CLERK_INSTANCE_DEVELOPMENT ? "development" : "production"));
    (void)json_object_set_new(object, "frontend_api", text_of(instance->frontend_host));
    (void)json_object_set_new(object, "keys",
                              setup->static_keys ? json_string("given")
                                                 : text_of(clerk_http_url_printable(instance->jwks_url, setup->pool)));
    (void)json_object_set_new(object, "secret_key", json_boolean(instance->secret_key != NULL));
    return object;
}

/* Why the keys cannot be had, if that is so. */
static const char *key_error(const clerk_setup *setup)
{
    clerk_keystore_stats stats;

    if (setup->static_keys) {
        return NULL;
    }
    if (!setup->store) {
        return setup->offline ? "no call is made with --offline" : NULL;
    }
    clerk_keystore_get_stats(&stats, setup->store, 0);
    return stats.last_error[0] ? apr_pstrdup(setup->pool, stats.last_error) : NULL;
}

/* The token of an Authorization field: its second word, or the first if it is alone; of Basic the password. */
static const char *header_token(const clerk_explain_result *result)
{
    apr_pool_t *pool = result->setup->pool;
    const char *authorization = result->request->authorization;
    const char *space = authorization ? strchr(authorization, ' ') : NULL;

    if (authorization && !strncasecmp(authorization, "Basic ", 6)) {
        return clerk_machine_token_password(authorization, pool);
    }
    return space ? apr_pstrmemdup(pool, space + 1, strcspn(space + 1, " ")) : authorization;
}

/* The decoded token that the decision is about. */
static json_t *token_of(const clerk_explain_result *result)
{
    const clerk_cookies *cookies = result->cookies;
    apr_pool_t *pool = result->setup->pool;
    const char *token = NULL;

    if (result->outcome->carrier == CLERK_CARRIER_HEADER) {
        token = header_token(result);
    } else if (cookies->session) {
        token = clerk_session_token_text(cookies->session, pool);
    }
    return clerk_token_text_of(token, result->setup->out);
}

static json_t *document_of(const clerk_explain_result *result)
{
    const clerk_outcome *outcome = result->outcome;
    static const char *const carriers[]
        = {[CLERK_CARRIER_NONE] = "none", [CLERK_CARRIER_HEADER] = "header", [CLERK_CARRIER_COOKIE] = "cookie"};
    json_t *document = json_object();

    (void)json_object_set_new(document, "status", json_string(clerk_explain_text_status(outcome->status)));
    (void)json_object_set_new(document, "reason", text_of(*outcome->reason_text ? outcome->reason_text : NULL));
    (void)json_object_set_new(document, "answer", json_integer(result->answer));
    (void)json_object_set_new(
        document, "location",
        text_of(result->location ? clerk_output_url(result->setup->out, result->location) : NULL));
    (void)json_object_set_new(document, "set_cookies", set_cookies_of(result));
    (void)json_object_set_new(document, "token_from", json_string(carriers[outcome->carrier]));
    (void)json_object_set_new(document, "loop", json_boolean(outcome->loop));
    (void)json_object_set_new(document, "identity", identity_of(outcome->identity));
    (void)json_object_set_new(document, "time", json_integer(apr_time_sec(result->setup->now)));
    (void)json_object_set_new(document, "key_error", text_of(key_error(result->setup)));
    (void)json_object_set_new(document, "refused_key", text_of(outcome->refused_key));
    (void)json_object_set_new(document, "instance", instance_of(result->setup));
    (void)json_object_set_new(document, "request", facts_of(result));
    (void)json_object_set_new(document, "token", token_of(result));
    (void)json_object_set_new(document, "calls", calls_of(result->setup));
    (void)json_object_set_new(document, "steps", result->steps ? result->steps : json_array());
    return document;
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void print_steps(clerk_output *out, const json_t *steps)
{
    size_t i;
    const json_t *step;

    clerk_output_print(out, "\nHow it is decided (docs/protocol.md, docs/differences.md):\n");
    json_array_foreach(steps, i, step)
    {
        const char *place = member(step, "place");

        clerk_output_print(out, "  %-3s  %-22s  %s\n", json_is_true(json_object_get(step, "holds")) ? "yes" : "no",
                           !strncmp(place, "protocol.md ", 12) ? place + 12 : place, member(step, "condition"));
    }
}

static void print_answer(clerk_output *out, const json_t *document)
{
    const json_t *identity = json_object_get(document, "identity");
    const char *reason = member(document, "reason"), *location = member(document, "location");
    size_t i;
    const json_t *cookie;

    clerk_output_print(out, "%s%s%s\n", member(document, "status"), *reason ? ": " : "", reason);
    if (json_is_object(identity)) {
        const char *organization = member(identity, "organization");

        clerk_output_print(out, "  as %s%s%s\n", clerk_output_word(out, member(identity, "subject")),
                           *organization ? ", organization " : "",
                           *organization ? clerk_output_word(out, organization) : "");
    }
    clerk_output_print(out, "  answer %d%s%s\n", (int)json_integer_value(json_object_get(document, "answer")),
                       *location ? " to " : "", location);
    json_array_foreach(json_object_get(document, "set_cookies"), i, cookie)
    {
        clerk_output_print(out, "  sets %s\n", json_string_value(cookie) ? json_string_value(cookie) : "a cookie");
    }
    if (json_is_true(json_object_get(document, "loop"))) {
        clerk_output_print(out, "  the page is in a loop: docs/browser-flow.md, \"Loops\"\n");
    }
    if (*member(document, "key_error")) {
        clerk_output_print(out, "  keys: %s\n", member(document, "key_error"));
    }
    if (*member(document, "refused_key")) {
        clerk_output_print(out, "  %s is missing, or Clerk refuses it\n", member(document, "refused_key"));
    }
    if (*reason) {
        clerk_output_print(out, "  what to do: docs/troubleshooting.md, \"%s\"\n",
                           !strncmp(reason, "session-token-expired", 21) ? "session-token-expired" : reason);
    }
}

static void print_facts(clerk_output *out, const json_t *document)
{
    const json_t *facts = json_object_get(document, "request"), *instance = json_object_get(document, "instance");
    size_t i;
    const json_t *call;

    clerk_output_print(out, "\nThe request: %s %s%s\n", member(facts, "method"), member(facts, "url"),
                       json_is_true(json_object_get(facts, "origin_assumed"))
                           ? " (the origin is assumed; --public-origin says it)"
                           : "");
    clerk_output_print(
        out, "  %s, %s\n",
        json_is_true(json_object_get(facts, "page_navigation")) ? "a page navigation" : "not a page navigation",
        json_is_true(json_object_get(facts, "same_origin")) ? "from this site's own pages"
                                                            : "not known to come from this site's pages");
    clerk_output_print(out, "  cookies: %ssession, %srefresh, __client_uat %" APR_INT64_T_FMT "\n",
                       json_is_true(json_object_get(facts, "session_cookie")) ? "" : "no ",
                       json_is_true(json_object_get(facts, "refresh_cookie")) ? "" : "no ",
                       (apr_int64_t)json_integer_value(json_object_get(facts, "client_uat")));
    clerk_output_print(out, "The instance: %s%s%s, keys %s, %s a secret key\n", member(instance, "type"),
                       *member(instance, "frontend_api") ? ", " : "", member(instance, "frontend_api"),
                       member(instance, "keys"),
                       json_is_true(json_object_get(instance, "secret_key")) ? "with" : "without");
    json_array_foreach(json_object_get(document, "calls"), i, call)
    {
        int made = json_is_true(json_object_get(call, "made")),
            status = (int)json_integer_value(json_object_get(call, "status"));

        clerk_output_print(out, "Backend API: %s %s: %s%s\n", member(call, "method"), member(call, "path"),
                           made ? "answer " : "not asked (--offline)", made ? apr_itoa(out->pool, status) : "");
    }
}

void clerk_explain_text_print(clerk_explain_result *result)
{
    clerk_output *out = result->setup->out;
    json_t *own = document_of(result), *document = clerk_gate_pass_document(out->gate, own);

    json_decref(own);
    if (out->as_json) {
        clerk_output_document(out, document);
    } else {
        print_answer(out, document);
        print_facts(out, document);
        clerk_token_text_print(out, json_object_get(document, "token"), result->setup->now);
        print_steps(out, json_object_get(document, "steps"));
    }
    json_decref(document);
}
