/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_INJECT_INJECT_POLICY_H
#define HTTPD_INJECT_INJECT_POLICY_H

#include <httpd.h>

/**
 * The nonce that scripts of this page have: of its Content-Security-Policy as far as the application has said it, else
 * of the variable CSP_NONCE, which mod_cspnonce sets. @return NULL: none
 */
const char *clerk_inject_policy_nonce(request_rec *r);

/** Log, once a minute, what the page's policy would have to allow. To be called when all header fields are final. */
void clerk_inject_policy_check(request_rec *r);

#endif
