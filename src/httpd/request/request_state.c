/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/request_state.h"

#include <http_core.h>
#include <http_request.h>

clerk_request_state *clerk_request_state_make(request_rec *r)
{
    clerk_request_state *state = apr_pcalloc(r->pool, sizeof(*state));

    ap_set_module_config(r->request_config, &auth_clerk_module, state);
    return state;
}

request_rec *clerk_request_state_top(request_rec *r)
{
    while (r->main || r->prev) {
        r = r->main ? r->main : r->prev;
    }
    return r;
}

int clerk_request_state_ask_auth_type(request_rec *r)
{
    const char *type = ap_auth_type(r);

    if (!type || strcasecmp(type, "Clerk")) {
        return 0;
    }
    clerk_request_state_get(r)->clerk_in_force_for = r->per_dir_config;
    return 1;
}

const clerk_request_state *clerk_request_state_stripped(const request_rec *r)
{
    for (; r; r = r->main ? r->main : r->prev) {
        const clerk_request_state *state = clerk_request_state_if_any(r);

        if (state && state->stripped) {
            return state;
        }
    }
    return NULL;
}
