/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_AUTHZ_AUTHZ_PROVIDERS_H
#define HTTPD_AUTHZ_AUTHZ_PROVIDERS_H

#include <mod_auth.h>

/* The `Require` lines of this module (directives.md "Require providers"), one each. */

extern const authz_provider clerk_require_role;
extern const authz_provider clerk_require_org;
extern const authz_provider clerk_require_permission;
extern const authz_provider clerk_require_feature;
extern const authz_provider clerk_require_plan;
extern const authz_provider clerk_require_mfa;
extern const authz_provider clerk_require_actor;
extern const authz_provider clerk_require_optional;
extern const authz_provider clerk_require_claim;
extern const authz_provider clerk_require_reverification;

#endif
