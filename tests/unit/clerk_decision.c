/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_decision.h"

static void assert_location(const char *name, const char *actual, const char *expected, apr_pool_t *pool)
{
    apr_size_t len = expected ? strlen(expected) : 0;

    if (len > 3 && actual && !strcmp(expected + len - 3, "...")) {
        actual = apr_pstrcat(pool, apr_pstrndup(pool, actual, len - 3), "...", NULL);
    }
    assert_case(name, actual, expected);
}

clerk_outcome *decide_row(fixture *f, const clerk_instance *instance, const row *r)
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

void run(fixture *f, const clerk_instance *instance, const row *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const clerk_outcome *outcome = decide_row(f, instance, &rows[i]);

        assert_case(rows[i].name, verdict(outcome, f->pool), rows[i].expected);
        assert_location(rows[i].name, outcome->location, rows[i].location, f->pool);
        if (outcome->status == CLERK_HANDSHAKE) {
            assert_case(rows[i].name, apr_pstrndup(f->pool, APR_ARRAY_IDX(outcome->set_cookies, 0, const char *), 23),
                        "__clerk_redirect_count_");
        } else {
            assert_int_equal(outcome->set_cookies->nelts, 0);
        }
    }
}
