/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/cookies/cookies.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "clerk/cookies/cookie_header.h"
#include "clerk/url/query.h"
#include "text/text.h"

/* The cookies that are read, in the order of `wanted_names`: U_ without suffix, S_ with suffix. */
enum {
    U_SESSION,
    U_UAT,
    U_DEV_BROWSER,
    HANDSHAKE,
    HANDSHAKE_NONCE,
    REDIRECT_COUNT,
    S_SESSION,
    S_UAT,
    S_DEV_BROWSER,
    S_REFRESH,
    WANTED
};

#define SUFFIXED S_SESSION

#define NAME(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

static const jose_slice wanted_names[WANTED]
    = {NAME(CLERK_COOKIE_SESSION),   NAME(CLERK_COOKIE_CLIENT_UAT),      NAME(CLERK_COOKIE_DEV_BROWSER),
       NAME(CLERK_COOKIE_HANDSHAKE), NAME(CLERK_COOKIE_HANDSHAKE_NONCE), NAME(CLERK_COOKIE_REDIRECT_COUNT),
       NAME(CLERK_COOKIE_SESSION),   NAME(CLERK_COOKIE_CLIENT_UAT),      NAME(CLERK_COOKIE_DEV_BROWSER),
       NAME(CLERK_COOKIE_REFRESH)};

/* The index in `wanted_names`, from @a first and before @a end, of a cookie's name; @a end if it is not there. */
static int find_name(int first, int end, const char *name, apr_size_t len)
{
    while (first < end && (wanted_names[first].len != len || memcmp(wanted_names[first].data, name, len))) {
        first++;
    }
    return first;
}

/* Which wanted cookie this is; WANTED: none. */
static int which_wanted(const clerk_raw_cookie *cookie, const char *suffix, apr_size_t suffix_len)
{
    const char *name = cookie->name.data;
    apr_size_t len = cookie->name.len;
    int found;

    if (suffix_len > 0 && len > suffix_len + 1 && name[len - suffix_len - 1] == '_'
        && !memcmp(name + len - suffix_len, suffix, suffix_len)) {
        return find_name(SUFFIXED, WANTED, name, len - suffix_len - 1);
    }
    found = find_name(0, SUFFIXED, name, len);
    return found < SUFFIXED ? found : WANTED;
}

static int begins_with(const clerk_raw_cookie *cookie, const char *prefix, apr_size_t len)
{
    return cookie->name.len >= len && !memcmp(cookie->name.data, prefix, len);
}

/* Take note of a cookie that is not wanted for itself: one of another suffix, or of another page. */
static void note_other(clerk_cookies *cookies, const clerk_raw_cookie *cookie)
{
    static const char rounds[] = CLERK_COOKIE_REDIRECT_COUNT "_", clerks[] = "__clerk_";
    static const int with_suffix[] = {U_SESSION, U_UAT, S_REFRESH};

    cookies->has_rounds |= begins_with(cookie, rounds, sizeof(rounds) - 1);
    cookies->has_any |= begins_with(cookie, clerks, sizeof(clerks) - 1);
    for (apr_size_t i = 0; i < sizeof(with_suffix) / sizeof(with_suffix[0]); i++) {
        const jose_slice *base = &wanted_names[with_suffix[i]];

        cookies->has_any |= begins_with(cookie, base->data, base->len)
                            && (cookie->name.len == base->len || cookie->name.data[base->len] == '_');
    }
}

/* Find all wanted cookies in one pass. Of several with the same name the first is used, even if it is empty. */
static void find_wanted(clerk_cookies *cookies, jose_slice values[WANTED], const char *header, const char *suffix)
{
    apr_size_t suffix_len = strlen(suffix);
    clerk_raw_cookie cookie;

    memset(values, 0, WANTED * sizeof(*values));
    while (clerk_cookie_header_next(&cookie, &header)) {
        if (cookie.name.len < 2 || cookie.name.data[0] != '_' || cookie.name.data[1] != '_') {
            continue;
        }
        int i = which_wanted(&cookie, suffix, suffix_len);

        if (i == WANTED) {
            note_other(cookies, &cookie);
            continue;
        }
        cookies->has_any = 1;
        if (!values[i].data) {
            values[i] = cookie.value;
        }
    }
}

static const char *value_of(const jose_slice *value, apr_pool_t *pool)
{
    return value->len > 0 ? clerk_cookie_header_value(*value, pool) : NULL;
}

