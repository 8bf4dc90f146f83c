/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_SITE_SITE_PROXY_H
#define HTTPD_SITE_SITE_PROXY_H

#include <httpd.h>

/**
 * Whether a request is for Clerk's frontend API below ClerkProxyURL, and mod_proxy passes it on there: such a request
 * needs no session, because sessions come from there. Then set the request headers that Clerk wants (protocol.md 15).
 *
 * The secret key goes to `https://frontend-api.clerk.dev` and the instance's own frontend API only, and by TLS only
 * where mod_ssl verifies the certificate (`SSLProxyVerify require`). It is added to what mod_proxy sends, never to the
 * request itself.
 */
int clerk_site_proxy_prepare(request_rec *r);

/** Register the hooks of mod_proxy that add the secret key, and the filter. */
void clerk_site_proxy_register(void);

#endif
