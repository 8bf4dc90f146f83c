/* SPDX-License-Identifier: Apache-2.0 */
/* The table of directives, in the order of the reference documentation. */
#include "httpd/config/directives.h"

#define SERVER RSRC_CONF
#define ANYWHERE (RSRC_CONF | OR_AUTHCFG)

const command_rec clerk_commands[] = {
    AP_INIT_RAW_ARGS("<ClerkInstance", clerk_open_instance, NULL, SERVER,
                     "a named Clerk instance; ClerkInstance NAME uses it"),
    AP_INIT_TAKE1("ClerkPublishableKey", clerk_set_publishable_key, NULL, SERVER,
                  "the publishable key, pk_..., or env:NAME, file:/path, exec:/path"),
    AP_INIT_RAW_ARGS("ClerkSecretKey", clerk_set_secret_key, NULL, SERVER,
                     "the secret key, as env:NAME, file:/path or exec:/path arg ..."),
    AP_INIT_RAW_ARGS("ClerkJWTKey", clerk_set_jwt_key, NULL, SERVER,
                     "the PEM public key, as env:NAME, file:/path or exec:/path arg ...; no key is ever fetched then"),
    AP_INIT_TAKE1("ClerkJWKSURL", clerk_set_jwks_url, NULL, SERVER, "where keys come from, instead of Clerk"),
    AP_INIT_TAKE1("ClerkAPIURL", clerk_set_api_url, NULL, SERVER, "the Backend API, default https://api.clerk.com"),
    AP_INIT_TAKE1("ClerkFrontendAPI", clerk_set_frontend_api, NULL, SERVER,
                  "the frontend API's host, instead of the one in the publishable key"),
    AP_INIT_TAKE1("ClerkProxyURL", clerk_set_proxy_url, NULL, SERVER,
                  "URL or path under which browsers reach the frontend API"),
    AP_INIT_TAKE1("ClerkDomain", clerk_set_domain, NULL, SERVER, "the domain of a satellite"),
    AP_INIT_FLAG("ClerkSatellite", clerk_set_satellite, NULL, SERVER, "On: this site is a satellite of another domain"),
    AP_INIT_FLAG("ClerkSatelliteAutoSync", clerk_set_satellite_auto_sync, NULL, SERVER,
                 "On: a first visit to the satellite asks the primary domain whether the visitor is signed in"),
    AP_INIT_ITERATE("ClerkIssuer", clerk_add_issuer, NULL, SERVER, "accepted issuers: auto (default), any, or URLs"),
    AP_INIT_TAKE1("ClerkJWKSCacheTTL", clerk_set_jwks_cache_ttl, NULL, SERVER,
                  "how often keys are refreshed, default 5m"),
    AP_INIT_TAKE1("ClerkJWKSMaxStale", clerk_set_jwks_max_stale, NULL, SERVER,
                  "how long the last good keys serve while their source is down, default 24h"),
    AP_INIT_TAKE1("ClerkHTTPTimeout", clerk_set_http_timeout, NULL, SERVER,
                  "the bound of one outbound call, default 5s"),
    AP_INIT_TAKE1("ClerkHTTPProxy", clerk_set_http_proxy, NULL, SERVER, "proxy for outbound calls, http://host:port"),
    AP_INIT_TAKE1("ClerkCAFile", clerk_set_ca_file, NULL, SERVER, "trusted certificates (PEM) for outbound calls"),
    AP_INIT_TAKE1("ClerkSharedMemory", clerk_set_shared_memory, NULL, SERVER,
                  "size of the shared segment, default as needed"),
    AP_INIT_TAKE1("ClerkStateDir", clerk_set_state_dir, NULL, SERVER,
                  "directory where the last good keys survive a restart, or none"),

    AP_INIT_TAKE1("ClerkInstance", clerk_set_instance_name, NULL, ANYWHERE,
                  "the <ClerkInstance> that protects this place"),
    AP_INIT_ITERATE("ClerkTokenSources", clerk_add_token_source, NULL, ANYWHERE,
                    "where session tokens may come from: header, cookie; default both"),
    AP_INIT_ITERATE("ClerkAuthorizedParties", clerk_add_authorized_party, NULL, ANYWHERE,
                    "origins whose tokens are accepted (azp)"),
    AP_INIT_ITERATE("ClerkAudience", clerk_add_audience, NULL, ANYWHERE, "accepted audiences (aud)"),
    AP_INIT_TAKE1("ClerkClockSkew", clerk_set_clock_skew, NULL, ANYWHERE, "tolerated difference of clocks, default 5s"),
    AP_INIT_TAKE1("ClerkUnauthenticated", clerk_set_unauthenticated, NULL, ANYWHERE,
                  "what visitors who are not signed in get: auto (default), challenge, sign-in"),
    AP_INIT_TAKE1("ClerkSignInURL", clerk_set_sign_in_url, NULL, ANYWHERE,
                  "the sign-in page, default the Account Portal's"),
    AP_INIT_TAKE1("ClerkSignUpURL", clerk_set_sign_up_url, NULL, ANYWHERE,
                  "the sign-up page, default the Account Portal's"),
    AP_INIT_TAKE1("ClerkPendingSessions", clerk_set_pending_sessions, NULL, ANYWHERE,
                  "sessions with unfinished tasks: signed-out (default) or allow"),
    AP_INIT_RAW_ARGS("ClerkOrganizationSync", clerk_set_organization_sync, NULL, ANYWHERE,
                     "path patterns with :id or :slug that activate the organization in the URL; personal PATTERN"),
    AP_INIT_TAKE1("ClerkPublicOrigin", clerk_set_public_origin, NULL, ANYWHERE, "the site's origin as browsers see it"),
    AP_INIT_FLAG("ClerkTrustForwarded", clerk_set_trust_forwarded, NULL, ANYWHERE,
                 "On: take the public origin from X-Forwarded-Proto and X-Forwarded-Host"),
    AP_INIT_FLAG("ClerkCrossOriginSync", clerk_set_cross_origin_sync, NULL, ANYWHERE,
                 "Off: no extra handshake for signed-in visitors who come from another site"),
    AP_INIT_TAKE1("ClerkRemoteUser", clerk_set_remote_user, NULL, ANYWHERE,
                  "the claim that REMOTE_USER holds, default sub"),
    AP_INIT_RAW_ARGS("ClerkExportClaim", clerk_add_export_claims, NULL, ANYWHERE,
                     "claims for the application as CLERK_CLAIM_NAME: path, path as NAME, ..."),
    AP_INIT_FLAG("ClerkPassHeaders", clerk_set_pass_headers, NULL, ANYWHERE,
                 "On: the application receives the identity in X-Clerk-* request headers"),
    AP_INIT_FLAG("ClerkStripCredentials", clerk_set_strip_credentials, NULL, ANYWHERE,
                 "On: the application does not see Clerk's tokens, in cookies or Authorization"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};

/* The directives of the table that say something about an instance, and may stand inside <ClerkInstance>. */
static const char *const instance_directives[] = {"ClerkPublishableKey",
                                                  "ClerkSecretKey",
                                                  "ClerkJWTKey",
                                                  "ClerkJWKSURL",
                                                  "ClerkAPIURL",
                                                  "ClerkFrontendAPI",
                                                  "ClerkProxyURL",
                                                  "ClerkDomain",
                                                  "ClerkSatellite",
                                                  "ClerkSatelliteAutoSync",
                                                  "ClerkIssuer",
                                                  "ClerkJWKSCacheTTL",
                                                  "ClerkJWKSMaxStale",
                                                  "ClerkHTTPTimeout",
                                                  "ClerkHTTPProxy",
                                                  "ClerkCAFile",
                                                  NULL};

int clerk_directives_is_instance(const char *name)
{
    for (int i = 0; instance_directives[i]; i++) {
        if (!strcasecmp(instance_directives[i], name)) {
            return 1;
        }
    }
    return 0;
}
