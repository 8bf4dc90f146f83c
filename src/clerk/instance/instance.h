/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLERK_INSTANCE_INSTANCE_H
#define CLERK_INSTANCE_INSTANCE_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "clerk/instance/publishable_key.h"

/** The configuration of a Clerk instance: the values of the directives, with secrets resolved; NULL if not set. */
typedef struct clerk_instance_options {
    const char *publishable_key;
    const char *secret_key;
    const char *machine_secret_key; /**< ClerkMachineSecretKey */
    const char *frontend_api;       /**< ClerkFrontendAPI: host[:port], or https URL, or http URL on loopback; a path is
                                       ignored */
    const char *proxy_url;          /**< ClerkProxyURL: absolute URL, or a path beginning with '/' */
    const char *domain;
    int satellite;
    int satellite_auto_sync;
    const char *api_url;               /**< or NULL: https://api.clerk.com */
    const char *jwks_url;              /**< or NULL: derived */
    const apr_array_header_t *issuers; /**< of const char *; NULL or empty: auto; one entry "any": no check */
} clerk_instance_options;

/**
 * A Clerk instance with all derived values (protocol.md 1). Immutable; lives as long as the configuration.
 */
typedef struct clerk_instance {
    const char *name; /**< for messages: set by the caller of clerk_instance_create() */
    clerk_instance_type type;
    const char *publishable_key;    /**< or NULL (PEM or JWKS URL only: header and cookie tokens, no browser flow) */
    const char *secret_key;         /**< or NULL */
    const char *machine_secret_key; /**< for M2M tokens instead of the secret key; or NULL */
    const char *frontend_host;      /**< host[:port] of the key, ClerkFrontendAPI, or clerk.<domain>; the "original" one
                                       of protocol.md 1.2; or NULL */
    const char *overridden_host; /**< the host in the publishable key if ClerkFrontendAPI replaces it (tokens may still
                                    name it); or NULL */
    const char *frontend_url;    /**< `https://<frontend_host>` (http if ClerkFrontendAPI says so), no trailing '/'; or
                                    NULL */
    const char *proxy_url;       /**< absolute without trailing '/'s, or a path, or NULL */
    const char *domain;
    int satellite;
    int satellite_auto_sync;
    const char *account_portal;        /**< protocol.md 1.6, from the key's host even with a proxy; or NULL */
    char cookie_suffix[9];             /**< protocol.md 1.5; "" without a publishable key */
    const char *api_url;               /**< Backend API origin (path kept), no trailing '/' */
    const char *jwks_url;              /**< where keys are fetched; NULL if unknown (then a PEM key is needed) */
    int jwks_needs_secret;             /**< jwks_url is of the Backend API: send the secret key */
    const apr_array_header_t *issuers; /**< of const char *, accepted `iss`; NULL: any */
    const char *warning;               /**< what is allowed but risky, for the log at the start; or NULL */
} clerk_instance;

/**
 * Derive an instance from its configuration and check it (protocol.md 1.1 to 1.7, directives.md "Instances and keys").
 *
 * `auto` issuers: `https://<frontend_host>`, the host of the key too if ClerkFrontendAPI overrides it, the proxy URL
 * with and without trailing '/', `https://clerk.<domain>` for satellites. Without publishable key and frontend API:
 * any.
 *
 * Checked: protocol.md 1.1 and that the host is a plain host[:port]; publishable and secret key of the same type; URLs
 * as clerk_http_url_problem(); a satellite has a domain or a proxy URL; the domain is a plain host name. The sign-in
 * URL of a development satellite is checked elsewhere. White space around values is ignored.
 * @return NULL, or what is wrong and what to write instead (from @a pool; no secret in it)
 */
const char *clerk_instance_create(clerk_instance **pinstance, const clerk_instance_options *options, apr_pool_t *pool);

#endif
