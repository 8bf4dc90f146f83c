/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/rounds.h"

#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "clerk/cookies/cookie_header.h"
#include "clerk/protocol.h"
#include "text/text.h"

#define MARKER CLERK_PARAMETER_HELP "=round"
#define STRIPPED "s"
#define ATTRIBUTES "; SameSite=Lax; HttpOnly; Max-Age="
/* Seconds. One round must not take longer, else it is not counted. */
#define LIFETIME "10"
/* If something between browser and server removes the parameter, this many handshakes of a page are a loop. Far more
 * than tabs and frames of one URL that begin at the same time. Browsers themselves give up after 20 redirects. */
#define UNMARKED_MAX 50

/* What is known about the page of this request. */
struct clerk_rounds {
    const char *cookie; /* the name of the page's cookie */
    int has_cookie;
    int begun; /* handshakes that began without the parameter */
    int made;
    int marked; /* the round in the URL, if it counts */
};

/* The round in a segment of a query between two '&'; 0: none. */
static int round_of(const char *segment, apr_size_t len)
{
    const apr_size_t marker = sizeof(MARKER) - 1;

    return len == marker + 1 && !memcmp(segment, MARKER, marker) && segment[marker] >= '2'
                   && segment[marker] <= '0' + CLERK_LOOP_LIMIT
               ? segment[marker] - '0'
               : 0;
}

/* The highest round in a query. */
static int round_in(const char *query)
{
    int highest = 0;

    while (query && *query) {
        const apr_size_t len = strcspn(query, "&");
        const int round = round_of(query, len);

        highest = round > highest ? round : highest;
        query += len + (query[len] == '&');
    }
    return highest;
}

static int is_own(const char *segment, apr_size_t len)
{
    return round_of(segment, len)
           || (len == sizeof(CLERK_COOKIE_PROBE) - 1 && !memcmp(segment, CLERK_COOKIE_PROBE, len));
}

const char *clerk_rounds_clean_query(const char *query, apr_pool_t *pool)
{
    const char *rest = query;
    const char *kept = NULL;
    int removed = 0;

    while (rest && *rest) {
        const apr_size_t len = strcspn(rest, "&");

        if (is_own(rest, len)) {
            removed = 1;
        } else {
            kept = apr_pstrcat(pool, kept ? kept : "", kept ? "&" : "", apr_pstrmemdup(pool, rest, len), NULL);
        }
        rest += len + (rest[len] == '&');
    }
    return removed ? kept : query;
}

static int is_clerks(const clerk_parameter *parameter)
{
    return clerk_text_begins_with(parameter->name, "__clerk_") || !strcmp(parameter->name, "__dev_session");
}

/* The name of the cookie of the page. Two pages with the same hash would only share their rounds. */
static const char *cookie_name(clerk_context *context)
{
    const clerk_url *url = clerk_context_url(context);
    apr_array_header_t *query = apr_array_make(context->pool, 8, sizeof(clerk_parameter));
    apr_ssize_t len = APR_HASH_KEY_STRING;
    const char *page, *text;

    for (int i = 0; i < context->query->nelts; i++) {
        const clerk_parameter *parameter = &APR_ARRAY_IDX(context->query, i, clerk_parameter);

        if (!is_clerks(parameter)) {
            APR_ARRAY_PUSH(query, clerk_parameter) = *parameter;
        }
    }
    text = clerk_query_text(query, context->pool);
    page = apr_pstrcat(context->pool, url->origin, url->path, text ? "?" : "", text ? text : "", NULL);
    return apr_psprintf(context->pool, CLERK_COOKIE_REDIRECT_COUNT "_%08x", apr_hashfunc_default(page, &len));
}

/* The number in the cookie of a page: 1 to UNMARKED_MAX, without leading zeros; else 0. */
static int number_of(const char *value)
{
    const apr_size_t len = strspn(value, "0123456789");
    const int number = len > 0 && len <= 2 && value[0] != '0' && !value[len] ? atoi(value) : 0;

    return number <= UNMARKED_MAX ? number : 0;
}

