/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk/browser/refused_token.h"

#include <string.h>

#include <apr_strings.h>

#include "clerk/browser/handshake.h"
#include "clerk/browser/refresh.h"

#define REFRESH_PREFIX "-refresh-"

clerk_outcome *clerk_refused_token(clerk_context *context, clerk_reason reason)
{
    clerk_identity *identity = NULL;
    const char *why;

    switch (reason) {
    case CLERK_REASON_TOKEN_EXPIRED:
        if (context->outcome->carrier == CLERK_CARRIER_COOKIE) {
            why = clerk_refresh(context, &identity);
        } else {
            /* The refresh cookie may belong to another session than the header's token. */
            why = !strcmp(context->request->method, "GET") ? "non-eligible-no-refresh-cookie" : "non-eligible-non-get";
        }
        if (!why) {
            return clerk_context_accept(context, identity);
        }
        return clerk_handshake_propose_text(context, CLERK_REASON_SESSION_TOKEN_EXPIRED,
                                            apr_pstrcat(context->pool,
                                                        clerk_reason_text(CLERK_REASON_SESSION_TOKEN_EXPIRED),
                                                        REFRESH_PREFIX, why, NULL),
                                            NULL);
    case CLERK_REASON_TOKEN_NOT_ACTIVE_YET:
        return clerk_handshake_propose(context, CLERK_REASON_SESSION_TOKEN_NBF, NULL);
    case CLERK_REASON_TOKEN_IAT_IN_THE_FUTURE:
        return clerk_handshake_propose(context, CLERK_REASON_SESSION_TOKEN_IAT_IN_THE_FUTURE, NULL);
    default:
        return clerk_reason_is_unavailable(reason) ? clerk_context_unavailable(context, reason)
                                                   : clerk_context_signed_out(context, reason);
    }
}
