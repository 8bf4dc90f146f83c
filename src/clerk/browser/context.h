/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_BROWSER_CONTEXT_H
#define CLERK_BROWSER_CONTEXT_H

#include "clerk/cookies/cookies.h"
#include "clerk/outcome.h"
#include "clerk/request.h"
#include "clerk/services.h"
#include "clerk/url/organization_sync.h"
#include "clerk/url/query.h"
#include "clerk/url/url.h"

/** The state of one call of clerk_authenticate(), private to the files that implement it. Texts and lists are from
 * `pool`. */
typedef struct clerk_context {
    clerk_request *request; /**< use clerk_context_page() for the members that are filled in on first use */
    const clerk_instance *instance;
    const clerk_policy *policy;
    const clerk_services *services;
    apr_pool_t *pool;
    clerk_outcome *outcome;
    int development;  /**< the rules for development instances apply */
    int browser_flow; /**< handshakes are possible: there is a publishable key, and cookies count here */
    /* The rest is set if cookies count; else empty. */
    const clerk_cookies *cookies;
    clerk_url *url;                  /**< see clerk_context_url() */
    const apr_array_header_t *query; /**< the URL's parameters, decoded; set together with `url`; do not modify */
    struct clerk_rounds *rounds;     /**< for rounds.c only */
    const char *dev_browser;         /**< development: from the query, else from the cookie; or NULL */
} clerk_context;

/** The request with all its members filled in. */
const clerk_request *clerk_context_page(clerk_context *context);

/**
 * The URL of the request, parsed on first use: a signed-in request of a production instance does not need it.
 * Development instances and satellites always have it, together with `query`.
 * @return NULL if the origin is not valid in a URL
 */
const clerk_url *clerk_context_url(clerk_context *context);

/** Whether this request may be answered with a handshake: handshakes are possible here, and it is a page navigation
 * (protocol.md 6.9). */
int clerk_context_may_handshake(clerk_context *context);

/** The organization that the URL asks for (protocol.md 10). */
clerk_organization_target clerk_context_organization(clerk_context *context);

/** Decode a session token, check its category (protocol.md 4.2) and verify it. @return CLERK_REASON_NONE or the reason
 */
clerk_reason clerk_context_verify(const clerk_context *context, clerk_identity **pidentity, jose_slice token,
                                  apr_interval_time_t skew);

/* The possible results. Each function fills in the outcome and returns it. */

/** Signed in; or signed out, if the session is pending and the policy does not allow that. */
clerk_outcome *clerk_context_accept(clerk_context *context, clerk_identity *identity);
clerk_outcome *clerk_context_signed_out(clerk_context *context, clerk_reason reason);
/** @param text the text of the reason, if that says more than clerk_reason_text() */
clerk_outcome *clerk_context_signed_out_text(clerk_context *context, clerk_reason reason, const char *text);
clerk_outcome *clerk_context_unavailable(clerk_context *context, clerk_reason reason);

#endif
