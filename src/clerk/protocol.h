/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_PROTOCOL_H
#define CLERK_PROTOCOL_H

/* The names that Clerk has given: cookies, parameters, versions. Each stands here and nowhere else. */

/** The version of Clerk's APIs that this code speaks: header `Clerk-API-Version` and parameter `__clerk_api_version`.
 */
#define CLERK_API_VERSION "2026-05-12"

/* Cookies; the first four also with `_<suffix>`. */
#define CLERK_COOKIE_SESSION "__session"
#define CLERK_COOKIE_CLIENT_UAT "__client_uat"
#define CLERK_COOKIE_REFRESH "__refresh"
#define CLERK_COOKIE_DEV_BROWSER "__clerk_db_jwt"
#define CLERK_COOKIE_HANDSHAKE "__clerk_handshake"
#define CLERK_COOKIE_HANDSHAKE_NONCE "__clerk_handshake_nonce"
#define CLERK_COOKIE_REDIRECT_COUNT "__clerk_redirect_count"

/* Parameters of URLs. Those that carry a cookie's value have the cookie's name. */
#define CLERK_PARAMETER_API_VERSION "__clerk_api_version"
#define CLERK_PARAMETER_HELP "__clerk_help"
#define CLERK_PARAMETER_REDIRECT_URL "__clerk_redirect_url"
#define CLERK_PARAMETER_SYNCED "__clerk_synced"
#define CLERK_PARAMETER_HANDSHAKE_REASON "__clerk_hs_reason"

#endif
