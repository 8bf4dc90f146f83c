/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_ENVIRONMENT_H
#define HTTPD_APPLICATION_ENVIRONMENT_H

#include <httpd.h>

/** Set the CLERK_* variables of this request from its identity, or clear them all (directives.md "Variables"). */
void clerk_environment_export(request_rec *r);

/** The same on every hop, before mod_rewrite renames or drops anything: fixups hook. */
int clerk_environment_fixups(request_rec *r);

#endif
