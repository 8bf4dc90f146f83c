/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_APPLICATION_ENVIRONMENT_H
#define HTTPD_APPLICATION_ENVIRONMENT_H

#include <httpd.h>

/** Set the CLERK_* variables of this request from its identity, or clear them all (directives.md "Variables"). */
void clerk_environment_export(request_rec *r);

/** fixups hook: the same for each subrequest and internal redirect, before mod_rewrite renames or removes variables. */
int clerk_environment_fixups(request_rec *r);

#endif
