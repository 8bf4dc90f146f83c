/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/cookie_decision.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/browser/handshake.h"
#include "clerk/browser/referrer.h"
#include "clerk/browser/refused_token.h"
#include "clerk/browser/rounds.h"
#include "clerk/protocol.h"
#include "clerk/session/session_token.h"
#include "clerk/url/party.h"

static int step(const clerk_context *context, clerk_step step, int holds)
{
    return clerk_step_tell(context->services->steps, step, holds);
}

static int is_text(const char *value, const char *wanted)
{
    return value && !strcmp(value, wanted);
}

/* A page that fills a tab. Only those take part in some rows of protocol.md 6.7, not every page navigation. */
static int is_document_get(const clerk_request *request)
{
    return !strcmp(request->method, "GET") && is_text(request->sec_fetch_dest, "document");
}

/*
 * The sign-in page of the primary domain, to which a development satellite redirects (protocol.md 6.7, row 3b); NULL if
 * it is not configured.
 */
static const char *satellite_sync_location(clerk_context *context)
{
    clerk_url *url;
    apr_array_header_t *query;

    url = context->policy->sign_in_url ? clerk_url_parse(context->policy->sign_in_url, context->pool) : NULL;
    if (!url) {
        return NULL;
    }
    query = clerk_query_parse(url->query, context->pool);
    clerk_query_append(query, CLERK_PARAMETER_REDIRECT_URL, clerk_rounds_return_url(context));
    url->query = clerk_query_text(query, context->pool);
    return clerk_url_text(url, context->pool);
}

/* protocol.md 6.7, rows 2 and 3. @return NULL if none of them applies */
static clerk_outcome *satellite_rows(clerk_context *context, int has_cookies)
{
    const char *location = NULL;
    const char *synced;
    int needs_sync;

    if (!step(context, CLERK_STEP_SATELLITE, context->instance->satellite && is_document_get(context->request))) {
        return NULL;
    }
    synced = clerk_query_get(context->query, CLERK_PARAMETER_SYNCED);
    needs_sync = is_text(synced, "false");
    if (step(context, CLERK_STEP_SATELLITE_SYNCED, is_text(synced, "true"))) {
        return NULL;
    }
    if (step(context, CLERK_STEP_SATELLITE_QUIET,
             !context->instance->satellite_auto_sync && !has_cookies && !needs_sync)) {
        return clerk_context_signed_out(context, CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING);
    }
    if (!step(context, CLERK_STEP_SATELLITE_SYNC, !has_cookies || needs_sync)) {
        return NULL;
    }
    if (context->development) {
        location = satellite_sync_location(context);
        if (!location) {
            return clerk_context_signed_out(context, CLERK_REASON_SATELLITE_NEEDS_SYNCING);
        }
    }
    return clerk_handshake_propose(context, CLERK_REASON_SATELLITE_NEEDS_SYNCING, location);
}

static int is_allowed(const apr_array_header_t *parties, const char *origin, const clerk_party_site *site)
{
    return !parties || !parties->nelts || clerk_party_is_listed(parties, origin, site);
}

/*
 * protocol.md 6.7, row 4: the URL for the redirect back to a satellite, which receives the dev browser token. Only to
 * origins that the configuration allows (differences.md row 10).
 */
static const char *satellite_answer_location(const clerk_context *context)
{
    const clerk_policy *policy = context->policy;
    const clerk_party_site site = {context->services->own_origin, context->services->baton};
    const char *back = clerk_query_get(context->query, CLERK_PARAMETER_REDIRECT_URL);
    clerk_url *url = back ? clerk_url_parse(back, context->pool) : NULL;
    apr_array_header_t *query;

    if (!url || url->has_userinfo || !is_allowed(policy->authorized_parties, url->origin, &site)
        || !is_allowed(policy->narrower_parties, url->origin, &site)) {
        return NULL;
    }
    query = clerk_query_parse(url->query, context->pool);
    if (context->dev_browser) {
        clerk_query_append(query, CLERK_COOKIE_DEV_BROWSER, context->dev_browser);
    }
    clerk_query_set(query, CLERK_PARAMETER_SYNCED, "true");
    url->query = clerk_query_text(query, context->pool);
    return clerk_url_text(url, context->pool);
}

/* protocol.md 6.7, rows 4 to 6. @return NULL if none of them applies */
static clerk_outcome *development_rows(clerk_context *context)
{
    const char *location;

    if (!step(context, CLERK_STEP_DEVELOPMENT, context->development)) {
        return NULL;
    }
    location = context->instance->satellite ? NULL : satellite_answer_location(context);
    if (step(context, CLERK_STEP_ROW_4, !!location)) {
        return clerk_handshake_propose(context, CLERK_REASON_PRIMARY_RESPONDS_TO_SYNCING, location);
    }
    if (step(context, CLERK_STEP_ROW_5, clerk_query_has(context->query, CLERK_COOKIE_DEV_BROWSER))) {
        return clerk_handshake_propose(context, CLERK_REASON_DEV_BROWSER_SYNC, NULL);
    }
    if (step(context, CLERK_STEP_ROW_6, !context->dev_browser)) {
        return clerk_handshake_propose(context, CLERK_REASON_DEV_BROWSER_MISSING, NULL);
    }
    return NULL;
}

static int differs(const char *wanted, const char *actual)
{
    return !actual || strcmp(wanted, actual);
}

