/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_DECISION_H
#define CLERK_DECISION_H

/* Tables of requests and what is decided about them. */

#include "clerk_fixture.h"

/* One row of a decision table. What is NULL is as in a page navigation without cookies. */
typedef struct row {
    const char *name;
    const char *cookie;
    const char *expected; /* verdict() */
    const char *location; /* NULL: none; ends in "...": begins like that */
    const char *target;
    const char *authorization;
    const char *method;
    const char *sec_fetch_dest; /* "": absent */
    const char *accept;
    const char *referer;
} row;

#define HANDSHAKE "https://clerk.example.com/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2F..."
#define DEV_HANDSHAKE                                                                                                  \
    "https://happy-hippo-1.clerk.accounts.dev/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2F..."
#define NO_REFRESH "session-token-expired-refresh-non-eligible-no-refresh-cookie"
#define REASON_NO_UAT "session-token-but-no-client-uat"
#define REASON_NO_SESSION "client-uat-but-no-session-token"
#define NON_GET "session-token-expired-refresh-non-eligible-non-get"

static inline void assert_location(const char *name, const char *actual, const char *expected, apr_pool_t *pool)
{
    apr_size_t len = expected ? strlen(expected) : 0;

    if (len > 3 && actual && strcmp(expected + len - 3, "...") == 0) {
        actual = apr_pstrcat(pool, apr_pstrndup(pool, actual, len - 3), "...", NULL);
    }
    assert_case(name, actual, expected);
}

static inline clerk_outcome *decide_row(fixture *f, const clerk_instance *instance, const row *r)
{
    f->request.cookie = expand(r->cookie, f->pool);
    f->request.authorization = expand(r->authorization, f->pool);
    f->request.target = r->target ? r->target : "/p";
    f->request.method = r->method ? r->method : "GET";
    f->request.sec_fetch_dest = !r->sec_fetch_dest ? "document" : *r->sec_fetch_dest == '\0' ? NULL : r->sec_fetch_dest;
    f->request.accept = r->accept;
    f->request.referer = r->referer;
    return decide(f, instance);
}

static inline void run(fixture *f, const clerk_instance *instance, const row *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const clerk_outcome *outcome = decide_row(f, instance, &rows[i]);

        assert_case(rows[i].name, verdict(outcome, f->pool), rows[i].expected);
        assert_location(rows[i].name, outcome->location, rows[i].location, f->pool);
        if (outcome->status == CLERK_HANDSHAKE) {
            assert_case(rows[i].name, apr_pstrndup(f->pool, APR_ARRAY_IDX(outcome->set_cookies, 0, const char *), 23),
                        "__clerk_redirect_count=");
        } else {
            assert_int_equal(outcome->set_cookies->nelts, 0);
        }
    }
}

#endif
