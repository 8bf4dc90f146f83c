/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/headers.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include "clerk/cookies/cookie_header.h"
#include "httpd/application/variables.h"
#include "httpd/config/config.h"
#include "httpd/request/judge.h"
#include "httpd/request/request_state.h"

#define PREFIX "X-Clerk-"

/** `CLERK_ORG_ID` as `X-Clerk-Org-Id`. */
static const char *header_name(const char *fact, apr_pool_t *pool)
{
    char *name = apr_pstrcat(pool, PREFIX, fact + sizeof(CLERK_VARIABLE_PREFIX) - 1, NULL), *at;
    int first = 1;

    for (at = name + sizeof(PREFIX) - 1; *at; at++) {
        if (*at == '_') {
            *at = '-';
            first = 1;
        } else {
            *at = (char)(first ? apr_toupper(*at) : apr_tolower(*at));
            first = 0;
        }
    }
    return name;
}

static void pass_fact(void *headers, const char *fact, const char *value)
{
    apr_table_setn(headers, header_name(fact, apr_table_elts(headers)->pool), value);
}

/** An earlier hop shares its headers with this one, or has passed them on; what it put there was meant for another
 * handler. */
static void remove_passed(request_rec *r)
{
    const apr_array_header_t *headers = apr_table_elts(r->headers_in);
    apr_array_header_t *doomed = apr_array_make(r->pool, 20, sizeof(const char *));

    for (int i = 0; i < headers->nelts; i++) {
        const char *name = APR_ARRAY_IDX(headers, i, apr_table_entry_t).key;

        if (name && !strncasecmp(name, PREFIX, sizeof(PREFIX) - 1)) {
            APR_ARRAY_PUSH(doomed, const char *) = name;
        }
    }
    for (int i = 0; i < doomed->nelts; i++) {
        apr_table_unset(r->headers_in, APR_ARRAY_IDX(doomed, i, const char *));
    }
}

static void strip_credentials(request_rec *r)
{
    clerk_request_state *state = clerk_request_state_get(r);
    const char *cookie = apr_table_get(r->headers_in, "Cookie");
    const char *authorization = apr_table_get(r->headers_in, "Authorization");
    const char *left = cookie ? clerk_cookie_header_strip(cookie, r->pool) : NULL;
    /* Somebody else's scheme, or a header that does not count here, is the application's own affair. Where nobody has
     * been judged (an IP address was enough), what would be taken for a token goes. */
    int ours = authorization
               && (state->outcome ? state->outcome->carrier == CLERK_CARRIER_HEADER
                                  : (clerk_config_dir(r)->policy.token_sources & CLERK_SOURCE_HEADER)
                                        && (!strncmp(authorization, "Bearer ", 7) || !strchr(authorization, ' ')));

    if (left == cookie && !ours) {
        return;
    }
    /* Later hops are judged by what the client sent. */
    state->stripped = 1;
    state->sent_cookie = cookie;
    state->sent_authorization = authorization;
    if (!left) {
        apr_table_unset(r->headers_in, "Cookie");
    } else {
        apr_table_setn(r->headers_in, "Cookie", left);
    }
    if (ours) {
        apr_table_unset(r->headers_in, "Authorization");
    }
}

int clerk_headers_fixups(request_rec *r)
{
    const clerk_dir_config *dir = clerk_config_dir(r);

    if (r->main || r->prev) {
        remove_passed(r);
    }
    if (!clerk_request_state_is_auth_type(r)) {
        return DECLINED;
    }
    if (dir->pass_headers == 1) {
        clerk_variables_each(r, clerk_judge_established_identity(r), pass_fact, r->headers_in);
    }
    if (dir->strip_credentials == 1) {
        strip_credentials(r);
    }
    return DECLINED;
}
