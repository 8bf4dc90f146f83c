/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/own_user.h"

#include "httpd/process/log.h"

static char auth_type[] = "Clerk";

void clerk_own_user_set(request_rec *r, const char *user)
{
    clerk_request_state_get(r)->user = user;
    r->user = (char *)user;
    r->ap_auth_type = user ? auth_type : NULL;
}

/* The user of the request whose authentication httpd has taken over, because their configurations are the same. */
static const char *inherited(const request_rec *r)
{
    for (const request_rec *at = r; at; at = at->main ? at->main : at->prev) {
        const clerk_request_state *state = clerk_request_state_if_any(at);

        if (state && state->user && at->per_dir_config == r->per_dir_config) {
            return state->user;
        }
    }
    return NULL;
}

int clerk_own_user_enforce(request_rec *r)
{
    const char *own, *found = r->user;

    if (clerk_own_user_is(r)) {
        return 0;
    }
    own = inherited(r);
    if (found == own) {
        return 0;
    }
    r->user = (char *)own;
    r->ap_auth_type = own ? auth_type : NULL;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  CLERK_LOGNO(3120) "AuthType is Clerk: the user %s, set by another module, is ignored",
                              found ? found : "(none)");
    return 1;
}
