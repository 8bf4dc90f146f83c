/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The module record, and the hooks of a request. What they do is in src/httpd; lifecycle.c there registers the hooks of
 * the process, from pre_config to child_stopping.
 */

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/authn/authn.h"
#include "httpd/authz/authz.h"
#include "httpd/authz/authz_providers.h"
#include "httpd/config/config.h"
#include "httpd/config/directives.h"
#include "httpd/config_check/dump.h"
#include "httpd/application/environment.h"
#include "httpd/application/expressions.h"
#include "httpd/application/headers.h"
#include "httpd/inject/inject.h"
#include "httpd/lifecycle.h"
#include "httpd/process/log.h"
#include "httpd/authz/refusal.h"
#include "httpd/request/audit.h"
#include "httpd/request/judge.h"
#include "httpd/request/outcome_headers.h"
#include "httpd/request/webhook_message.h"
#include "httpd/site/site.h"
#include "httpd/site/site_form.h"
#include "httpd/site/site_proxy.h"
#include "httpd/status/status.h"
#include "httpd/webhook/webhook_handler.h"
#include "httpd/request/scrub.h"
#include "mod_auth_clerk.h"

static const char *clerk_user_id(request_rec *r)
{
    const clerk_identity *identity = clerk_judge_established_identity(r);

    return identity ? identity->user_id : NULL;
}

static void register_hooks(apr_pool_t *pool)
{
    /* These accept any AuthType if an outer request has a user. If they ran first, our hook would not run at all. */
    static const char *const other_token_modules[]
        = {"mod_oauth2.c", "mod_auth_openidc.c", "mod_auth_mellon.c", "mod_authnz_jwt.c", NULL};
    static const char *const remoteip_and_setenvif[] = {"mod_remoteip.c", "mod_setenvif.c", NULL};
    static const char *const rewrite[] = {"mod_rewrite.c", NULL};

    clerk_lifecycle_register(pool);
    clerk_authz_providers_register(pool);
    clerk_refusal_register(pool);
    clerk_site_form_register();
    clerk_outcome_headers_register();
    clerk_audit_register();
    clerk_status_block_register();
    clerk_webhook_message_register();
    clerk_site_proxy_register();
    clerk_inject_register();
    clerk_scrub_register(pool);
    ap_hook_post_read_request(clerk_scrub_request, remoteip_and_setenvif, NULL, APR_HOOK_FIRST);
    /* All with PER_CONF: otherwise httpd does not detect that a subrequest has the same configuration as its parent. */
    ap_hook_check_authn(clerk_authn_check, NULL, other_token_modules, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_access_ex(clerk_authz_check_access, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_force_authn(clerk_authz_force_authn, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_check_authz(clerk_authz_check, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_note_auth_failure(clerk_authn_note_failure, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_fixups(clerk_authz_fixups, NULL, rewrite, APR_HOOK_REALLY_FIRST);
    ap_hook_fixups(clerk_environment_fixups, NULL, rewrite, APR_HOOK_FIRST);
    ap_hook_fixups(clerk_headers_fixups, NULL, rewrite, APR_HOOK_FIRST);
    ap_hook_insert_filter(clerk_expressions_settle, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_insert_error_filter(clerk_outcome_headers_insert_error_filter, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_expr_lookup(clerk_expressions_lookup, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_test_config(clerk_dump_configuration, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(clerk_site_translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(clerk_site_translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_check_access_ex(clerk_site_open, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_handler(clerk_site_handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(clerk_status_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(clerk_webhook_handler, NULL, NULL, APR_HOOK_MIDDLE);
    APR_REGISTER_OPTIONAL_FN(clerk_user_id);
}

/* The only exported symbol: everything else is compiled with -fvisibility=hidden. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
module AP_MODULE_DECLARE_DATA auth_clerk_module
    = {STANDARD20_MODULE_STUFF,   clerk_config_create_dir,   clerk_config_merge_dir, clerk_config_create_server,
       clerk_config_merge_server, clerk_directives_commands, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
       AP_MODULE_FLAG_NONE
#endif
};
