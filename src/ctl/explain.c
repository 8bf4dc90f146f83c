/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/explain.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "clerk/authenticate.h"
#include "clerk/browser/sign_in.h"
#include "clerk/cookies/cookie_header.h"
#include "clerk/cookies/cookies.h"
#include "clerk/machine/machine_token.h"
#include "clerk/url/forwarded.h"
#include "clerk/url/origin.h"
#include "ctl/explain_text.h"
#include "text/text.h"

/* A step that was told. */
typedef struct told {
    clerk_step step;
    int holds;
} told;

static void tell(void *baton, clerk_step step, int holds)
{
    told *one = apr_array_push(baton);

    one->step = step;
    one->holds = holds;
}

void clerk_explain_hide(clerk_output *out, const clerk_http_text *request)
{
    const char *authorization = clerk_http_text_field(request, "Authorization");
    const char *cookies = clerk_cookie_header_join(clerk_http_text_field(request, "Cookie"), out->pool);
    const apr_array_header_t *fields = apr_table_elts(request->headers);
    clerk_raw_cookie cookie;

    if (authorization) {
        const char *space = strchr(authorization, ' ');

        clerk_output_token(out, authorization);
        if (space) {
            clerk_output_token(out, space + 1);
        }
        clerk_output_token(out, clerk_machine_token_password(authorization, out->pool));
    }
    while (cookies && clerk_cookie_header_next(&cookie, &cookies)) {
        const char *raw = apr_pstrmemdup(out->pool, cookie.value.data, cookie.value.len);

        if (clerk_gate_is_token(cookie.name.data, cookie.name.len)) {
            clerk_output_token(out, raw);
            clerk_output_token(out, clerk_cookie_header_value(cookie.value, out->pool));
        }
    }
    clerk_gate_search(out->gate, request->target);
    for (int i = 0; i < fields->nelts; i++) {
        clerk_gate_search(out->gate, APR_ARRAY_IDX(fields, i, apr_table_entry_t).val);
    }
}

/* The first value of a list, in lower case, without white space; as httpd/request/wire.c reads it. */
static const char *first_value(const clerk_http_text *request, const char *name, apr_pool_t *pool)
{
    const char *value = clerk_http_text_field(request, name);
    char *word;

    if (!value) {
        return NULL;
    }
    word = apr_pstrmemdup(pool, value, strcspn(value, ","));
    apr_collapse_spaces(word, word);
    for (char *c = word; *c; c++) {
        *c = clerk_text_to_lower(*c);
    }
    return *word ? word : NULL;
}

static const char *forwarded_origin(const clerk_http_text *request, apr_pool_t *pool)
{
    clerk_forwarded said
        = {first_value(request, "X-Forwarded-Proto", pool), first_value(request, "X-Forwarded-Host", pool),
           first_value(request, "X-Forwarded-Port", pool)};
    const char *field = clerk_http_text_field(request, "Forwarded");

    if (field && !said.proto && !said.host && !said.port) {
        said = clerk_forwarded_read(field, pool);
    }
    return clerk_forwarded_origin(&said, "https", clerk_http_text_field(request, "Host"), pool);
}

/*
 * The origin as browsers see it: --public-origin; with --trust-forwarded what the proxy says; else https and the Host
 * field, since only httpd knows its own scheme and name.
 * @return NULL if the Host field is no host
 */
static const char *origin_of(const clerk_setup *setup, const clerk_http_text *request)
{
    const char *host = clerk_http_text_field(request, "Host"), *forwarded;
    const clerk_url *url;

    if (setup->dir.public_origin) {
        return setup->dir.public_origin;
    }
    forwarded = setup->dir.trust_forwarded == 1 ? forwarded_origin(request, setup->pool) : NULL;
    if (forwarded) {
        return forwarded;
    }
    url = clerk_origin_of("https", host ? host : "localhost", setup->pool);
    return url ? url->origin : NULL;
}

static void fill_request(clerk_request *to, const clerk_setup *setup, const clerk_http_text *from)
{
    memset(to, 0, sizeof(*to));
    to->method = from->method;
    to->target = from->target;
    to->authorization = clerk_http_text_field(from, "Authorization");
    to->cookie = clerk_http_text_field(from, "Cookie");
    to->sec_fetch_dest = clerk_http_text_field(from, "Sec-Fetch-Dest");
    to->origin_url = origin_of(setup, from);
    to->accept = clerk_http_text_field(from, "Accept");
    to->sec_fetch_mode = clerk_http_text_field(from, "Sec-Fetch-Mode");
    to->x_requested_with = clerk_http_text_field(from, "X-Requested-With");
    to->hx_request = clerk_http_text_field(from, "HX-Request");
    to->referer = clerk_http_text_field(from, "Referer");
    to->origin = clerk_http_text_field(from, "Origin");
    to->sec_fetch_site = clerk_http_text_field(from, "Sec-Fetch-Site");
    to->user_agent = clerk_http_text_field(from, "User-Agent");
    to->accept_language = clerk_http_text_field(from, "Accept-Language");
}

/* The HTTP answer of a place with `Require valid-user`, and the page it leads to. */
static int answer_of(const char **plocation, const clerk_setup *setup, const clerk_request *request,
                     const clerk_outcome *outcome)
{
    int wanted = (int)CLERK_SETTINGS_VALUE(&setup->dir, unauthenticated);

    *plocation = outcome->location;
    if (outcome->location) {
        return 307;
    }
    switch (outcome->status) {
    case CLERK_SIGNED_IN:
        return 200;
    case CLERK_UNAVAILABLE:
        return 503;
    case CLERK_BAD_REQUEST:
        return 400;
    default:
        break;
    }
    if (wanted != CLERK_UNAUTHENTICATED_CHALLENGE
        && clerk_sign_in_is_due(request, &setup->dir.policy, outcome, wanted == CLERK_UNAUTHENTICATED_SIGN_IN)) {
        *plocation = clerk_sign_in_location(request, setup->instance, &setup->dir.policy, outcome, setup->pool);
    }
    return *plocation ? 307 : 401;
}

clerk_output_code clerk_explain_run(clerk_setup *setup, const clerk_http_text *text)
{
    clerk_explain_result result = {.setup = setup, .text = text};
    clerk_step_listener listener = {tell, NULL};
    apr_array_header_t *steps = apr_array_make(setup->pool, 64, sizeof(told));
    clerk_services services;
    clerk_request request;

    listener.baton = steps;
    clerk_explain_hide(setup->out, text);
    fill_request(&request, setup, text);
    if (!request.origin_url) {
        return clerk_output_fail(setup->out, CLERK_OUTPUT_USAGE, "the Host field names no host; --public-origin does");
    }
    clerk_setup_services(&services, setup);
    result.cookies = clerk_cookies_read(request.cookie, setup->instance, &services, setup->pool);
    services.steps = &listener;
    result.outcome = clerk_authenticate(&request, setup->instance, &setup->dir.policy, &services, setup->pool);
    result.request = &request;
    result.answer = answer_of(&result.location, setup, &request, result.outcome);
    for (int i = 0; i < steps->nelts; i++) {
        const told *one = &APR_ARRAY_IDX(steps, i, told);

        clerk_explain_text_step(&result, one->step, one->holds);
    }
    clerk_explain_text_print(&result);
    return result.outcome->status == CLERK_SIGNED_IN     ? CLERK_OUTPUT_GOOD
           : result.outcome->status == CLERK_UNAVAILABLE ? CLERK_OUTPUT_UNAVAILABLE
                                                         : CLERK_OUTPUT_BAD;
}
