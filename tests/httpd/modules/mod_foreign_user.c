/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A module that sets the user, as SSLUserName and many authentication modules do, in the phase of request processing
 * that the request's own X-Foreign-Phase names. For tests only.
 */

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>

#define PHASE "X-Foreign-Phase"

static int set_user_in(request_rec *r, const char *phase)
{
    const char *wanted = apr_table_get(r->headers_in, PHASE);

    if (!wanted || strcmp(wanted, phase)) {
        return 0;
    }
    r->user = (char *)"mallory";
    r->ap_auth_type = (char *)"Foreign";
    return 1;
}

static int post_read_request(request_rec *r)
{
    set_user_in(r, "post_read_request");
    return DECLINED;
}

static int translate_name(request_rec *r)
{
    set_user_in(r, "translate_name");
    return DECLINED;
}

static int post_perdir_config(request_rec *r)
{
    set_user_in(r, "post_perdir_config");
    return DECLINED;
}

static int header_parser(request_rec *r)
{
    set_user_in(r, "header_parser");
    return DECLINED;
}

static int access_checker(request_rec *r)
{
    set_user_in(r, "access_checker");
    return DECLINED;
}

static int access_checker_ex(request_rec *r)
{
    set_user_in(r, "access_checker_ex");
    return DECLINED;
}

static int check_authn(request_rec *r)
{
    if (set_user_in(r, "check_authn-ok")) {
        return OK;
    }
    set_user_in(r, "check_authn");
    return DECLINED;
}

static int check_authz(request_rec *r)
{
    set_user_in(r, "check_authz");
    return DECLINED;
}

static int type_checker(request_rec *r)
{
    set_user_in(r, "type_checker");
    return DECLINED;
}

static int fixups(request_rec *r)
{
    set_user_in(r, "fixups");
    return DECLINED;
}

static int late_fixups(request_rec *r)
{
    set_user_in(r, "late_fixups");
    return DECLINED;
}

static void register_hooks(apr_pool_t *pool)
{
    static const char *const before_clerk[] = {"mod_auth_clerk.c", NULL};

    (void)pool;
    ap_hook_post_read_request(post_read_request, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(translate_name, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_post_perdir_config(post_perdir_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_header_parser(header_parser, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_access(access_checker, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_access_ex(access_checker_ex, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(check_authn, NULL, before_clerk, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authz(check_authz, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_type_checker(type_checker, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_fixups(fixups, NULL, before_clerk, APR_HOOK_REALLY_FIRST);
    ap_hook_fixups(late_fixups, NULL, NULL, APR_HOOK_REALLY_LAST);
}

module AP_MODULE_DECLARE_DATA foreign_user_module
    = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
       AP_MODULE_FLAG_NONE
#endif
};
