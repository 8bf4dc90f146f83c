/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/refused_token.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/browser/handshake.h"
#include "clerk/browser/refresh.h"
#include "clerk/session/session_token.h"

#define REFRESH_PREFIX "-refresh-"

/* The token is authentic, but expired. */
static clerk_outcome *expired(clerk_context *context)
{
    clerk_refresh_result result = {0};
    clerk_outcome *outcome = context->outcome;

    if (outcome->carrier == CLERK_CARRIER_COOKIE) {
        result = clerk_refresh(context);
    } else {
        /* The refresh cookie may belong to another session than the header's token. */
        result.cause = clerk_refresh_is_eligible(context) ? "non-eligible-no-refresh-cookie" : "non-eligible-non-get";
    }
    if (clerk_step_tell(context->services->steps, CLERK_STEP_RENEWED, !!result.identity)) {
        return clerk_context_accept(context, result.identity);
    }
    outcome->expired_session = 1;
    if (outcome->carrier == CLERK_CARRIER_COOKIE) {
        outcome->lapsed_user = clerk_session_token_user_id(context->cookies->session);
    }
    (void)clerk_handshake_propose_text(context, CLERK_REASON_SESSION_TOKEN_EXPIRED,
                                       apr_pstrcat(context->pool, clerk_reason_text(CLERK_REASON_SESSION_TOKEN_EXPIRED),
                                                   REFRESH_PREFIX, result.cause, NULL),
                                       NULL);
    /* What Clerk did not decide is no reason to say that the token is bad. */
    if (result.undecided && outcome->status == CLERK_SIGNED_OUT && !outcome->loop) {
        outcome->status = CLERK_UNAVAILABLE;
        outcome->retry_after = result.retry_after;
    }
    return outcome;
}

/*
 * The token is authentic and has not expired, but it is older than a revocation. The frontend API decides about a page
 * navigation, and the Backend API about what may be renewed: a session whose user has another role now gets a new
 * token, one that has ended does not.
 */
static clerk_outcome *revoked(clerk_context *context)
{
    clerk_outcome *outcome = context->outcome;
    clerk_refresh_result result = {0};

    if (outcome->carrier == CLERK_CARRIER_COOKIE && !clerk_context_may_handshake(context)) {
        result = clerk_refresh(context);
    }
    if (result.identity) {
        return clerk_context_accept(context, result.identity);
    }
    outcome->expired_session = 1;
    if (outcome->carrier == CLERK_CARRIER_COOKIE) {
        outcome->lapsed_user = clerk_session_token_user_id(context->cookies->session);
    }
    return clerk_handshake_propose(context, CLERK_REASON_SESSION_REVOKED, NULL);
}

clerk_outcome *clerk_refused_token(clerk_context *context, clerk_reason reason)
{
    (void)clerk_step_tell(context->services->steps, CLERK_STEP_EXPIRED, reason == CLERK_REASON_TOKEN_EXPIRED);
    switch (reason) {
    case CLERK_REASON_TOKEN_EXPIRED:
        return expired(context);
    case CLERK_REASON_SESSION_REVOKED:
        return revoked(context);
    case CLERK_REASON_TOKEN_NOT_ACTIVE_YET:
        return clerk_handshake_propose(context, CLERK_REASON_SESSION_TOKEN_NBF, NULL);
    case CLERK_REASON_TOKEN_IAT_IN_THE_FUTURE:
        return clerk_handshake_propose(context, CLERK_REASON_SESSION_TOKEN_IAT_IN_THE_FUTURE, NULL);
    default:
        return clerk_reason_is_unavailable(reason) ? clerk_context_unavailable(context, reason)
                                                   : clerk_context_signed_out(context, reason);
    }
}
