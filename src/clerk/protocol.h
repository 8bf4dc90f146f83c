/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_PROTOCOL_H
#define CLERK_PROTOCOL_H

/* Names that Clerk defines: cookies, URL parameters, versions. The only place where they are spelled out. */

/** The version of Clerk's APIs that this code uses: header Clerk-API-Version and parameter __clerk_api_version. */
#define CLERK_API_VERSION "2026-05-12"

/* Cookies; the first four also with the instance's suffix, as in __session_<suffix>. */
#define CLERK_COOKIE_SESSION "__session"
#define CLERK_COOKIE_CLIENT_UAT "__client_uat"
#define CLERK_COOKIE_REFRESH "__refresh"
#define CLERK_COOKIE_DEV_BROWSER "__clerk_db_jwt"
#define CLERK_COOKIE_HANDSHAKE "__clerk_handshake"
#define CLERK_COOKIE_HANDSHAKE_NONCE "__clerk_handshake_nonce"
#define CLERK_COOKIE_REDIRECT_COUNT "__clerk_redirect_count"

/* URL parameters. A parameter that carries the value of a cookie has the name of that cookie. */
#define CLERK_PARAMETER_API_VERSION "__clerk_api_version"
#define CLERK_PARAMETER_HELP "__clerk_help"
#define CLERK_PARAMETER_REDIRECT_URL "__clerk_redirect_url"
#define CLERK_PARAMETER_SYNCED "__clerk_synced"
#define CLERK_PARAMETER_HANDSHAKE_REASON "__clerk_hs_reason"

#endif
