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

/*
 * One run of the decision procedure: what the files of it share, and nobody else sees. Texts and lists are from `pool`.
 */
typedef struct clerk_context {
    clerk_request *request; /**< what is there from the beginning; for the rest see clerk_context_page() */
    const clerk_instance *instance;
    const clerk_policy *policy;
    const clerk_services *services;
    apr_pool_t *pool;
    clerk_outcome *outcome;
    int development;  /**< the rows for development instances apply */
    int browser_flow; /**< handshakes are possible: there is a publishable key, and cookies count here */
    /* The rest is set where cookies count; else empty. */
    const clerk_cookies *cookies;
    clerk_url *url;                  /**< see clerk_context_url() */
    const apr_array_header_t *query; /**< its parameters, decoded, once there is `url`; not to be edited */
    const char *dev_browser;         /**< development: from the query, else from the cookie; or NULL */
} clerk_context;

/** The request with all that may be asked about it. */
const clerk_request *clerk_context_page(clerk_context *context);

/**
 * The request's own URL, worked out when it is first asked for: a production request that is simply signed in needs
 * none of it. Development instances and satellites always have it, and `query` with it.
 * @return NULL where the origin is not one that URLs can be made of
 */
const clerk_url *clerk_context_url(clerk_context *context);

/** What the URL asks for (protocol.md 10). */
clerk_organization_target clerk_context_organization(clerk_context *context);

/**
 * Decode, check the token's class (protocol.md 4.2) and verify a session token. @return CLERK_REASON_NONE, or why not
 */
clerk_reason clerk_context_verify(const clerk_context *context, clerk_identity **pidentity, jose_slice token,
                                  apr_interval_time_t skew);

/* What the procedure can end in. Each fills the outcome and returns it. */

/** Signed in, or signed out where the session is pending and that does not count. */
clerk_outcome *clerk_context_accept(clerk_context *context, clerk_identity *identity);
clerk_outcome *clerk_context_signed_out(clerk_context *context, clerk_reason reason);
/** @param text the reason's text where it says more than the reason alone */
clerk_outcome *clerk_context_signed_out_text(clerk_context *context, clerk_reason reason, const char *text);
clerk_outcome *clerk_context_unavailable(clerk_context *context, clerk_reason reason);

#endif
