/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/sign_in.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/browser/rounds.h"
#include "clerk/protocol.h"
#include "clerk/url/query.h"
#include "clerk/url/url.h"

/* A longer Referer is not repeated in a header field: proxies limit the size of those, and encoded it may be three
 * times as long. */
#define REFERER_MAX 1024

/* The sign-in page: the configured URL, or path of this site, else that of the Account Portal; NULL if there is none.
 */
static clerk_url *sign_in_page(const clerk_request *request, const clerk_instance *instance, const clerk_policy *policy,
                               apr_pool_t *pool)
{
    if (policy->sign_in_url) {
        return policy->sign_in_url[0] == '/' ? clerk_url_join(request->origin_url, policy->sign_in_url, pool)
                                             : clerk_url_parse(policy->sign_in_url, pool);
    }
    return instance->account_portal
               ? clerk_url_parse(apr_pstrcat(pool, instance->account_portal, "/sign-in", NULL), pool)
               : NULL;
}

/* The page for the tasks that a pending session has to complete: below the sign-in page. */
static const char *tasks_path(const char *path, apr_pool_t *pool)
{
    apr_size_t len = strlen(path);

    return apr_pstrcat(pool, path, path[len - 1] == '/' ? "tasks" : "/tasks", NULL);
}

/* @param here the requested URL. @param back where to return to after sign-in, or NULL; modified */
static const char *location(const clerk_url *here, clerk_url *back, const clerk_request *request,
                            const clerk_instance *instance, const clerk_policy *policy, const clerk_outcome *outcome,
                            apr_pool_t *pool)
{
    clerk_url *page = here ? sign_in_page(request, instance, policy, pool) : NULL;
    apr_array_header_t *query;
    int cross;

    if (!page) {
        return NULL;
    }
    if (outcome->reason == CLERK_REASON_SESSION_PENDING) {
        page->path = tasks_path(page->path, pool);
    }
    if (!strcmp(page->origin, here->origin) && !strcmp(page->path, here->path)) {
        return NULL;
    }
    cross = strcmp(page->authority, here->authority);
    query = clerk_query_parse(page->query, pool);
    if (back) {
        if (cross && instance->satellite) {
            apr_array_header_t *own = clerk_query_parse(back->query, pool);

            clerk_query_set(own, CLERK_PARAMETER_SYNCED, "false");
            back->query = clerk_query_text(own, pool);
        }
        clerk_query_set(query, "redirect_url", clerk_url_text(back, pool));
    }
    /* It stands for the session: not for a page that only .htaccess vouches for. */
    if (cross && instance->type == CLERK_INSTANCE_DEVELOPMENT && outcome->dev_browser && !policy->pages_by_htaccess) {
        clerk_query_set(query, CLERK_COOKIE_DEV_BROWSER, outcome->dev_browser);
    }
    page->query = clerk_query_text(query, pool);
    return clerk_url_text(page, pool);
}

const char *clerk_sign_in_location(const clerk_request *request, const clerk_instance *instance,
                                   const clerk_policy *policy, const clerk_outcome *outcome, apr_pool_t *pool)
{
    clerk_url *here = clerk_url_join(request->origin_url, request->target, pool);

    if (here) {
        here->query = clerk_rounds_clean_query(here->query, pool);
    }
    return location(here, here, request, instance, policy, outcome, pool);
}

const char *clerk_sign_in_location_for_script(const clerk_request *request, const clerk_instance *instance,
                                              const clerk_policy *policy, const clerk_outcome *outcome,
                                              apr_pool_t *pool)
{
    const clerk_url *here = clerk_url_join(request->origin_url, request->target, pool);
    clerk_url *page
        = request->referer && strlen(request->referer) <= REFERER_MAX ? clerk_url_parse(request->referer, pool) : NULL;

    if (here && page && strcmp(page->origin, here->origin)) {
        page = NULL;
    }
    return location(here, page, request, instance, policy, outcome, pool);
}

int clerk_sign_in_is_due(const clerk_request *request, const clerk_policy *policy, const clerk_outcome *outcome,
                         int every_get)
{
    int is_get = !strcmp(request->method, "GET") || !strcmp(request->method, "HEAD");

    return clerk_policy_takes_cookies(policy) && !outcome->loop
           && (clerk_request_is_navigation(request) || (every_get && is_get));
}
