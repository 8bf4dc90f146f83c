/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/authz/refusal_page.h"

#include <string.h>

#include <apr_strings.h>
#include <http_core.h>

#include "clerk/session/claim.h"
#include "httpd/site/site_notice.h"

/* The most bytes of a name that is shown; of a longer one the user's id is. */
#define NAME_MAX_SHOWN 200

/* The kinds of all lines that were not met. */
typedef struct lacking {
    const char *items; /* of an HTML list */
    int by_organization, by_sign_in;
} lacking;

/*
 * Whom people know this user as: REMOTE_USER where the administrator has chosen a claim for it, else the claims `name`
 * or `email`, else the id.
 */
static const char *name_of(request_rec *r, const clerk_identity *identity)
{
    static const char *const claims[] = {"name", "email"};
    const char *name = r->user && strcmp(r->user, identity->subject) ? r->user : NULL;

    for (apr_size_t i = 0; !name && i < sizeof(claims) / sizeof(claims[0]); i++) {
        name = clerk_claim_text(clerk_identity_claims(identity), claims[i]);
        name = name && *name ? name : NULL;
    }
    return name && strlen(name) <= NAME_MAX_SHOWN ? name : identity->subject;
}

static const char *who_text(request_rec *r, const clerk_identity *identity, const lacking *found)
{
    const char *org = identity->org_slug ? identity->org_slug : identity->org_id, *role = identity->org_role;

    if (role && !strncmp(role, "org:", 4)) {
        role += 4;
    }
    return apr_pstrcat(
        r->pool, "<p>You are signed in as <bdi>", clerk_site_notice_escape(name_of(r, identity), r->pool), "</bdi>",
        org                      ? ", in the organization <bdi>"
        : found->by_organization ? ", without an active organization"
                                 : "",
        org ? clerk_site_notice_escape(org, r->pool) : "", org ? "</bdi>" : "", org && role ? " (role <bdi>" : "",
        org && role ? clerk_site_notice_escape(role, r->pool) : "", org && role ? "</bdi>)" : "",
        identity->has_actor ? ". Somebody else is acting for this user" : "", ".</p>\n", NULL);
}

static int is_repeated(const clerk_require_log *log, int at)
{
    const clerk_require_result *results = (const clerk_require_result *)log->results->elts;

    for (int i = 0; i < at; i++) {
        if (!results[i].granted && results[i].kind == results[at].kind) {
            return 1;
        }
    }
    return 0;
}

static lacking find_lacking(const clerk_require_log *log, apr_pool_t *pool)
{
    lacking found = {"", 0, 0};

    for (int i = 0; log && log->results && i < log->results->nelts; i++) {
        const clerk_require_result *result = &APR_ARRAY_IDX(log->results, i, clerk_require_result);

        if (!result->granted && result->kind->missing && !is_repeated(log, i)) {
            found.items = apr_pstrcat(pool, found.items, "<li>", result->kind->missing, "</li>\n", NULL);
            found.by_organization |= result->kind->by_organization;
            found.by_sign_in |= result->kind->by_sign_in;
        }
    }
    return found;
}

static const char *buttons(request_rec *r, const lacking *found)
{
    const char *here = clerk_site_notice_here(r);
    const char *sign_in = clerk_site_notice_path(r, "sign-in", here);

    if (!sign_in) {
        return "";
    }
    /* Signing in takes signing out first: Clerk's sign-in page sends back at once who is signed in. */
    return apr_pstrcat(
        r->pool, "<p>",
        found->by_organization
            ? clerk_site_notice_button(r, "", clerk_site_notice_path(r, "organization", here), "Switch organization")
            : "",
        clerk_site_notice_button(r, found->by_organization ? "second" : "",
                                 clerk_site_notice_path(r, "sign-out", sign_in),
                                 found->by_sign_in ? "Sign in again" : "Sign in as somebody else"),
        clerk_site_notice_button(r, "second", clerk_site_notice_path(r, "sign-out", NULL), "Sign out"), "</p>\n", NULL);
}

void clerk_refusal_page_show(request_rec *r, const clerk_identity *identity, const clerk_require_log *log)
{
    const lacking found = find_lacking(log, r->pool);

    clerk_site_notice_show(
        r, HTTP_FORBIDDEN, "You do not have access to this page",
        apr_pstrcat(r->pool, who_text(r, identity, &found),
                    *found.items ? "<p>This page asks for:</p>\n<ul>\n" : "<p>This page is not for this account.</p>\n",
                    found.items, *found.items ? "</ul>\n" : "", buttons(r, &found), NULL));
}
