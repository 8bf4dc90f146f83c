/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/inject/inject_policy.h"

#include <apr_strings.h>

#include "httpd/config/config.h"
#include "httpd/process/log.h"
#include "httpd/request/wire.h"
#include "httpd/site/site_clerk_js.h"
#include "text/content_policy.h"

#define POLICY "Content-Security-Policy"

typedef struct check {
    request_rec *r;
    const char *own, *nonce;
    const char *missing; /* what the policies would have to allow, as they say it; NULL: nothing */
} check;

static int note_nonce(void *baton, const char *name, const char *value)
{
    check *at = baton;

    (void)name;
    at->nonce = clerk_content_policy_nonce(value, at->r->pool);
    return !at->nonce;
}

const char *clerk_inject_policy_nonce(request_rec *r)
{
    check at = {.r = r};

    apr_table_do(note_nonce, &at, r->headers_out, POLICY, NULL);
    if (!at.nonce) {
        apr_table_do(note_nonce, &at, r->err_headers_out, POLICY, NULL);
    }
    return at.nonce ? at.nonce : apr_table_get(r->subprocess_env, "CSP_NONCE");
}

static void require(check *at, const char *policy, clerk_content_policy_use use, const char *directive,
                    const char *origin)
{
    int is_own = !strcmp(origin, at->own);

    if (*origin && !clerk_content_policy_allows(policy, use, origin, at->own, at->nonce, at->r->pool)) {
        at->missing = apr_pstrcat(at->r->pool, at->missing ? at->missing : "", at->missing ? "; " : "", directive, " ",
                                  is_own ? "'self'" : origin, NULL);
    }
}

static int check_policy(void *baton, const char *name, const char *policy)
{
    check *at = baton;
    const clerk_instance *instance = clerk_config_runtime(at->r)->instance;
    const clerk_dir_config *dir = clerk_config_dir(at->r);
    clerk_site_clerk_js js;

    (void)name;
    if (!clerk_site_clerk_js_find(&js, at->r)) {
        return 0;
    }
    require(at, policy, CLERK_CONTENT_POLICY_SCRIPT, "script-src", at->own);
    require(at, policy, CLERK_CONTENT_POLICY_CONNECT, "connect-src", at->own);
    if (dir->inject_script == CLERK_INJECT_ON) {
        require(at, policy, CLERK_CONTENT_POLICY_SCRIPT, "script-src", js.script_origin);
        require(at, policy, CLERK_CONTENT_POLICY_CONNECT, "connect-src", js.frontend);
    } else if (!instance->secret_key) {
        require(at, policy, CLERK_CONTENT_POLICY_FRAME, "frame-src", at->own);
        require(at, policy, CLERK_CONTENT_POLICY_FRAME, "frame-src", js.frontend);
    }
    return 1;
}

void clerk_inject_policy_check(request_rec *r)
{
    check at = {.r = r};
    clerk_request request;
    int level;

    if (!apr_table_get(r->headers_out, POLICY) && !apr_table_get(r->err_headers_out, POLICY)) {
        return;
    }
    clerk_wire_read_all(&request, r);
    at.own = request.origin_url ? request.origin_url : "";
    at.nonce = clerk_inject_policy_nonce(r);
    if (!*at.own) {
        return;
    }
    apr_table_do(check_policy, &at, r->headers_out, POLICY, NULL);
    apr_table_do(check_policy, &at, r->err_headers_out, POLICY, NULL);
    if (at.missing) {
        level = clerk_httpd_log_message_level(3181);
        ap_log_rerror(APLOG_MARK, level, 0, r,
                      CLERK_LOGNO(3181) "the page's Content-Security-Policy keeps the script of ClerkInjectScript from "
                                        "its work; add: %s",
                                  at.missing);
    }
}
