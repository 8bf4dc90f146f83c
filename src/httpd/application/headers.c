/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/application/headers.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include "clerk/cookies/cookie_header.h"
#include "httpd/application/connection_options.h"
#include "httpd/application/variables.h"
#include "httpd/config/config.h"
#include "httpd/config/htaccess.h"
#include "httpd/request/judge.h"
#include "httpd/request/request_state.h"
#include "httpd/request/table.h"

#define PREFIX "X-Clerk-"

/* `CLERK_ORG_ID` as `X-Clerk-Org-Id`. */
static const char *header_name(const char *variable, apr_pool_t *pool)
{
    char *name = apr_pstrcat(pool, PREFIX, variable + sizeof(CLERK_VARIABLE_PREFIX) - 1, NULL), *at;
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

static void pass_variable(void *headers, const char *name, const char *value)
{
    apr_table_setn(headers, header_name(name, apr_table_elts(headers)->pool), value);
}

static int has_prefix(const char *name)
{
    return !strncasecmp(name, PREFIX, sizeof(PREFIX) - 1);
}

static int takes_header(const clerk_policy *policy)
{
    return (policy->token_sources & CLERK_SOURCE_HEADER) || (policy->accept_tokens & ~CLERK_ACCEPT_SESSION);
}

static void strip_credentials(request_rec *r)
{
    clerk_request_state *state = clerk_request_state_get(r);
    const char *cookie = apr_table_get(r->headers_in, "Cookie");
    const char *authorization = apr_table_get(r->headers_in, "Authorization");
    const char *left = cookie ? clerk_cookie_header_strip(cookie, r->pool) : NULL;
    /* Keep Authorization headers of other schemes: the application may use them. If the request was not authenticated
     * (`Satisfy Any` or a `Require ip` was enough), remove the header if authentication would have taken it. */
    int is_token
        = authorization
          && (state->outcome ? state->outcome->carrier == CLERK_CARRIER_HEADER
                             : takes_header(&clerk_config_dir(r)->policy)
                                   && (!strncasecmp(authorization, "Bearer ", 7) || !strchr(authorization, ' ')));

    if (left == cookie && !is_token) {
        return;
    }
    /* Subrequests and internal redirects are authenticated by the headers as received. */
    if (!state->stripped) {
        state->stripped = 1;
        state->sent_cookie = cookie;
        state->sent_authorization = authorization;
    }
    if (!left) {
        apr_table_unset(r->headers_in, "Cookie");
    } else {
        apr_table_setn(r->headers_in, "Cookie", left);
    }
    if (is_token) {
        apr_table_unset(r->headers_in, "Authorization");
    }
}

/* @param again whether headers_in may contain what was set for another handler */
static inline void set_headers(request_rec *r, int again)
{
    const clerk_dir_config *dir = clerk_config_dir(r);

    if (again) {
        clerk_table_remove(r->headers_in, has_prefix, r->pool);
    }
    if (!clerk_request_state_is_auth_type(r)) {
        return;
    }
    clerk_connection_options_limit(r);
    if (CLERK_SETTINGS_VALUE(dir, pass_headers)) {
        clerk_variables_each(r, clerk_judge_established_identity(r), pass_variable, r->headers_in);
    }
    if (clerk_htaccess_strips_credentials(dir)) {
        strip_credentials(r);
    }
}

int clerk_headers_fixups(request_rec *r)
{
    /* Requests share headers_in with those they were redirected from, or have a copy of their parent's. */
    set_headers(r, r->main || r->prev);
    return DECLINED;
}

void clerk_headers_set_again(request_rec *r)
{
    set_headers(r, 1);
}