/* Whether an `iss` without all its `http://` and `https://` is the frontend API of this instance. */
static int belongs_to_instance(const char *text, const clerk_instance *instance, apr_pool_t *pool)
{
    char *host;
    char *out;

    if (!text || !instance->frontend_host) {
        return 0;
    }
    if (!strncmp(text, "https://", 8) && !strcmp(text + 8, instance->frontend_host)) {
        return 1;
    }
    out = host = apr_palloc(pool, strlen(text) + 1);
    while (*text != '\0') {
        if (!strncasecmp(text, "https://", 8)) {
            text += 8;
        } else if (!strncasecmp(text, "http://", 7)) {
            text += 7;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
    return !strcmp(host, instance->frontend_host)
           || (instance->overridden_host && !strcmp(host, instance->overridden_host));
}

/* What protocol.md 2.5 decides by: s_ with suffix, u_ without. */
typedef struct candidates {
    const char *s_uat;
    const char *u_uat;
    const clerk_session_token *s_token;
    const clerk_session_token *u_token;
} candidates;

static int is_zero(const char *uat)
{
    return uat && !strcmp(uat, "0");
}

/* The `iat` of a token, which is not verified; 0 if it has none. */
static double issued_at(const clerk_session_token *token)
{
    return token && token->claims ? token->claims->issued_at.seconds : 0;
}

static int has_expired(const clerk_session_token *token, apr_time_t now)
{
    const apr_int64_t seconds = apr_time_sec(now);

    return token && token->claims && token->claims->expires.is_number
           && token->claims->expires.seconds <= (double)seconds;
}

/*
 * The algorithm of protocol.md 2.5, in its order. It compares texts, not numbers: "0" differs from "00" and from an
 * absent cookie.
 */
static int uses_suffixed(const candidates *c, const clerk_instance *instance, apr_time_t now, apr_pool_t *pool)
{
    if (c->u_token) {
        if (!c->u_token->claims || c->u_token->claims->issuer_is_falsy) {
            return 0;
        }
        if (!belongs_to_instance(c->u_token->claims->issuer, instance, pool)) {
            return 1;
        }
    }
    if (!c->s_uat && !c->s_token) {
        return 0;
    }
    if (!is_zero(c->s_uat) && !is_zero(c->u_uat) && issued_at(c->u_token) > issued_at(c->s_token)) {
        return 0;
    }
    if (is_zero(c->s_uat) && !is_zero(c->u_uat)) {
        return 0;
    }
    if (instance->type != CLERK_INSTANCE_PRODUCTION && !is_zero(c->s_uat) && is_zero(c->u_uat)
        && has_expired(c->s_token, now)) {
        return 0;
    }
    return c->s_uat || !c->s_token;
}

/* Like JavaScript's parseInt(): white space, a sign, digits. Digits that would overflow are ignored. */
static apr_int64_t parse_uat(const char *text)
{
    apr_int64_t number = 0;
    int negative = 0;

    if (!text) {
        return 0;
    }
    text += strspn(text, " \t\n\v\f\r");
    if (*text == '-' || *text == '+') {
        negative = *text == '-';
        text++;
    }
    for (; clerk_text_is_digit(*text); text++) {
        if (number < APR_INT64_MAX / 100) {
            number = number * 10 + (*text - '0');
        }
    }
    return negative ? -number : number;
}

static int parse_redirect_count(const char *text)
{
    if (!text) {
        return 0;
    }
    return text[0] >= '0' && text[0] <= '2' && text[1] == '\0' ? text[0] - '0' : CLERK_LOOP_LIMIT;
}

/* The value of a session cookie. No copy is made unless it is percent-encoded, which no JWT is. */
static jose_slice session_text(jose_slice value, apr_pool_t *pool)
{
    jose_slice text = value;

    if (memchr(value.data, '%', value.len)) {
        text.data = clerk_cookie_header_value(value, pool);
        text.len = strlen(text.data);
    }
    return text;
}

/* Read the two session cookies. Clerk's scripts write the same token to both; then it is decoded once. */
static void read_tokens(candidates *c, const jose_slice values[WANTED], const clerk_services *services,
                        apr_pool_t *pool)
{
    const jose_slice *plain = &values[U_SESSION], *suffixed = &values[S_SESSION];

    if (plain->len > 0) {
        c->u_token = clerk_session_token_read(session_text(*plain, pool), services, pool);
    }
    if (suffixed->len > 0) {
        c->s_token = suffixed->len == plain->len && !memcmp(suffixed->data, plain->data, plain->len)
                         ? c->u_token
                         : clerk_session_token_read(session_text(*suffixed, pool), services, pool);
    }
}

static void read_header(clerk_cookies *cookies, const char *header, const clerk_instance *instance,
                        const clerk_services *services, apr_pool_t *pool)
{
    jose_slice values[WANTED];
    candidates c = {0};

    memset(cookies, 0, sizeof(*cookies));
    find_wanted(cookies, values, header, instance->cookie_suffix);
    c.u_uat = value_of(&values[U_UAT], pool);
    c.s_uat = value_of(&values[S_UAT], pool);
    read_tokens(&c, values, services, pool);
    cookies->suffixed = instance->cookie_suffix[0] != '\0' && uses_suffixed(&c, instance, services->now, pool);
    cookies->session = cookies->suffixed ? c.s_token : c.u_token;
    cookies->client_uat = parse_uat(cookies->suffixed ? c.s_uat : c.u_uat);
    cookies->dev_browser = value_of(&values[cookies->suffixed ? S_DEV_BROWSER : U_DEV_BROWSER], pool);
    cookies->refresh = value_of(&values[S_REFRESH], pool);
    cookies->handshake = value_of(&values[HANDSHAKE], pool);
    cookies->handshake_nonce = value_of(&values[HANDSHAKE_NONCE], pool);
    cookies->redirect_count = parse_redirect_count(value_of(&values[REDIRECT_COUNT], pool));
}

/*
 * Whether the cookies are those of a signed-in browser whose token is in the cache. Then its values have come whole,
 * and the header need not be searched for a second field.
 */
static int are_complete(const clerk_cookies *cookies)
{
    return cookies->session && cookies->session->cached && cookies->client_uat != 0;
}

const clerk_cookies *clerk_cookies_read(const char *header, const clerk_instance *instance,
                                        const clerk_services *services, apr_pool_t *pool)
{
    clerk_cookies *cookies = apr_palloc(pool, sizeof(*cookies));
    const char *joined;

    if (!header) {
        memset(cookies, 0, sizeof(*cookies));
        return cookies;
    }
    read_header(cookies, header, instance, services, pool);
    if (!are_complete(cookies)) {
        joined = clerk_cookie_header_join(header, pool);
        if (joined != header) {
            read_header(cookies, joined, instance, services, pool);
        }
    }
    return cookies;
}