/* @return NULL if the URL of the request is not valid: then there are no handshakes */
static const struct clerk_rounds *rounds_of(clerk_context *context)
{
    struct clerk_rounds *rounds = context->rounds;
    const char *value;

    if (rounds || !clerk_context_url(context)) {
        return rounds;
    }
    context->rounds = rounds = apr_pcalloc(context->pool, sizeof(*rounds));
    rounds->cookie = cookie_name(context);
    value = context->cookies->has_rounds ? clerk_cookie_header_find(
                clerk_cookie_header_join(context->request->cookie, context->pool), rounds->cookie, context->pool)
                                         : NULL;
    if (value) {
        rounds->has_cookie = 1;
        rounds->begun = number_of(value);
        rounds->marked = round_in(context->url->query);
        if (!strcmp(value, STRIPPED)) {
            rounds->made = rounds->marked ? rounds->marked : 2;
        } else if (rounds->begun == 0 || (rounds->begun == UNMARKED_MAX && !rounds->marked)) {
            rounds->made = CLERK_LOOP_LIMIT;
        } else {
            rounds->made = rounds->marked ? rounds->marked : 1;
        }
    }
    if (context->cookies->redirect_count >= CLERK_LOOP_LIMIT) {
        rounds->made = CLERK_LOOP_LIMIT;
    }
    return rounds;
}

int clerk_rounds_made(clerk_context *context)
{
    const struct clerk_rounds *rounds = rounds_of(context);

    return rounds ? rounds->made : 0;
}

int clerk_rounds_marked(clerk_context *context)
{
    const struct clerk_rounds *rounds = rounds_of(context);

    return rounds ? rounds->marked : 0;
}

static void set_cookie(clerk_context *context, const char *value, const char *lifetime)
{
    APR_ARRAY_PUSH(context->outcome->set_cookies, const char *)
        = apr_pstrcat(context->pool, rounds_of(context)->cookie, "=", value, ATTRIBUTES, lifetime, NULL);
}

void clerk_rounds_begin(clerk_context *context)
{
    const struct clerk_rounds *rounds = rounds_of(context);
    int begun = rounds->begun + (rounds->marked == 0 || rounds->begun == 0);

    set_cookie(context, apr_itoa(context->pool, begun), LIFETIME);
}

const char *clerk_rounds_edited_url(clerk_context *context, const char *const *names, int round)
{
    clerk_url url = *clerk_context_url(context);
    apr_array_header_t *query = clerk_query_parse(clerk_rounds_clean_query(url.query, context->pool), context->pool);

    for (; *names; names++) {
        clerk_query_delete(query, *names);
    }
    if (round > 1) {
        clerk_query_append(query, CLERK_PARAMETER_HELP, apr_psprintf(context->pool, "round%d", round));
    }
    url.query = clerk_query_text(query, context->pool);
    return clerk_url_text(&url, context->pool);
}

const char *clerk_rounds_return_url(clerk_context *context)
{
    clerk_url url = *clerk_context_url(context);
    const int next = clerk_rounds_made(context) + 1;

    url.query = clerk_rounds_clean_query(url.query, context->pool);
    if (next > 1) {
        url.query = apr_psprintf(context->pool, "%s%s" MARKER "%d", url.query ? url.query : "",
                                 url.query && *url.query ? "&" : "", next);
    }
    return clerk_url_text(&url, context->pool);
}

/* Whether the page is to be redirected to its URL without the parameter. A browser that does not keep the cookies of a
 * handshake is granted only on its return, so that the redirect makes one more round: not from the last round. */
static int is_strippable(clerk_context *context)
{
    const int round = clerk_context_may_handshake(context) ? round_in(context->url->query) : 0;

    return round == 2 || (round > 0 && context->outcome->set_cookies->nelts == 0);
}

void clerk_rounds_end(clerk_context *context)
{
    static const char *const none[] = {NULL};

    if ((!context->cookies->has_rounds && !strstr(context->request->target, MARKER)) || context->outcome->location
        || context->outcome->loop || !rounds_of(context)) {
        return;
    }
    if (is_strippable(context)) {
        context->outcome->location = clerk_rounds_edited_url(context, none, 0);
        set_cookie(context, STRIPPED, LIFETIME);
    } else if (context->rounds->has_cookie) {
        set_cookie(context, "", "0");
    }
}