/* Whether the URL names another organization than the session has (protocol.md 10). */
static int organization_mismatch(clerk_context *context, const clerk_identity *identity)
{
    clerk_organization_target target = clerk_context_organization(context);

    if (!target.wanted) {
        return 0;
    }
    if (target.id) {
        return differs(target.id, identity->org_id);
    }
    return target.slug ? differs(target.slug, identity->org_slug) : identity->org_id != NULL;
}

/* protocol.md 6.7, rows 14 to 16: with a good session, check that it is the newest and of the right organization. */
static clerk_outcome *accepted_rows(clerk_context *context, clerk_identity *identity)
{
    int comes_from_elsewhere = context->browser_flow && context->policy->cross_origin_sync
                               && !context->instance->satellite && is_document_get(context->request)
                               && clerk_referrer_is_foreign(context) && clerk_rounds_made(context) == 0;

    if (step(context, CLERK_STEP_ROW_14, comes_from_elsewhere)) {
        return clerk_handshake_propose(context, CLERK_REASON_PRIMARY_DOMAIN_CROSS_ORIGIN_SYNC, NULL);
    }
    if (step(context, CLERK_STEP_ROW_15,
             context->policy->organization_sync && !identity->pending && clerk_context_may_handshake(context)
                 && organization_mismatch(context, identity))) {
        if (clerk_rounds_made(context) < CLERK_LOOP_LIMIT) {
            return clerk_handshake_propose(context, CLERK_REASON_ACTIVE_ORGANIZATION_MISMATCH, NULL);
        }
        /* Clerk did not activate the organization: keep the session as it is, and let authorization decide. */
        context->outcome->loop = 1;
    }
    (void)step(context, CLERK_STEP_ROW_16, 1);
    return clerk_context_accept(context, identity);
}

/* Note whose session it was, if it is authentic, for a form that must not be lost. Only a POST is one. */
static void note_lapsed_user(clerk_context *context)
{
    const clerk_session_token *token = context->cookies->session;
    clerk_identity *identity;
    clerk_reason reason;

    if (!step(context, CLERK_STEP_LAPSED_FORM, !strcmp(context->request->method, "POST"))) {
        return;
    }
    reason = clerk_session_token_verify(&identity, token, context->instance, context->policy,
                                        context->policy->clock_skew, context->services, context->pool);
    if (reason == CLERK_REASON_NONE || reason == CLERK_REASON_TOKEN_EXPIRED || reason == CLERK_REASON_SESSION_REVOKED) {
        context->outcome->lapsed_user = clerk_session_token_user_id(token);
    }
}

/* protocol.md 6.7, rows 10 to 16. */
static clerk_outcome *session_rows(clerk_context *context)
{
    const clerk_cookies *cookies = context->cookies;
    const clerk_session_token *token = cookies->session;
    clerk_identity *identity = NULL;
    clerk_reason reason;

    context->outcome->carrier = CLERK_CARRIER_COOKIE;
    if (step(context, CLERK_STEP_ROW_10, !token->claims)) {
        return clerk_context_signed_out(context, CLERK_REASON_TOKEN_INVALID);
    }
    if (step(context, CLERK_STEP_ROW_11, token->jws && clerk_session_token_is_other_type(token->jws))) {
        return clerk_context_signed_out(context, CLERK_REASON_TOKEN_TYPE_MISMATCH);
    }
    if (step(context, CLERK_STEP_ROW_12,
             token->claims->issued_at.is_number && token->claims->issued_at.seconds < (double)cookies->client_uat)) {
        note_lapsed_user(context);
        return clerk_handshake_propose(context, CLERK_REASON_SESSION_TOKEN_IAT_BEFORE_CLIENT_UAT, NULL);
    }
    reason = clerk_session_token_verify(&identity, token, context->instance, context->policy,
                                        context->policy->clock_skew, context->services, context->pool);
    return step(context, CLERK_STEP_ROW_13, reason != CLERK_REASON_NONE) ? clerk_refused_token(context, reason)
                                                                         : accepted_rows(context, identity);
}

static clerk_outcome *decide(clerk_context *context)
{
    int has_session = context->cookies->session != NULL;
    int has_client = context->cookies->client_uat != 0;
    clerk_outcome *outcome;

    outcome = clerk_handshake_resolve(context);
    if (!outcome) {
        outcome = satellite_rows(context, has_session || has_client);
    }
    if (!outcome) {
        outcome = development_rows(context);
    }
    if (outcome) {
        return outcome;
    }
    if (step(context, CLERK_STEP_ROW_7, !has_session && !has_client)) {
        return clerk_context_signed_out(context, CLERK_REASON_SESSION_TOKEN_AND_UAT_MISSING);
    }
    if (step(context, CLERK_STEP_ROW_8, !has_client)) {
        context->outcome->carrier = CLERK_CARRIER_COOKIE;
        return clerk_handshake_propose(context, CLERK_REASON_SESSION_TOKEN_BUT_NO_CLIENT_UAT, NULL);
    }
    if (step(context, CLERK_STEP_ROW_9, !has_session)) {
        return clerk_handshake_propose(context, CLERK_REASON_CLIENT_UAT_BUT_NO_SESSION_TOKEN, NULL);
    }
    return session_rows(context);
}

clerk_outcome *clerk_cookie_decision(clerk_context *context)
{
    clerk_outcome *outcome = decide(context);

    if (outcome->status == CLERK_SIGNED_IN || outcome->status == CLERK_SIGNED_OUT) {
        clerk_handshake_end_probe(context);
    }
    if (outcome->status == CLERK_SIGNED_IN) {
        clerk_rounds_end(context);
    }
    return outcome;
}
